using SiamSharp.Native;
using static TorchSharp.torch;

namespace SiamSharp.Embeddings;

/// <summary>Groups of images that are (nearly) the same.</summary>
public static class NearDuplicates
{
    private const int Block = 2048;

    /// <summary>Finds the groups.</summary>
    /// <remarks>
    /// Definition: rows are joined where their cosine is at least the threshold, and so are the groups that they belong to (single linkage). Exact.
    /// Cost: N^2 D multiplications, as matrix products.
    /// </remarks>
    /// <param name="table">The representations; rows of zeros are like nothing.</param>
    /// <param name="threshold">Cosine from which on two images are the same, above 0 to 1.</param>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    /// <param name="cancel">Stops between two blocks.</param>
    /// <returns>Groups of two or more rows, each in order; the groups in the order of their first rows.</returns>
    public static IReadOnlyList<int[]> Find(EmbeddingTable table, double threshold, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        if (!(threshold > 0 && threshold <= 1)) throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "A cosine above 0 to 1 is needed.");
        int[] parent = [.. Enumerable.Range(0, table.Count)];
        using var noGradient = no_grad();
        for (int start = 0; start < table.Count; start += Block)
        {
            using var scope = NewDisposeScope();
            Tensor rows = Unit(table, start);
            for (int other = start; other < table.Count; other += Block)
            {
                cancel.ThrowIfCancellationRequested();
                using var inner = NewDisposeScope();
                Tensor columns = other == start ? rows : Unit(table, other);
                // Rounding must not part images that are the same to the bit.
                Tensor found = (rows.mm(columns.t()) >= HeldScalars.Held(threshold - 1e-6)).nonzero();
                long[] pairs = found.numel() == 0 ? [] : found.data<long>().ToArray();
                for (int p = 0; p < pairs.Length; p += 2)
                {
                    int a = Root(parent, start + (int)pairs[p]), b = Root(parent, other + (int)pairs[p + 1]);
                    parent[Math.Max(a, b)] = Math.Min(a, b);
                }
            }
            progress?.Report(1 - Math.Pow(1 - Math.Min(1.0, (start + Block) / (double)table.Count), 2));
        }
        return [.. Enumerable.Range(0, table.Count).GroupBy(row => Root(parent, row)).Where(g => g.Count() > 1).OrderBy(g => g.Key).Select(g => g.ToArray())];
    }

    /// <summary>(B, D): rows from a start on, of length 1.</summary>
    private static Tensor Unit(EmbeddingTable table, int start)
    {
        int count = Math.Min(Block, table.Count - start);
        float[] values = new float[count * table.Width];
        for (int i = 0; i < count; i++) table[start + i].CopyTo(values.AsSpan(i * table.Width));
        return nn.functional.normalize(tensor(values, [count, table.Width]), dim: 1);
    }

    private static int Root(int[] parent, int row)
    {
        while (parent[row] != row) row = parent[row] = parent[parent[row]];
        return row;
    }
}

using static TorchSharp.torch;

namespace SiamSharp.Embeddings;

/// <summary>Groups of images that are (nearly) the same.</summary>
public static class NearDuplicates
{
    private const int Block = 2048;

    /// <summary>Finds the groups.</summary>
    /// <remarks>
    /// Definition: rows are taken in their order. A row joins the first row of that group to which its cosine is the greatest,
    /// where that reaches the threshold; otherwise it is the first row of a group of its
    /// own. So each row of a group is as like its first row as the threshold says, and keeping the first of each group loses
    /// nothing that is not. (Groups joined by chains, each image like the next, would hold
    /// images that are nothing alike.) Exact. Cost: N^2 D multiplications at most, as matrix products.
    /// </remarks>
    /// <param name="table">The representations; rows of zeros are like nothing.</param>
    /// <param name="threshold">Cosine from which on two images are the same, above 0 to 1.</param>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    /// <param name="cancellationToken">Stops between two blocks.</param>
    /// <returns>Groups of two or more rows, each in order; the groups in the order of their first rows.</returns>
    public static IReadOnlyList<int[]> Find(
        EmbeddingTable table, double threshold, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        if (!(threshold > 0 && threshold <= 1))
            throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "A cosine above 0 to 1 is needed.");
        using var use = new EmbeddingTable.Use(table);
        double least = threshold - 1e-6; // rounding must not part images that are the same to the bit
        int[] first = new int[table.Count];
        var firsts = new List<int[]>(); // of each block
        using var noGradient = no_grad();
        for (int start = 0; start < table.Count; start += Block)
        {
            using var scope = NewDisposeScope();
            int count = Math.Min(Block, table.Count - start);
            var best = new (float Cosine, int Row)[count];
            Tensor rows = Unit(table, [.. Enumerable.Range(start, count)]);
            foreach (int[] others in firsts.Where(f => f.Length > 0))
            {
                cancellationToken.ThrowIfCancellationRequested();
                using var inner = NewDisposeScope();
                var (cosines, places) = rows.mm(Unit(table, others).t()).max(1);
                float[] values = cosines.data<float>().ToArray();
                long[] indexes = places.data<long>().ToArray();
                for (int i = 0; i < count; i++)
                    if (values[i] > best[i].Cosine) best[i] = (values[i], others[indexes[i]]);
            }
            cancellationToken.ThrowIfCancellationRequested();
            float[] own = rows.mm(rows.t()).data<float>().ToArray();
            var added = new List<int>();
            for (int i = 0; i < count; i++)
            {
                foreach (int row in added)
                    if (own[i * count + row - start] > best[i].Cosine) best[i] = (own[i * count + row - start], row);
                first[start + i] = best[i].Cosine >= least ? best[i].Row : start + i;
                if (first[start + i] == start + i) added.Add(start + i);
            }
            firsts.Add([.. added]);
            progress?.Report(Math.Pow(Math.Min(1.0, (start + Block) / (double)table.Count), 2));
        }
        return [.. Enumerable.Range(0, table.Count).GroupBy(row => first[row]).Where(g => g.Count() > 1)
            .OrderBy(g => g.Key).Select(g => g.ToArray())];
    }

    /// <summary>(N, D): rows of length 1.</summary>
    private static Tensor Unit(EmbeddingTable table, int[] rows)
    {
        int width = table.Width;
        float[] values = new float[rows.Length * width];
        Parallel.For(0, rows.Length, i => EmbeddingTable.Unit(table.Row(rows[i])).CopyTo(values.AsSpan(i * width)));
        return tensor(values, [rows.Length, width]);
    }
}

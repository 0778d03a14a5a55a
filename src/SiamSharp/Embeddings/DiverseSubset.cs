using System.Numerics.Tensors;

namespace SiamSharp.Embeddings;

/// <summary>Images that differ from one another: those to label next.</summary>
public static class DiverseSubset
{
    /// <summary>Chooses rows one by one, each as unlike all chosen ones as possible.</summary>
    /// <remarks>
    /// Definition: greedy k-centre with the distance 1 - cosine: next is the row whose nearest chosen row is the furthest;
    /// without given ones the first is the row most like
    /// the mean of all (of unit vectors). No choice of as many rows has less than half the largest distance, measured as angles
    /// between vectors.
    /// Source: Gonzalez 1985, "Clustering to minimize the maximum intercluster distance"; Sener and Savarese 2018, arXiv
    /// 1708.00489 (to label next).
    /// Cost: one pass over N D numbers for each row chosen.
    /// </remarks>
    /// <param name="table">The representations.</param>
    /// <param name="count">Rows wanted, 1 or more.</param>
    /// <param name="given">Rows that count as chosen already, such as those with labels; they are not in the result.</param>
    /// <param name="cancellationToken">Stops between two rows.</param>
    /// <returns>Rows in the order of their choice, at most as many as are left.</returns>
    public static IReadOnlyList<int> Choose(
        EmbeddingTable table, int count, IReadOnlyList<int> given, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        using var use = new EmbeddingTable.Use(table);
        float[] nearest = new float[table.Count]; // cosine to the nearest chosen row
        Array.Fill(nearest, float.NegativeInfinity);
        var taken = new HashSet<int>(given);
        foreach (int row in taken) Add(row);

        var chosen = new List<int>();
        while (chosen.Count < count && taken.Count < table.Count)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int next = -1;
            if (taken.Count == 0) next = table.Nearest(Mean(table), 1)[0].Row;
            else
                for (int row = 0; row < table.Count; row++)
                    if (!taken.Contains(row) && (next < 0 || nearest[row] < nearest[next])) next = row;
            chosen.Add(next);
            taken.Add(next);
            Add(next);
        }
        return chosen;

        void Add(int centre)
        {
            float[] unit = EmbeddingTable.Unit(table[centre]);
            Parallel.For(0, table.Count, row => nearest[row] = Math.Max(nearest[row],
                EmbeddingTable.Cosine(table.Row(row), unit, TensorPrimitives.Norm(table.Row(row)))));
        }
    }

    private static float[] Mean(EmbeddingTable table)
    {
        float[] sum = new float[table.Width];
        for (int row = 0; row < table.Count; row++) TensorPrimitives.Add(sum, EmbeddingTable.Unit(table[row]), sum);
        return sum;
    }
}

using SiamSharp.Embeddings;
using SiamSharp.Randomness;
using Xunit;

namespace SiamSharp.Tests.Embeddings;

public sealed class SubsetTests
{
    private static EmbeddingTable Table(int width, params float[] values) =>
        new(width, [values], new string[values.Length / width], new string?[values.Length / width]);

    private static double Cosine(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        double dot = 0, a = 0, b = 0;
        for (int d = 0; d < x.Length; d++) (dot, a, b) = (dot + x[d] * y[d], a + x[d] * x[d], b + y[d] * y[d]);
        return a > 0 && b > 0 ? dot / Math.Sqrt(a * b) : 0;
    }

    [Fact]
    public void Find_ByHand_JoinsWhatIsAlikeAndWhatIsBetween()
    {
        // 0, 10 and 20 degrees (0 and 20 only by way of 10); 90 degrees twice, in other lengths; zeros twice.
        static float[] At(double degrees, double length = 1) => [(float)(length * Math.Cos(degrees * Math.PI / 180)), (float)(length * Math.Sin(degrees * Math.PI / 180))];
        using EmbeddingTable table = Table(2, [.. At(0), .. At(90), .. At(20), .. At(10), 0, 0, .. At(90, 5), 0, 0, .. At(45)]);
        Assert.Equal(["0,2,3", "1,5"], NearDuplicates.Find(table, Math.Cos(11 * Math.PI / 180)).Select(g => string.Join(',', g)));
        Assert.Equal(["1,5"], NearDuplicates.Find(table, 1).Select(g => string.Join(',', g)));
    }

    [Fact]
    public void Find_SeveralBlocks_EqualsAPlainSearch()
    {
        const int count = 5000, width = 3;
        float[] values = new float[count * width];
        new RandomStream(1, RandomPurpose.Fill).FillNormal(values);
        using EmbeddingTable table = Table(width, values);
        var near = new List<(double Cosine, int A, int B)>();
        for (int a = 0; a < count; a++)
            for (int b = a + 1; b < count; b++)
                if (Cosine(values.AsSpan(a * width, width), values.AsSpan(b * width, width)) is > 0.99995 and var cosine) near.Add((cosine, a, b));
        near.Sort();
        // In the middle of the widest gap, so that rounding decides nothing.
        int gap = Enumerable.Range(near.Count / 2, near.Count / 4).MaxBy(i => near[i + 1].Cosine - near[i].Cosine);
        double threshold = (near[gap].Cosine + near[gap + 1].Cosine) / 2;
        int[] group = [.. Enumerable.Range(0, count)];
        foreach (var (_, a, b) in near.Where(n => n.Cosine >= threshold))
        {
            int old = group[b];
            for (int i = 0; i < count; i++) if (group[i] == old) group[i] = group[a];
        }
        string[] expected = [.. Enumerable.Range(0, count).GroupBy(i => group[i]).Where(g => g.Count() > 1).OrderBy(g => g.Min()).Select(g => string.Join(',', g))];
        Assert.InRange(expected.Length, 20, 2000);
        Assert.Equal(expected, NearDuplicates.Find(table, threshold + 1e-6).Select(g => string.Join(',', g)));
    }

    [Fact]
    public void Find_NothingAlike_FindsNothing()
    {
        // 2,500 directions, 0.144 degrees from one another, in two blocks.
        using EmbeddingTable table = Table(2, [.. Enumerable.Range(0, 2500).SelectMany(i => new[] { (float)Math.Cos(i * Math.PI / 1250), (float)Math.Sin(i * Math.PI / 1250) })]);
        Assert.Empty(NearDuplicates.Find(table, 1));
    }

    [Fact]
    public void Choose_AnyTable_TakesTheFurthestEachTime()
    {
        const int count = 300, width = 4;
        float[] values = new float[count * width];
        new RandomStream(3, RandomPurpose.Fill).FillNormal(values);
        using EmbeddingTable table = Table(width, values);
        foreach (int[] given in new int[][] { [], [7, 9] })
        {
            var chosen = DiverseSubset.Choose(table, 20, given);
            Assert.Equal(20, chosen.Concat(given).Distinct().Count() - given.Length);
            for (int i = given.Length == 0 ? 1 : 0; i < chosen.Count; i++)
            {
                int[] before = [.. given, .. chosen.Take(i)];
                double Nearest(int row) => before.Max(b => Cosine(values.AsSpan(row * width, width), values.AsSpan(b * width, width)));
                double least = Enumerable.Range(0, count).Except(before).Min(Nearest);
                Assert.Equal(least, Nearest(chosen[i]), 1e-6);
            }
        }
        Assert.Equal(count - 2, DiverseSubset.Choose(table, 1000, [7, 9]).Count);
    }
}

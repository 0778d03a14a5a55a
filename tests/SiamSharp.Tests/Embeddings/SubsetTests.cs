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
    public void Find_ByHand_JoinsWhatIsLikeTheFirstAndMakesNoChains()
    {
        // 0, 10 and 20 degrees; 90 degrees twice, in other lengths; zeros twice.
        static float[] At(double degrees, double length = 1) =>
            [(float)(length * Math.Cos(degrees * Math.PI / 180)), (float)(length * Math.Sin(degrees * Math.PI / 180))];
        using EmbeddingTable table = Table(2, [.. At(0), .. At(90), .. At(20), .. At(9), 0, 0, .. At(90, 5), 0, 0, .. At(45)]);
        Assert.Equal(["0,3", "1,5"], NearDuplicates.Find(table, Math.Cos(12 * Math.PI / 180)).Select(g => string.Join(',', g)));
        Assert.Equal(["1,5"], NearDuplicates.Find(table, 1).Select(g => string.Join(',', g)));
        // A row between two first rows goes to the nearer one.
        using EmbeddingTable between = Table(2, [.. At(0), .. At(20), .. At(11)]);
        Assert.Equal(["1,2"], NearDuplicates.Find(between, Math.Cos(12 * Math.PI / 180)).Select(g => string.Join(',', g)));
    }

    [Fact]
    public void Find_AnyGroup_EachRowIsLikeItsFirst()
    {
        // A chain of 2,500 directions, each 0.03 degrees from the next, in two blocks:
        // joined by neighbours they would be one group over 75 degrees.
        using EmbeddingTable table = Table(2, [.. Enumerable.Range(0, 2500)
            .SelectMany(i => new[] { (float)Math.Cos(i * 0.03 * Math.PI / 180), (float)Math.Sin(i * 0.03 * Math.PI / 180) })]);
        var groups = NearDuplicates.Find(table, Math.Cos(1.005 * Math.PI / 180));
        Assert.InRange(groups.Count, 35, 80);
        Assert.All(groups, group => Assert.All(group, row => Assert.InRange((row - group[0]) * 0.03, 0, 1.06)));
    }

    [Fact]
    public void Find_SeveralBlocks_EqualsAPlainSearch()
    {
        const int count = 5000, width = 3;
        float[] values = new float[count * width];
        new RandomStream(1, RandomPurpose.Fill).FillNormal(values);
        using EmbeddingTable table = Table(width, values);
        // In the middle of a wide gap between the cosines near the threshold, so that rounding decides nothing.
        var near = new List<double>();
        for (int a = 0; a < count; a++)
            for (int b = a + 1; b < count; b++)
                if (Cosine(values.AsSpan(a * width, width), values.AsSpan(b * width, width))
                    is > 0.9990 and < 0.9991 and var cosine)
                    near.Add(cosine);
        near.Sort();
        int gap = Enumerable.Range(0, near.Count - 1).MaxBy(i => near[i + 1] - near[i]);
        double threshold = (near[gap] + near[gap + 1]) / 2;

        int[] first = new int[count];
        var firsts = new List<int>();
        for (int row = 0; row < count; row++)
        {
            var best = (Cosine: double.NegativeInfinity, Row: row);
            foreach (int other in firsts)
                if (Cosine(values.AsSpan(row * width, width), values.AsSpan(other * width, width)) is var cosine
                    && cosine > best.Cosine)
                    best = (cosine, other);
            first[row] = best.Cosine >= threshold ? best.Row : row;
            if (first[row] == row) firsts.Add(row);
        }
        string[] expected = [.. Enumerable.Range(0, count).GroupBy(row => first[row]).Where(g => g.Count() > 1)
            .OrderBy(g => g.Key).Select(g => string.Join(',', g))];
        Assert.InRange(expected.Length, 100, 2000);
        Assert.Equal(expected, NearDuplicates.Find(table, threshold + 1e-6).Select(g => string.Join(',', g)));
    }

    [Fact]
    public void Find_NothingAlike_FindsNothing()
    {
        // 2,500 directions, 0.144 degrees from one another, in two blocks.
        using EmbeddingTable table = Table(2, [.. Enumerable.Range(0, 2500)
            .SelectMany(i => new[] { (float)Math.Cos(i * Math.PI / 1250), (float)Math.Sin(i * Math.PI / 1250) })]);
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
                double Nearest(int row) =>
                    before.Max(b => Cosine(values.AsSpan(row * width, width), values.AsSpan(b * width, width)));
                double least = Enumerable.Range(0, count).Except(before).Min(Nearest);
                Assert.Equal(least, Nearest(chosen[i]), 1e-6);
            }
        }
        Assert.Equal(count - 2, DiverseSubset.Choose(table, 1000, [7, 9]).Count);
    }
}

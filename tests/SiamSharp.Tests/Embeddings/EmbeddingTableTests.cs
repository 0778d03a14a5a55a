using SiamSharp.Embeddings;
using SiamSharp.Randomness;
using Xunit;

namespace SiamSharp.Tests.Embeddings;

public sealed class EmbeddingTableTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(100, 7)]
    [InlineData(5000, 64)]
    public void Nearest_AnyTable_EqualsAPlainSearch(int count, int width)
    {
        float[] values = new float[count * width];
        new RandomStream(2, RandomPurpose.Fill).FillNormal(values);
        if (count > 10) values.AsSpan(5 * width, width).Clear();                                    // a row of zeros
        if (count > 10) values.AsSpan(6 * width, width).CopyTo(values.AsSpan(9 * width, width));    // equal rows
        int cut = count / 2 * width;
        using var table = new EmbeddingTable(width, [values.AsMemory(0, cut), values.AsMemory(cut)], new string[count], new string?[count]);
        float[] query = values.AsSpan(count > 10 ? 6 * width : 0, width).ToArray();

        double Cosine(int row)
        {
            double dot = 0, a = 0, b = 0;
            for (int d = 0; d < width; d++)
            {
                double x = values[row * width + d], y = query[d];
                (dot, a, b) = (dot + x * y, a + x * x, b + y * y);
            }
            return a > 0 ? dot / Math.Sqrt(a * b) : 0;
        }
        var expected = Enumerable.Range(0, count).Select(row => (Row: row, Cosine: Cosine(row))).OrderByDescending(r => Math.Round(r.Cosine, 5)).ThenBy(r => r.Row).Take(8).ToArray();
        var actual = table.Nearest(query, 8);
        Assert.Equal(expected.Select(e => e.Row), actual.Select(a => a.Row));
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First.Cosine, pair.Second.Cosine, 1e-5));
    }

    [Fact]
    public void Nearest_OtherWidth_Throws()
    {
        using var table = new EmbeddingTable(2, [new float[4]], ["a", "b"], [null, null]);
        Assert.Contains("3 numbers, but the vectors here have 2", Assert.Throws<ArgumentException>(() => table.Nearest(new float[3], 1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new EmbeddingTable(2, [new float[4]], ["a"], [null]));
    }
}

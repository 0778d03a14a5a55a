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
        using var table = new EmbeddingTable(width, [values.AsMemory(0, cut), values.AsMemory(cut)],
            new string[count], new string?[count]);
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
        var expected = Enumerable.Range(0, count).Select(row => (Row: row, Cosine: Cosine(row)))
            .OrderByDescending(r => Math.Round(r.Cosine, 5)).ThenBy(r => r.Row).Take(8).ToArray();
        var actual = table.Nearest(query, 8);
        Assert.Equal(expected.Select(e => e.Row), actual.Select(a => a.Row));
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First.Cosine, pair.Second.Cosine, 1e-5));
    }

    [Fact]
    public void Nearest_OtherWidth_Throws()
    {
        using var table = new EmbeddingTable(2, [new float[4]], ["a", "b"], [null, null]);
        Assert.Contains("3 numbers, but the vectors here have 2",
            Assert.Throws<ArgumentException>(() => table.Nearest(new float[3], 1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new EmbeddingTable(2, [new float[4]], ["a"], [null]));
    }

    [Theory]
    [InlineData(1e-25f)]
    [InlineData(1e25f)]
    public void Nearest_LengthsWhoseSquaresOverflowOrVanish_AreExact(float scale)
    {
        float[] values = [1 * scale, 0, 3 * scale, 4 * scale, 0, 0, 5, 5];
        using var table = new EmbeddingTable(2, [values], ["a", "b", "zeros", "c"], new string?[4]);
        var found = table.Nearest([3 * scale, 4 * scale], 4);
        Assert.Equal([1, 3, 0, 2], found.Select(f => f.Row));
        Assert.Equal(new[] { 1, 7 / (5 * Math.Sqrt(2)), 0.6, 0 }, found.Select(f => (double)f.Cosine),
            (a, b) => Math.Abs(a - b) < 1e-6);
        Assert.Contains("not finite", Assert.Throws<ArgumentException>(() => table.Nearest([float.NaN, 1], 1)).Message);
    }

    [Fact]
    public void Nearest_NoRows_FindsNothing()
    {
        using var table = new EmbeddingTable(2, [], [], []);
        Assert.Empty(table.Nearest([1, 0], 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => table[0].Length);
        Assert.Empty(NearDuplicates.Find(table, 0.9));
    }

    [Fact]
    public void AfterDispose_EveryMember_IsRefused()
    {
        string folder = Directory.CreateTempSubdirectory("table").FullName;
        try
        {
            using (var made = new EmbeddingTable(2, [new float[] { 1, 2, 3, 4 }], ["a", "b"], [null, "x"]))
                EmbeddingFile.Write(Path.Combine(folder, "x.npy"), made);
            EmbeddingTable table = EmbeddingTable.Read(Path.Combine(folder, "x.npy"));
            Assert.Equal(1, table.Nearest([1, 2], 1)[0].Cosine, 1e-6);
            table.Dispose();
            table.Dispose();
            foreach (Func<object?> member in new Func<object?>[]
            {
                () => table.Count, () => table.Width, () => table.Paths, () => table.Labels, () => table.Origin,
                () => table.Notes, () => table[0].Length, () => table.Nearest([1, 2], 1),
                () => NearDuplicates.Find(table, 0.9), () => DiverseSubset.Choose(table, 1, []),
            })
                Assert.Throws<ObjectDisposedException>(member);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Nearest_FileShortenedMeanwhile_IsRefused()
    {
        string folder = Directory.CreateTempSubdirectory("table").FullName, path = Path.Combine(folder, "x.npy");
        try
        {
            using (var made = new EmbeddingTable(64, [new float[64 * 1000]], [.. Enumerable.Range(0, 1000).Select(i => $"{i}")],
                new string?[1000]))
                EmbeddingFile.Write(path, made);
            using EmbeddingTable table = EmbeddingTable.Read(path);
            using (var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) file.SetLength(100);
            Assert.Contains("was shortened", Assert.Throws<IOException>(() => table.Nearest(new float[64], 1)).Message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Dispose_WhileOthersSearch_EndsTheMappingAfterThem()
    {
        string folder = Directory.CreateTempSubdirectory("table").FullName, path = Path.Combine(folder, "x.npy");
        try
        {
            using (var made = new EmbeddingTable(128, [new float[128 * 20_000]],
                [.. Enumerable.Range(0, 20_000).Select(i => $"{i}")], new string?[20_000]))
                EmbeddingFile.Write(path, made);
            for (int round = 0; round < 20; round++)
            {
                EmbeddingTable table = EmbeddingTable.Read(path);
                Task[] searches = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
                {
                    try { Assert.Equal(3, table.Nearest(new float[128], 3).Count); }
                    catch (ObjectDisposedException) { }
                }, TestContext.Current.CancellationToken))];
                table.Dispose();
                await Task.WhenAll(searches);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

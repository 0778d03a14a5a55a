using SiamSharp.Data;
using Xunit;

namespace SiamSharp.Tests.Data;

public class ImageDatasetTests
{
    [Theory]
    [InlineData(4.0)]
    [InlineData(0.0)]
    public void Load_SomeUnreadable_SkipsThemAndKeepsSourceIndexes(double memoryGiB)
    {
        var source = new FakeSource(10,
            i => i % 4 == 1 ? throw new UnreadableImageException($"fake/{i}", "is odd") : FakeSource.One(i));
        var set = ImageDataset.Load(source, new DataOptions { MemoryGiB = memoryGiB, Threads = 3 });
        Assert.Equal(memoryGiB > 0, set.InMemory);
        Assert.Equal([0, 2, 3, 4, 6, 7, 8], Enumerable.Range(0, set.Count).Select(set.SourceIndexOf));
        Assert.Equal(["fake/1", "fake/5", "fake/9"], set.Skipped.Select(s => s.Path));
        float[] pixels = new float[4];
        set.Read(4, pixels);
        Assert.All(pixels, p => Assert.Equal(6 / 255f, p));
    }

    [Fact]
    public void Load_AllUnreadable_Throws()
    {
        var source = new FakeSource(3, i => throw new UnreadableImageException($"fake/{i}", "is empty"));
        var e = Assert.Throws<DataSourceException>(() => ImageDataset.Load(source, new DataOptions()));
        Assert.Contains("None of 3 images", e.Message);
        Assert.Contains("'fake/0' is empty", e.Message);
    }

    [Fact]
    public void Load_TwoChannelCounts_SaysHowManyOfEachAndWhatToDo()
    {
        var source = new FakeSource(5, i => i == 2 ? new Pixels(new byte[12], 3, 2, 2) : FakeSource.One(i));
        var e = Assert.Throws<DataSourceException>(() => ImageDataset.Load(source, new DataOptions()));
        Assert.Contains("4 with 1 (such as 'fake/0') and 1 with 3 (such as 'fake/2')", e.Message);
        Assert.Contains("--set data.channels=3", e.Message);
    }

    [Fact]
    public void MeanAndStd_AnyThreadCount_EqualTheNaiveOnesBitForBit()
    {
        Pixels Noise(int i) =>
            new(Enumerable.Range(0, 32).Select(k => (ushort)((i * 7919 + k * 104729) % 65536)).ToArray(), 2, 4, 4);
        var sets = new[] { 1, 2, 7 }
            .Select(t => ImageDataset.Load(new FakeSource(50, Noise) { NativeSize = 4 },
                new DataOptions { Threads = t })).ToArray();
        for (int c = 0; c < 2; c++)
        {
            double[] values = [.. from i in Enumerable.Range(0, 50)
                                  from v in ((ushort[])Noise(i).Values)[(c * 16)..((c + 1) * 16)]
                                  select (double)(v / 65535f)];
            double mean = values.Average();
            Assert.Equal(mean, sets[0].Mean[c], 1e-12);
            Assert.Equal(Math.Sqrt(values.Average(v => (v - mean) * (v - mean))), sets[0].Std[c], 1e-12);
            Assert.All(sets, s => Assert.Equal((sets[0].Mean[c], sets[0].Std[c]), (s.Mean[c], s.Std[c])));
        }
        Assert.Single(sets.Select(s => s.DataHash).Distinct());
        Assert.Equal(16, sets[0].BitDepth);
    }

    [Fact]
    public void DataHash_OnePixelLabelOrOrderChanged_IsAnother()
    {
        static string Hash(Func<int, Pixels> decode, Func<int, int> label) =>
            ImageDataset.Load(new FakeSource(4, decode) { ClassNames = ["a", "b"], Label = label }, new DataOptions()).DataHash;
        string[] hashes =
        [
            Hash(FakeSource.One, i => i % 2),
            Hash(i => FakeSource.One(i == 3 ? 4 : i), i => i % 2),
            Hash(FakeSource.One, i => i / 2),
            Hash(i => FakeSource.One(3 - i), i => i % 2),
        ];
        Assert.Equal(4, hashes.Distinct().Count());
        Assert.Equal(hashes[0], Hash(FakeSource.One, i => i % 2));
        Assert.All(hashes, h => Assert.Equal(32, h.Length));
    }

    [Fact]
    public void DataHash_InMemoryOrStreamed_IsTheSame() =>
        Assert.Equal(ImageDataset.Load(FakeSource.Numbered(9), new DataOptions()).DataHash,
            ImageDataset.Load(FakeSource.Numbered(9), new DataOptions { MemoryGiB = 0 }).DataHash);

    [Fact]
    public void Batch_ThreeImages_AreStackedInOrder()
    {
        var set = ImageDataset.Load(FakeSource.Numbered(9), new DataOptions { Size = 2 });
        using var batch = set.Batch([8, 0, 8]);
        Assert.Equal([3, 1, 2, 2], batch.shape);
        Assert.Equal([.. Enumerable.Repeat(8 / 255f, 4), 0, 0, 0, 0, .. Enumerable.Repeat(8 / 255f, 4)],
            batch.data<float>().ToArray());
    }

    [Fact]
    public void Load_Cancelled_Throws()
    {
        using var cancel = new CancellationTokenSource();
        var source = new FakeSource(1_000, i =>
        {
            if (i == 5) cancel.Cancel();
            return FakeSource.One(i);
        });
        Assert.Throws<OperationCanceledException>(() => ImageDataset.Load(source, new DataOptions(), null, cancel.Token));
    }

    [Fact]
    public void Load_Progress_EndsWithTheTotals()
    {
        var seen = new Collector();
        var source = new FakeSource(20, i => i == 3 ? throw new UnreadableImageException("x", "y") : FakeSource.One(i));
        ImageDataset.Load(source, new DataOptions { Threads = 1 }, seen);
        Assert.Equal(new LoadProgress(20, 20, 1), seen.Reports[^1]);
    }

    private sealed class Collector : IProgress<LoadProgress>
    {
        public List<LoadProgress> Reports { get; } = [];

        public void Report(LoadProgress value)
        {
            lock (Reports) Reports.Add(value);
        }
    }
}

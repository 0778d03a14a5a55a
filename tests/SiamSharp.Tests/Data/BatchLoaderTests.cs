using SiamSharp.Data;
using Xunit;

namespace SiamSharp.Tests.Data;

public class BatchLoaderTests
{
    private static ImageDataset Numbered(int count, double memoryGiB = 4) =>
        ImageDataset.Load(FakeSource.Numbered(count), new DataOptions { Size = 2, MemoryGiB = memoryGiB });

    private static List<(int Epoch, int Step, string Ids, string Pixels)> Take(BatchLoader loader, int count)
    {
        var batches = new List<(int, int, string, string)>();
        for (int i = 0; i < count; i++)
        {
            var batch = loader.Next();
            using var images = batch.Images;
            batches.Add((batch.Epoch, batch.Step, string.Join(' ', batch.SampleIds), Convert.ToHexString(images.bytes)));
        }
        return batches;
    }

    [Fact]
    public void Next_AnyThreadsAndMode_GivesTheSameBatchesBitForBit()
    {
        using var reference = new BatchLoader(Numbered(50), 8, seed: 3);
        var expected = Take(reference, 15);
        foreach (var (memory, threads) in new[] { (4.0, 4), (0.0, 1), (0.0, 2), (0.0, 5) })
        {
            using var loader = new BatchLoader(Numbered(50, memory), 8, seed: 3, threads: threads);
            Assert.Equal(expected, Take(loader, 15));
        }
    }

    [Fact]
    public void Next_OneEpoch_VisitsEachImageOnceInAnotherOrderPerEpochAndSeed()
    {
        using var loader = new BatchLoader(Numbered(10), 5, seed: 1);
        using var other = new BatchLoader(Numbered(10), 5, seed: 2);
        var batches = Take(loader, 4);
        Assert.Equal([(0, 0), (0, 1), (1, 0), (1, 1)], batches.Select(b => (b.Epoch, b.Step)));
        string[] epochs = [batches[0].Ids + " " + batches[1].Ids, batches[2].Ids + " " + batches[3].Ids];
        Assert.All(epochs, e => Assert.Equal(Enumerable.Range(0, 10), e.Split(' ').Select(int.Parse).Order()));
        Assert.NotEqual(epochs[0], epochs[1]);
        Assert.NotEqual(batches[0].Ids, Take(other, 1)[0].Ids);
    }

    [Fact]
    public void Next_PixelsAndIds_BelongTogether()
    {
        using var loader = new BatchLoader(Numbered(20), 20, seed: 9);
        var batch = loader.Next();
        using var images = batch.Images;
        Assert.Equal([20, 1, 2, 2], images.shape);
        float[] values = images.data<float>().ToArray();
        for (int i = 0; i < 20; i++) Assert.All(values[(4 * i)..(4 * i + 4)], v => Assert.Equal(batch.SampleIds[i] / 255f, v));
    }

    [Fact]
    public void Next_InADisposeScope_GivesItsTensorToTheScopeAndMakesNoOther()
    {
        using var loader = new BatchLoader(Numbered(20), 5, seed: 9, threads: 2);
        using var scope = TorchSharp.torch.NewDisposeScope();
        var images = Enumerable.Range(0, 6).Select(_ => loader.Next().Images).ToArray();
        Assert.Equal(6, scope.DisposablesCount);
        scope.Dispose();
        Assert.All(images, t => Assert.True(t.IsInvalid));
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(0, 6)]
    public void Next_StartedLater_ContinuesWhereAnUninterruptedRunWouldBe(int startEpoch, int startStep)
    {
        using var whole = new BatchLoader(Numbered(17), 4, seed: 5);
        using var resumed = new BatchLoader(Numbered(17), 4, seed: 5, startEpoch: startEpoch, startStep: startStep);
        Assert.Equal(Take(whole, 12)[6..], Take(resumed, 6));
    }

    [Fact]
    public void Next_KeepLast_EndsWithTheRemainder()
    {
        using var loader = new BatchLoader(Numbered(7), 3, seed: 1, dropLast: false);
        Assert.Equal(3, loader.StepsPerEpoch);
        Assert.Equal([3, 3, 1, 3], Take(loader, 4).Select(b => b.Ids.Split(' ').Length));
    }

    [Fact]
    public void Constructor_BatchLargerThanTheSet_SaysWhatFits() =>
        Assert.Contains("holds 8 of 7: choose 7 or fewer",
            Assert.Throws<ArgumentException>(() => new BatchLoader(Numbered(7), 8, seed: 1)).Message);

    [Fact]
    public void Next_FileUnreadableSinceLoading_IsDroppedAndReported()
    {
        bool broken = false;
        var source = new FakeSource(6, i =>
            broken && i == 4 ? throw new UnreadableImageException($"fake/{i}", "is gone") : FakeSource.One(i));
        var set = ImageDataset.Load(source, new DataOptions { Size = 2, MemoryGiB = 0 });
        broken = true;
        using var loader = new BatchLoader(set, 6, seed: 1);
        for (int epoch = 0; epoch < 2; epoch++)
        {
            var batch = loader.Next();
            using var images = batch.Images;
            Assert.Equal([0L, 1, 2, 3, 5], batch.SampleIds.Order());
            float[] values = images.data<float>().ToArray();
            for (int i = 0; i < 5; i++) Assert.Equal(batch.SampleIds[i] / 255f, values[4 * i]);
        }
        Assert.Equal([new SkippedFile("fake/4", "is gone")], set.Skipped);
    }

    [Fact]
    public void Next_AllUnreadableSinceLoading_Throws()
    {
        bool broken = false;
        var set = ImageDataset.Load(new FakeSource(6,
            i => broken ? throw new UnreadableImageException("f", "is gone") : FakeSource.One(i)),
            new DataOptions { Size = 2, MemoryGiB = 0 });
        broken = true;
        using var loader = new BatchLoader(set, 3, seed: 1);
        Assert.Contains("readable any more", Assert.Throws<DataSourceException>(() => loader.Next()).Message);
    }

    [Fact]
    public void Next_ThreadFails_GivesItsExceptionToTheConsumer()
    {
        bool broken = false;
        var set = ImageDataset.Load(new FakeSource(6,
            i => broken ? throw new InvalidTimeZoneException("boom") : FakeSource.One(i)),
            new DataOptions { Size = 2, MemoryGiB = 0 });
        broken = true;
        using var loader = new BatchLoader(set, 3, seed: 1);
        Assert.Equal("boom", Assert.Throws<InvalidTimeZoneException>(() => loader.Next()).Message);
    }

    [Fact]
    public void Next_NeverAsked_MakesNoMoreThanTwoBatchesAhead()
    {
        int decoded = 0;
        var set = ImageDataset.Load(new FakeSource(100, i =>
        {
            Interlocked.Increment(ref decoded);
            return FakeSource.One(i);
        }), new DataOptions { Size = 2, MemoryGiB = 0 });
        decoded = 0;
        var loader = new BatchLoader(set, 10, seed: 1, threads: 3);
        SpinWait.SpinUntil(() => Volatile.Read(ref decoded) >= 20, TimeSpan.FromSeconds(30));
        Thread.Sleep(50);
        loader.Dispose();
        Assert.Equal(20, decoded);
        Assert.Throws<ObjectDisposedException>(() => loader.Next());
    }

    [Fact]
    public void Waited_SlowDecoding_CountsTheConsumersTimeOnly()
    {
        using var go = new ManualResetEventSlim(true);
        var clock = new ManualClock();
        var set = ImageDataset.Load(new FakeSource(4, i =>
        {
            go.Wait();
            return FakeSource.One(i);
        }), new DataOptions { Size = 2, MemoryGiB = 0 });
        go.Reset();
        using var loader = new BatchLoader(set, 4, seed: 1, time: clock);
        var release = new Thread(() =>
        {
            while (clock.Reads == 0) Thread.Yield();
            clock.Advance(TimeSpan.FromSeconds(5));
            go.Set();
        });
        release.Start();
        loader.Next().Images.Dispose();
        release.Join();
        Assert.Equal(TimeSpan.FromSeconds(5), loader.Waited);
    }

    [Fact]
    public void Next_Cancelled_ThrowsAndLosesNoBatch()
    {
        using var go = new ManualResetEventSlim(true);
        var set = ImageDataset.Load(new FakeSource(4, i =>
        {
            go.Wait();
            return FakeSource.One(i);
        }), new DataOptions { Size = 2, MemoryGiB = 0 });
        go.Reset();
        using var loader = new BatchLoader(set, 4, seed: 1);
        using var cancel = new CancellationTokenSource(20);
        Assert.Throws<OperationCanceledException>(() => loader.Next(cancel.Token));
        go.Set();
        var batch = loader.Next();
        batch.Images.Dispose();
        Assert.Equal((0, 0), (batch.Epoch, batch.Step));
    }

    private sealed class ManualClock : TimeProvider
    {
        private long _ticks;
        private int _reads;

        public int Reads => Volatile.Read(ref _reads);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);

        public override long GetTimestamp()
        {
            Interlocked.Increment(ref _reads);
            return Interlocked.Read(ref _ticks);
        }
    }
}

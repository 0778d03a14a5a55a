using SiamSharp.Methods;
using SiamSharp.Tests.Reference;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Methods;

public sealed class FeatureQueueTests
{
    [Fact]
    public void Add_BatchesOfAnySize_HoldsTheLastRowsInTheirPlaces()
    {
        using var scope = NewDisposeScope();
        using var queue = new FeatureQueue(5, 2, seed: 1);
        float[] expected = queue.Rows.select(1, 0).data<float>().ToArray();
        long added = 0;
        foreach (int count in new[] { 2, 2, 3, 1, 7, 5, 4 })
        {
            float[] rows = [.. Enumerable.Range(0, count).Select(i => added + i + 100f)];
            queue.Add(tensor(rows).unsqueeze(1).repeat(1, 2));
            foreach (float row in rows) expected[added++ % 5] = row;
            Assert.Equal(expected, queue.Rows.select(1, 0).data<float>().ToArray());
            Assert.Equal(added >= 5, queue.Full);
        }
    }

    [Theory]
    [InlineData(512, 256, null)]
    [InlineData(700, 256, "Choose 512")]
    [InlineData(100, 256, "Choose 256")]
    public void FaultsFor_QueueOfBrokenBatches_SaysWhatToChoose(int queueSize, int batchSize, string? advice)
    {
        foreach (MethodOptions options in new MethodOptions[] { new MoCoV2Options { QueueSize = queueSize },
            new SwavOptions { QueueSize = queueSize } })
        {
            var faults = options.FaultsFor(batchSize).ToArray();
            if (advice is null) Assert.Empty(faults);
            else Assert.Contains(advice, Assert.Single(faults, f => f.Path == "queueSize").Problem);
        }
        Assert.Empty(new SwavOptions { QueueSize = 0 }.FaultsFor(batchSize));
    }

    [Fact]
    public void Create_BySeed_StartsWithDirectionsInTheStateDict()
    {
        using var scope = NewDisposeScope();
        using FeatureQueue first = new(6, 3, seed: 1), same = new(6, 3, seed: 1), other = new(6, 3, seed: 2);
        Assert.Equal(["added", "rows"], first.state_dict().Keys.Order());
        Near.Equal(ones(6), first.Rows.norm(1), 1e-6);
        Near.Same(first.Rows, same.Rows);
        Assert.False(first.Rows.equal(other.Rows).all().item<bool>());
    }
}

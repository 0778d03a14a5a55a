using SiamSharp.Backbones;
using SiamSharp.Native;
using Xunit;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Native;

/// <summary>
/// Numbers reach libtorch although collections go on all the time. Run alone: the tests beside it use TorchSharp's own operators,
/// which lose theirs.
/// </summary>
[CollectionDefinition(nameof(GarbageCollectionTests), DisableParallelization = true)]
[Collection(nameof(GarbageCollectionTests))]
public sealed class GarbageCollectionTests
{
    [Fact]
    public void Scale_DuringGarbageCollections_UsesTheFactorGiven()
    {
        using var x = ones(3, dtype: ScalarType.Float64);
        DuringCollections(3000, i => TorchOperators.Scale([x], i % 2 == 0 ? 4 : 0.25));
        Assert.Equal([1.0, 1.0, 1.0], x.data<double>());
    }

    [Fact]
    public void Held_DuringGarbageCollections_UsesTheNumberGiven()
    {
        using var x = ones(3, dtype: ScalarType.Float64);
        DuringCollections(20_000, i =>
        {
            using var scope = NewDisposeScope();
            Tensor y = ((x * Held(2)).Squared() / Held(0.5) - Held(i)).pow(Held(1));
            Assert.Equal(8.0 - i, y[0].item<double>());
        });
    }

    [Fact(Explicit = true)] // slow
    public void Plus_DuringGarbageCollections_AddsOnce()
    {
        // Large: room for the result is sought before the factor is read. TorchSharp's own + fails here several times.
        using var x = ones(200_000);
        using var total = zeros(200_000);
        DuringCollections(20_000, i =>
        {
            using Tensor two = x.Plus(x);
            Assert.Equal(2, two[^1].item<float>());
            total.PlusInPlace(x);
        });
        Assert.Equal(20_000, total[^1].item<float>());
        Assert.Equal(3.5f, x.Plus(2.5)[0].item<float>());
        Assert.Equal(4, ones(1).PlusInPlace(2.5).PlusInPlace(0.5)[0].item<float>());
    }

    [Fact(Explicit = true)] // slow
    public void BatchNorm_DuringGarbageCollections_CountsEveryBatch()
    {
        using var norm = new BatchNormalization(2);
        Initialization.Draw(norm, seed: 1);
        using var x = rand(4, 2, 3, 3);
        DuringCollections(20_000, i => norm.forward(x).Dispose());
        Assert.Equal(20_000, norm.num_batches_tracked!.item<long>());
    }

    private static void DuringCollections(int times, Action<int> action)
    {
        using var stop = new CancellationTokenSource();
        var collections = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        });
        collections.Start();
        try
        {
            for (int i = 0; i < times; i++) action(i);
        }
        finally
        {
            stop.Cancel();
            collections.Join();
        }
    }
}

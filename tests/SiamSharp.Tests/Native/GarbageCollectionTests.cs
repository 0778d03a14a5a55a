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

using SiamSharp.Native;
using SiamSharp.Tests.Reference;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Native;

/// <summary>Those operators that the optimisers' tests do not reach, and the ownership of all.</summary>
public sealed class TorchOperatorsTests
{
    [Fact]
    public void GlobalNorm_SeveralTensors_IsTheNormOfAllTogether()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(5, TorchOperators.GlobalNorm([full(4, 2f), tensor(3f)]).item<float>(), 1e-6);
    }

    [Fact]
    public void Scale_SeveralTensors_ChangesThemInPlace()
    {
        using var scope = NewDisposeScope();
        Tensor[] tensors = [ones(2), ones(2, 2)];
        TorchOperators.Scale(tensors, 0.25);
        Near.Same(full([2], 0.25f), tensors[0]);
        Near.Same(full([2, 2], 0.25f), tensors[1]);
    }

    [Fact]
    public void Lerp_Quarter_MovesAQuarterOfTheWay()
    {
        using var scope = NewDisposeScope();
        Tensor[] targets = [zeros(2), ones(3)];
        TorchOperators.Lerp(targets, [ones(2), full(3, 5f)], 0.25);
        Near.Same(full([2], 0.25f), targets[0]);
        Near.Same(full([3], 2f), targets[1]);
    }

    [Fact]
    public void AnyOperator_OutsideAScope_LeavesNoTensorBehind()
    {
        using Tensor p = ones(2), g = ones(2), m = zeros(2), v = zeros(2), step = zeros([]);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        TorchOperators.AdamW([p], [g], [m], [v], [step], 0.1, 0.9, 0.999, 0.1, 1e-8);
        TorchOperators.Lars([p], [g], [m], 0.1, 0.9, 0, 0.001);
        TorchOperators.Sgd([p], [g], [m], 0.1, 0.9, 0, nesterov: true);
        TorchOperators.GlobalNorm([p, g]).Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }
}

/// <summary>
/// Run alone: TorchSharp's own operators can lose a scalar to a garbage collection during the call, which the collections here would
/// make likely in tests beside this one.
/// </summary>
[CollectionDefinition(nameof(GarbageCollectionTests), DisableParallelization = true)]
[Collection(nameof(GarbageCollectionTests))]
public sealed class GarbageCollectionTests
{
    [Fact]
    public async Task Scale_DuringGarbageCollections_UsesTheFactorGiven()
    {
        using var stop = new CancellationTokenSource();
        Task collections = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        });
        using var x = ones(3, dtype: ScalarType.Float64);
        for (int i = 0; i < 3000; i++) TorchOperators.Scale([x], i % 2 == 0 ? 4 : 0.25);
        await stop.CancelAsync();
        await collections;
        Assert.Equal([1.0, 1.0, 1.0], x.data<double>());
    }
}

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

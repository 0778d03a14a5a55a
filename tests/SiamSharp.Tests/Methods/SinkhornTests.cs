using SiamSharp.Methods;
using SiamSharp.Tests.Reference;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Methods;

public sealed class SinkhornTests
{
    [Fact]
    public void Assign_ManyIterations_UsesAllPrototypesEqually()
    {
        using var scope = NewDisposeScope();
        var q = Sinkhorn.Assign(RandomTensors.Normal(1, [12, 4], ScalarType.Float64), 0.5, 500);
        Near.Equal(ones(12, ScalarType.Float64), q.sum(dim: 1), 1e-9);
        Near.Equal(full([4], 3.0, dtype: ScalarType.Float64), q.sum(dim: 0), 1e-6);
    }

    [Fact]
    public void Assign_HugeScores_StaysFinite()
    {
        using var scope = NewDisposeScope();
        Assert.True(Sinkhorn.Assign(RandomTensors.Normal(1, [8, 4]).tanh() + 1000, 0.05, 3).isfinite().all().item<bool>());
    }
}

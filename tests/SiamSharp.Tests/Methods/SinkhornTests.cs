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

    /// <summary>With few iterations and an epsilon at which nearly all of exp(s / epsilon) is 0 in any precision:
    /// products of exact factors instead.</summary>
    [Fact]
    public void Assign_SmallEpsilon_EqualsALoopOverLogarithms()
    {
        using var scope = NewDisposeScope();
        const double epsilon = 0.001;
        Tensor scores = RandomTensors.Normal(3, [6, 4], ScalarType.Float64).tanh();
        double[,] q = new double[6, 4];
        for (int n = 0; n < 6; n++)
            for (int p = 0; p < 4; p++) q[n, p] = scores[n, p].item<double>() / epsilon;
        for (int i = 0; i < 3; i++)
        {
            for (int p = 0; p < 4; p++) Subtract(Enumerable.Range(0, 6).Select(n => (n, p)));
            for (int n = 0; n < 6; n++) Subtract(Enumerable.Range(0, 4).Select(p => (n, p)));
        }
        Tensor result = Sinkhorn.Assign(scores, epsilon, 3), single = Sinkhorn.Assign(scores.to(ScalarType.Float32), epsilon, 3);
        for (int n = 0; n < 6; n++)
            for (int p = 0; p < 4; p++) Assert.Equal(Math.Exp(q[n, p]), result[n, p].item<double>(), 1e-9);
        Near.Equal(result, single, 1e-3);

        void Subtract(IEnumerable<(int N, int P)> line)
        {
            double largest = line.Max(c => q[c.N, c.P]), sum = largest + Math.Log(line.Sum(c => Math.Exp(q[c.N, c.P] - largest)));
            foreach (var (n, p) in line.ToArray()) q[n, p] -= sum;
        }
    }

    [Fact]
    public void Assign_HugeScores_StaysFinite()
    {
        using var scope = NewDisposeScope();
        Assert.True(Sinkhorn.Assign(RandomTensors.Normal(1, [8, 4]).tanh() + 1000, 0.05, 3).isfinite().all().item<bool>());
    }
}

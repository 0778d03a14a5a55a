using SiamSharp.Evaluation;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Evaluation;

public sealed class TsneTests
{
    private static Tensor Points(ulong seed, int count, int width) =>
        Reference.RandomTensors.Normal(seed, [count, width]).to(ScalarType.Float64);

    [Fact]
    public void SquaredDistances_AgreeWithNaiveLoops()
    {
        using var scope = NewDisposeScope();
        Tensor x = Points(1, 7, 3), distances = Tsne.SquaredDistances(x);
        for (int i = 0; i < 7; i++)
            for (int j = 0; j < 7; j++)
                Assert.Equal(Enumerable.Range(0, 3).Sum(k => Math.Pow(x[i, k].item<double>() - x[j, k].item<double>(), 2)),
                    distances[i, j].item<double>(), 1e-12);
    }

    [Fact]
    public void Conditional_EveryRow_HasThePerplexityAskedFor()
    {
        using var scope = NewDisposeScope();
        Tensor rows = Tsne.Conditional(Tsne.SquaredDistances(Points(2, 40, 5)), 7);
        for (int i = 0; i < 40; i++)
        {
            double[] row = rows[i].data<double>().ToArray();
            Assert.Equal(1, row.Sum(), 1e-12);
            Assert.Equal(0, row[i]);
            Assert.Equal(7, Math.Exp(-row.Where(p => p > 0).Sum(p => p * Math.Log(p))), 1e-6);
        }
        Tensor joint = Tsne.Affinities(Tsne.SquaredDistances(Points(2, 40, 5)), 7);
        Assert.True(joint.allclose(joint.t(), 0, 0));
        Assert.Equal(1, joint.sum().item<double>(), 1e-12);
    }

    [Fact]
    public void Gradient_AgreesWithFiniteDifferencesOfTheDivergence()
    {
        using var scope = NewDisposeScope();
        Tensor p = Tsne.Affinities(Tsne.SquaredDistances(Points(3, 9, 4)), 3), y = Points(4, 9, 2);
        Tensor gradient = Tsne.Gradient(p, y);
        for (int i = 0; i < 18; i++)
        {
            Tensor bump = zeros(18, dtype: ScalarType.Float64);
            bump[i] = 1e-5;
            double slope = (Divergence(p, y + bump.reshape(9, 2)) - Divergence(p, y - bump.reshape(9, 2))) / 2e-5;
            Assert.Equal(slope, gradient.flatten()[i].item<double>(), 1e-8);
        }
    }

    private static double Divergence(Tensor p, Tensor y)
    {
        int n = (int)y.shape[0];
        double[,] near = new double[n, n];
        double all = 0, divergence = 0;
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++)
            {
                if (i == j) continue;
                near[i, j] = 1 / (1 + Math.Pow(y[i, 0].item<double>() - y[j, 0].item<double>(), 2)
                    + Math.Pow(y[i, 1].item<double>() - y[j, 1].item<double>(), 2));
                all += near[i, j];
            }
        }
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                if (i != j) divergence += p[i, j].item<double>() * Math.Log(p[i, j].item<double>() / (near[i, j] / all));
        return divergence;
    }

    [Fact]
    public void Of_Clusters_LieApartAndTheSameEachTime()
    {
        using var scope = NewDisposeScope();
        Tensor labels = arange(120, dtype: ScalarType.Int64).remainder(4);
        Tensor x = Points(5, 120, 10) * 0.3 + nn.functional.one_hot(labels, 10).to(ScalarType.Float64) * 3;
        Tensor map = Tsne.Of(x, iterations: 300);
        Assert.Equal([120L, 2L], map.shape);
        Tensor nearest = Tsne.SquaredDistances(map).add_(eye(120, dtype: ScalarType.Float64), alpha: 1e9).argmin(1);
        Assert.True(labels[nearest].eq(labels).sum().item<long>() >= 118);
        Assert.Equal(map.data<double>().ToArray(), Tsne.Of(x, iterations: 300).data<double>().ToArray());
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public void Of_FewPoints_IsFinite(int count)
    {
        using var scope = NewDisposeScope();
        Assert.True(Tsne.Of(Points(6, count, 3)).isfinite().all().item<bool>());
        Assert.True(Tsne.Of(ones(count, 3)).isfinite().all().item<bool>()); // all images alike
        Assert.Throws<ArgumentException>(() => Tsne.Of(Points(6, 3, 3)));
    }
}

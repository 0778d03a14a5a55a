using SiamSharp.Methods;
using SiamSharp.Tests.Reference;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Methods;

public sealed class NtXentTests
{
    [Theory]
    [InlineData("ntxent_t0.1.json")]
    [InlineData("ntxent_t0.5.json")]
    public void Loss_TwoViews_EqualsTheGoldenLossAndGradients(string file)
    {
        using var scope = NewDisposeScope();
        var golden = new GoldenFile(file);
        var z0 = golden.Tensor("inputs", "z0").requires_grad_();
        var z1 = golden.Tensor("inputs", "z1").requires_grad_();
        var loss = NtXent.Loss([z0, z1], golden.Number("params", "temperature"));
        loss.backward();
        Assert.Equal(golden.Number("loss"), loss.item<double>(), 1e-9 * golden.Number("loss"));
        Near.Equal(golden.Tensor("grads", "z0"), z0.grad!, 1e-9);
        Near.Equal(golden.Tensor("grads", "z1"), z1.grad!, 1e-9);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void Loss_AnyViews_EqualsTheNaiveLoop(int views)
    {
        using var scope = NewDisposeScope();
        Tensor[] z = [.. Enumerable.Range(0, views).Select(v => RandomTensors.Normal((ulong)v, [4, 6], ScalarType.Float64))];
        double expected =
            Naive([.. z.SelectMany(view => Enumerable.Range(0, 4).Select(n => view[n].data<double>().ToArray()))], 4, 0.2);
        Assert.Equal(expected, NtXent.Loss(z, 0.2).item<double>(), 1e-12 * expected);
        Tensor[] single = [.. z.Select(view => view.to(ScalarType.Float32))];
        Assert.Equal(expected, NtXent.Loss(single, 0.2).item<float>(), 1e-5 * expected);
    }

    // Rows view by view: row i shows sample i mod N.
    private static double Naive(double[][] rows, int samples, double temperature)
    {
        static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
        double Similarity(int i, int k) =>
            Dot(rows[i], rows[k]) / Math.Sqrt(Dot(rows[i], rows[i]) * Dot(rows[k], rows[k])) / temperature;

        double sum = 0;
        int pairs = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            for (int j = 0; j < rows.Length; j++)
            {
                if (j == i || j % samples != i % samples) continue;
                double denominator = 0;
                for (int k = 0; k < rows.Length; k++)
                    if (k != i) denominator += Math.Exp(Similarity(i, k));
                sum -= Math.Log(Math.Exp(Similarity(i, j)) / denominator);
                pairs++;
            }
        }
        return sum / pairs;
    }

    [Fact]
    public void Loss_ThreeViews_HasTheGradientOfFiniteDifferences()
    {
        using var scope = NewDisposeScope();
        Tensor[] z =
            [.. Enumerable.Range(0, 3).Select(v => RandomTensors.Normal((ulong)v, [3, 4], ScalarType.Float64).requires_grad_())];
        NtXent.Loss(z, 0.3).backward();
        using var _ = no_grad();
        for (int n = 0; n < 3; n++)
        {
            for (int d = 0; d < 4; d++)
            {
                z[1][n, d].add_(1e-6);
                double above = NtXent.Loss(z, 0.3).item<double>();
                z[1][n, d].sub_(2e-6);
                double below = NtXent.Loss(z, 0.3).item<double>();
                z[1][n, d].add_(1e-6);
                Assert.Equal((above - below) / 2e-6, z[1].grad![n, d].item<double>(), 1e-8);
            }
        }
    }

    [Fact]
    public void Loss_LengthOfEmbeddingsChanged_IsTheSame()
    {
        using var scope = NewDisposeScope();
        var (a, b) = (RandomTensors.Normal(1, [5, 8], ScalarType.Float64), RandomTensors.Normal(2, [5, 8], ScalarType.Float64));
        double loss = NtXent.Loss([a, b], 0.1).item<double>();
        Assert.Equal(loss, NtXent.Loss([b * 7, a * 0.01], 0.1).item<double>(), 1e-10);
    }

    [Fact]
    public void Loss_VeryLowTemperature_StaysFinite()
    {
        using var scope = NewDisposeScope();
        var z = RandomTensors.Normal(1, [8, 4]).requires_grad_();
        var loss = NtXent.Loss([z, z.neg()], 0.001);
        loss.backward();
        Assert.True(float.IsFinite(loss.item<float>()));
        Assert.True(z.grad!.isfinite().all().item<bool>());
    }

    [Theory]
    [InlineData(2, 1, 0.1, "found a batch of 1")]
    [InlineData(1, 8, 0.1, "found 1")]
    [InlineData(2, 8, 0.0, "found 0")]
    [InlineData(2, 8, double.NaN, "found NaN")]
    public void Loss_NothingToCompare_ThrowsWithWhatWasFound(int views, int samples, double temperature, string found)
    {
        using var scope = NewDisposeScope();
        Tensor[] z = [.. Enumerable.Range(0, views).Select(_ => ones(samples, 4))];
        Assert.Contains(found, Assert.Throws<ArgumentException>(() => NtXent.Loss(z, temperature)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Loss_OtherShape_Throws()
    {
        using var scope = NewDisposeScope();
        var fault = Assert.Throws<ArgumentException>(() => NtXent.Loss([ones(4, 8), ones(4, 7)], 0.1));
        Assert.Contains("[4, 8], view 1 is [4, 7]", fault.Message, StringComparison.Ordinal);
    }
}

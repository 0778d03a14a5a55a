using SiamSharp.Evaluation;
using SiamSharp.Tests.Reference;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Evaluation;

public sealed class SpectrumTests
{
    [Fact]
    public void RankMe_Golden_Agrees()
    {
        var golden = new GoldenFile("rankme.json");
        using Tensor z = golden.Tensor("inputs", "z");
        Assert.Equal(golden.Number("output"), Spectrum.RankMe(Spectrum.SingularValues(z)), 1e-9);
    }

    [Fact]
    public void RankMe_Extremes_AreOneAndTheNumberOfDimensions()
    {
        using Tensor line = ones(20, 8), even = eye(8), nothing = zeros(20, 8);
        Assert.Equal(1, Spectrum.RankMe(Spectrum.SingularValues(line)), 1e-4);
        Assert.Equal(8, Spectrum.RankMe(Spectrum.SingularValues(even)), 1e-4);
        Assert.Equal(1, Spectrum.RankMe(Spectrum.SingularValues(nothing)));
    }

    [Fact]
    public void AlignmentAndUniformity_AgreeWithLoops()
    {
        using Tensor a = RandomTensors.Normal(1, [9, 5]), b = a + 0.3 * RandomTensors.Normal(2, [9, 5]);
        double[][] x = Rows(a), y = Rows(b);
        Assert.Equal(x.Zip(y, Distance).Average(), Spectrum.Alignment(a, b), 1e-6);

        var pairs = from i in Enumerable.Range(0, 9) from j in Enumerable.Range(0, i) select Math.Exp(-2 * Distance(x[i], x[j]));
        Assert.Equal(Math.Log(pairs.Average()), Spectrum.Uniformity(a), 1e-6);

        static double Distance(double[] p, double[] q) => p.Zip(q, (s, t) => (s - t) * (s - t)).Sum();
        static double[][] Rows(Tensor z) =>
            [.. Enumerable.Range(0, (int)z.shape[0]).Select(i =>
            {
                double[] row = [.. z[i].data<float>().ToArray().Select(v => (double)v)];
                double norm = Math.Sqrt(row.Sum(v => v * v));
                return row.Select(v => v / norm).ToArray();
            })];
    }

    [Fact]
    public void Uniformity_AllEqual_IsZero()
    {
        using Tensor z = ones(6, 3);
        Assert.Equal(0, Spectrum.Uniformity(z), 1e-12);
    }

    [Fact]
    public void Uniformity_OneRow_IsRefused()
    {
        using Tensor z = ones(1, 3);
        Assert.Contains("1 row", Assert.Throws<ArgumentException>(() => Spectrum.Uniformity(z)).Message);
    }
}

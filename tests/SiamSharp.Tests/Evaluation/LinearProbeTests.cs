using SiamSharp.Evaluation;
using SiamSharp.Randomness;
using TorchSharp;
using Xunit;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Evaluation;

public class LinearProbeTests
{
    private static Tensor Normal(int seed, params long[] shape)
    {
        float[] values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        new RandomStream((ulong)seed, RandomPurpose.Fill).FillNormal(values);
        return tensor(values, shape);
    }

    [Fact]
    public void Objective_Gradient_AgreesWithFiniteDifferences()
    {
        Tensor x = Normal(1, 7, 3).to(float64), target = nn.functional.one_hot(arange(7) % 4, 4).t().to(float64),
            weight = Normal(2, 4, 4).to(float64);
        var (_, gradient) = LogisticRegression.Objective(x.t(), target, weight, 0.3);
        for (int i = 0; i < 16; i++)
        {
            Tensor bump = zeros(16, dtype: float64);
            bump[i] = 1e-5;
            double up = LogisticRegression.Objective(x.t(), target, weight + bump.reshape(4, 4), 0.3).Value;
            double down = LogisticRegression.Objective(x.t(), target, weight - bump.reshape(4, 4), 0.3).Value;
            Assert.Equal((up - down) / 2e-5, gradient.flatten()[i].ToDouble(), 1e-8);
        }
    }

    [Fact]
    public void Objective_Value_AgreesWithNaiveLoops()
    {
        Tensor x = Normal(1, 5, 2).to(float64), weight = Normal(2, 3, 3).to(float64);
        long[] labels = [0, 1, 2, 0, 1];
        double expected = 0;
        for (int n = 0; n < 5; n++)
        {
            double[] logit = [.. Enumerable.Range(0, 3).Select(k =>
                weight[2, k].ToDouble() + x[n, 0].ToDouble() * weight[0, k].ToDouble()
                    + x[n, 1].ToDouble() * weight[1, k].ToDouble())];
            expected -= Math.Log(Math.Exp(logit[labels[n]]) / logit.Sum(Math.Exp)) / 5;
        }
        for (int d = 0; d < 2; d++)
            for (int k = 0; k < 3; k++) expected += 0.25 * Math.Pow(weight[d, k].ToDouble(), 2);
        Assert.Equal(expected, LogisticRegression.Objective(x.t(),
            nn.functional.one_hot(tensor(labels), 3).t().to(float64), weight, 0.5).Value, 1e-12);
    }

    [Fact]
    public void Minimize_ConvexQuadratic_FindsTheMinimum()
    {
        Tensor scale = tensor(new double[] { 1, 10, 100, 1000 }).reshape(4, 1),
            goal = tensor(new double[] { 3, -2, 1, 0.5 }).reshape(4, 1);
        Tensor found = LbfgsMinimizer.Minimize(zeros(4, 1, dtype: float64),
            w => (((w - goal).square() * scale).sum().ToDouble() / 2, (w - goal) * scale), 200, 1e-9, CancellationToken.None);
        Assert.True((found - goal).abs().max().ToDouble() < 1e-9);
    }

    [Fact]
    public void Fit_ShiftedAndScaledClusters_AreSeparated()
    {
        Tensor labels = arange(300) % 3;
        Tensor x = Normal(3, 300, 6);
        x[TensorIndex.Colon, 0] += 6 * labels.to(float32);
        x = x * 50 + 1000;                       // standardisation must undo this
        x[TensorIndex.Colon, 5] = 4;             // and survive a constant feature
        using var probe = LinearProbe.Fit(x, labels, 3, new EvaluationOptions(), 1, CancellationToken.None);
        Assert.True(probe.Scores(x).argmax(1).eq(labels).sum().item<long>() > 290);
    }

    [Theory]
    [InlineData(400, 6)]
    [InlineData(60, 80)]   // fewer images than features
    public void Fit_SeveralPenalties_EndsWhereTheChosenOneAloneEnds(int count, int width)
    {
        Tensor labels = arange(count) % 3, x = Normal(3, count, width);
        x[TensorIndex.Colon, 0] += 2 * labels.to(float32);
        using var chosen = LinearProbe.Fit(x, labels, 3,
            new EvaluationOptions { LinearPenalties = [1e-3, 1, 0.1] }, 1, CancellationToken.None);
        using var alone = LinearProbe.Fit(x, labels, 3,
            new EvaluationOptions { LinearPenalties = [chosen.Penalty] }, 1, CancellationToken.None);
        Assert.True(chosen.Scores(x).allclose(alone.Scores(x), rtol: 0, atol: 0.02));
    }

    [Fact]
    public void InverseBound_OfProducts_IsTheInverseOfTheWholeMatrix()
    {
        const int Width = 6;
        Tensor x = Normal(3, Width, 40).to(float64), products = x.mm(x.t()) / 40, q = Normal(4, Width + 1, 3).to(float64);
        foreach (double penalty in new[] { 0, 1e-4, 0.1 })
        {
            Tensor bound = zeros(Width + 1, Width + 1, dtype: float64);
            bound[..Width, ..Width] = products / 2;
            bound[Width, Width] = 0.5;
            bound = bound + (penalty + 1e-6) * eye(Width + 1, dtype: float64);
            Assert.True(bound.mm(LogisticRegression.InverseBound(products, penalty, float64)(q)).allclose(q, rtol: 0, atol: 1e-6),
                $"penalty {penalty}");
        }
    }

    [Theory]
    [InlineData(30, 200)]       // fewer images than features
    [InlineData(5100, 5050)]    // too many of both to invert
    public void Fit_WideFeatures_FindsTheMinimum(int count, int width)
    {
        Tensor labels = arange(count) % 3, x = Normal(3, count, width);
        x[TensorIndex.Colon, 0] += 4 * labels.to(float32);
        x[3] = x[1];                // the same image twice, as two classes
        var (mean, scale) = LinearProbe.Standardise(x);
        Tensor standard = (x - mean) * scale;
        using Tensor weight = LinearProbe.FitStandardised(standard, labels, 3, 0.1, 200, CancellationToken.None);
        Tensor target = nn.functional.one_hot(labels, 3).t().to(float32);
        // The objective is convex: where its gradient vanishes it is least.
        Assert.InRange(
            LogisticRegression.Objective(standard.t(), target, weight, 0.1).Gradient.abs().max().item<float>(), 0, 2e-4);
    }

    [Theory]
    [InlineData(1, 400)]
    [InlineData(20, 30)]
    public void FitFew_AsManyOfEachClass_FindsTheMinimumWithoutABias(int shots, int width)
    {
        const int classes = 5;
        int count = classes * shots;
        Tensor labels = arange(count) % classes, x = Normal(4, count, width).to(float64).Plus(0.3); // their mean is not 0
        using Tensor weight = LinearProbe.FitFew(x, labels, classes, 0.01, CancellationToken.None);
        double[] w = weight.data<double>().ToArray(), features = x.data<double>().ToArray(),
            gradient = [.. w[..(width * classes)].Select(v => 0.01 * v)];
        Assert.All(w[(width * classes)..], bias => Assert.Equal(0, bias));

        // Strictly convex: where the gradient, here written out once more, vanishes, is the one minimum.
        for (int i = 0; i < count; i++)
        {
            double[] scores = [.. Enumerable.Range(0, classes)
                .Select(k => Math.Exp(Enumerable.Range(0, width).Sum(d => features[i * width + d] * w[d * classes + k])))];
            for (int k = 0; k < classes; k++)
            {
                double residual = (scores[k] / scores.Sum() - (i % classes == k ? 1 : 0)) / count;
                for (int d = 0; d < width; d++) gradient[d * classes + k] += residual * features[i * width + d];
            }
        }
        Assert.All(gradient, g => Assert.InRange(g, -1e-6, 1e-6));
    }

    [Fact]
    public void Fit_Cancelled_Stops() => Assert.Throws<OperationCanceledException>(() =>
        LinearProbe.Fit(Normal(3, 30, 6), arange(30) % 3, 3, new EvaluationOptions(), 1, new CancellationToken(true)));
}

using SiamSharp.Methods;
using SiamSharp.Tests.Reference;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Methods;

/// <summary>Losses against loops that follow the papers' formulas word by word, where there is no golden file or
/// more than two views.</summary>
public sealed class NaiveLossTests
{
    private static Tensor Random(ulong seed, params long[] shape) => RandomTensors.Normal(seed, shape, ScalarType.Float64);

    private static double[][] Rows(Tensor z) =>
        [.. Enumerable.Range(0, (int)z.shape[0]).Select(i => z[i].data<double>().ToArray())];

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    private static double Cosine(double[] a, double[] b) => Dot(a, b) / Math.Sqrt(Dot(a, a) * Dot(b, b));

    /// <summary>Asserts the gradient of a loss against central differences at every number of one input.</summary>
    private static void AssertGradient(Tensor input, Func<Tensor, Tensor> loss)
    {
        var x = input.clone().requires_grad_();
        loss(x).backward();
        using var noGradient = no_grad();
        var flat = x.view(-1);
        for (long i = 0; i < flat.shape[0]; i++)
        {
            const double h = 1e-6;
            flat[i].add_(h);
            double above = loss(x).item<double>();
            flat[i].sub_(2 * h);
            double below = loss(x).item<double>();
            flat[i].add_(h);
            Assert.Equal((above - below) / (2 * h), x.grad!.view(-1)[i].item<double>(), 1e-6);
        }
    }

    [Fact]
    public void CosineRegression_FourViewsTwoTargets_IsTheMeanOverPairs()
    {
        using var scope = NewDisposeScope();
        var (p, z) = (Random(1, 12, 5), Random(2, 6, 5));
        var (predictions, targets) = (Rows(p), Rows(z));
        double sum = 0;
        int pairs = 0;
        for (int view = 0; view < 4; view++)
            for (int target = 0; target < 2; target++)
                for (int n = 0; n < 3 && view != target; n++, pairs++)
                    sum -= Cosine(predictions[view * 3 + n], targets[target * 3 + n]);
        Assert.Equal(sum / pairs, CosineRegression.Loss(p, z, 3).item<double>(), 1e-12);
        AssertGradient(p, x => CosineRegression.Loss(x, z, 3));
        AssertGradient(z, x => CosineRegression.Loss(p.detach(), x, 3, stopGradient: false));
        Assert.False(CosineRegression.Loss(p.detach(), z, 3).requires_grad);
    }

    [Fact]
    public void MoCoV3_TwoViews_IsTheSumOfBothDirections()
    {
        using var scope = NewDisposeScope();
        const double temperature = 0.3;
        Tensor[] q = [.. new ulong[] { 1, 2 }.Select(s => SiameseMethod.Normalize(Random(s, 4, 5)))];
        Tensor[] k = [.. new ulong[] { 3, 4 }.Select(s => SiameseMethod.Normalize(Random(s, 4, 5)))];
        double expected = 2 * temperature * (CrossEntropy(q[0], k[1]) + CrossEntropy(q[1], k[0]));
        Assert.Equal(expected, MoCoV3.LossOf(q, k, temperature).item<double>(), 1e-12);
        AssertGradient(q[0], x => MoCoV3.LossOf([x, q[1]], k, temperature));

        static double CrossEntropy(Tensor queries, Tensor keys)
        {
            var (a, b) = (Rows(queries), Rows(keys));
            return a.Select((row, i) => -Math.Log(
                Math.Exp(Dot(row, b[i]) / temperature) / b.Sum(other => Math.Exp(Dot(row, other) / temperature)))).Average();
        }
    }

    [Fact]
    public void BarlowTwins_ThreeViews_IsTheMeanOverPairs()
    {
        using var scope = NewDisposeScope();
        Tensor[] z = [.. new ulong[] { 1, 2, 3 }.Select(s => Random(s, 6, 4))];
        double[][][] standard = [.. z.Select(view => Standardise(Rows(view)))];
        double invariance = 0, redundancy = 0;
        foreach (var (a, b) in new[] { (0, 1), (0, 2), (1, 2) })
            for (int i = 0; i < 4; i++)
                for (int j = 0; j < 4; j++)
                {
                    double c = Enumerable.Range(0, 6).Sum(n => standard[a][n][i] * standard[b][n][j]) / 6;
                    if (i == j) invariance += (1 - c) * (1 - c) / 3;
                    else redundancy += c * c / 3;
                }
        var loss = BarlowTwins.LossOf(z);
        Assert.Equal(invariance, loss.Invariance.item<double>(), 1e-10);
        Assert.Equal(redundancy, loss.Redundancy.item<double>(), 1e-10);
        AssertGradient(z[1], x => BarlowTwins.LossOf([z[0], x, z[2]]) is var (i, r) ? i + 0.1 * r : x);

        static double[][] Standardise(double[][] rows)
        {
            double[] mean = [.. Enumerable.Range(0, 4).Select(d => rows.Average(r => r[d]))];
            double[] variance = [.. Enumerable.Range(0, 4).Select(d => rows.Average(r => (r[d] - mean[d]) * (r[d] - mean[d])))];
            return [.. rows.Select(r => r.Select((v, d) => (v - mean[d]) / Math.Sqrt(variance[d] + 1e-5)).ToArray())];
        }
    }

    [Fact]
    public void VicReg_ThreeViews_EqualsTheLoop()
    {
        using var scope = NewDisposeScope();
        Tensor[] z = [.. new ulong[] { 1, 2, 3 }.Select(s => Random(s, 6, 4) * 0.7)];
        double[][][] rows = [.. z.Select(Rows)];
        double invariance = 0, variance = 0, covariance = 0;
        foreach (var (a, b) in new[] { (0, 1), (0, 2), (1, 2) })
            for (int n = 0; n < 6; n++)
                for (int d = 0; d < 4; d++) invariance += Math.Pow(rows[a][n][d] - rows[b][n][d], 2) / (3 * 24);
        foreach (double[][] view in rows)
            for (int i = 0; i < 4; i++)
                for (int j = 0; j < 4; j++)
                {
                    double mi = view.Average(r => r[i]), mj = view.Average(r => r[j]),
                        c = view.Sum(r => (r[i] - mi) * (r[j] - mj)) / 5;
                    if (i == j) variance += Math.Max(0, 1 - Math.Sqrt(c + 1e-4)) / (3 * 4);
                    else covariance += 2 * c * c / (3 * 4);
                }
        var loss = VicReg.LossOf(z);
        Assert.Equal(invariance, loss.Invariance.item<double>(), 1e-12);
        Assert.Equal(variance, loss.Variance.item<double>(), 1e-12);
        Assert.Equal(covariance, loss.Covariance.item<double>(), 1e-12);
    }

    [Fact]
    public void Pirl_OwnRowAmongTheNegatives_IsLeftOut()
    {
        using var scope = NewDisposeScope();
        const double temperature = 0.5;
        var (v, memory) = (SiameseMethod.Normalize(Random(1, 3, 5)), SiameseMethod.Normalize(Random(2, 7, 5)));
        long[] own = [2, 6, 0], others = [0, 1, 2, 3, 4];
        double expected = 0;
        double[][] a = Rows(v), m = Rows(memory);
        for (int n = 0; n < 3; n++)
        {
            long[] negatives = [.. others.Where(o => o != own[n])];
            double positive = Math.Exp(Dot(a[n], m[own[n]]) / temperature);
            double sum = positive + negatives.Sum(o => Math.Exp(Dot(a[n], m[o]) / temperature));
            expected +=
                (-Math.Log(positive / sum) - negatives.Sum(o => Math.Log(1 - Math.Exp(Dot(a[n], m[o]) / temperature) / sum))) / 3;
        }
        Tensor isOwn = tensor(own).unsqueeze(1) == tensor(others).unsqueeze(0);
        Tensor Loss(Tensor x) => Pirl.LossOf(x, memory[tensor(own)], memory[tensor(others)], isOwn, temperature);
        Assert.Equal(expected, Loss(v).item<double>(), 1e-9);
        AssertGradient(v, Loss);
    }

    /// <summary>At the lowest temperature 1 - p is 0 in single precision for the row that is nearest;
    /// the sum over the others is not.</summary>
    [Fact]
    public void Pirl_LowestTemperature_EqualsTheLoopInLogarithms()
    {
        using var scope = NewDisposeScope();
        const double temperature = 0.001;
        var (v, memory) = (SiameseMethod.Normalize(Random(1, 3, 5)), SiameseMethod.Normalize(Random(2, 7, 5)));
        double[][] a = Rows(v), m = Rows(memory);
        double expected = 0;
        for (int n = 0; n < 3; n++)
        {
            // row 0 is the positive, the others are negatives
            double[] logits = [.. m.Select(row => Dot(a[n], row) / temperature)];
            double all = LogSum(logits);
            expected +=
                (all - logits[0] - Enumerable.Range(1, 6).Sum(o => LogSum([.. logits.Where((_, i) => i != o)]) - all)) / 3;
        }
        Tensor own = memory[..1].repeat(3, 1), none = zeros([3, 6], ScalarType.Bool);
        Tensor Loss(Tensor x) => Pirl.LossOf(x, own, memory[1..], none, temperature);
        Assert.Equal(expected, Loss(v).item<double>(), 1e-9 * expected);
        Near.Equal(Loss(v), Pirl.LossOf(v.to(ScalarType.Float32), own.to(ScalarType.Float32),
            memory[1..].to(ScalarType.Float32), none, temperature), 1e-4);

        static double LogSum(double[] values) => values.Max() + Math.Log(values.Sum(x => Math.Exp(x - values.Max())));
    }

    /// <summary>An anchor that is sure of one prototype leaves the others without any probability,
    /// whose part of the entropy is 0.</summary>
    [Fact]
    public void Msn_LowestTemperature_HasTheEntropyOfTheTwoPrototypesTaken()
    {
        using var scope = NewDisposeScope();
        Tensor anchors = tensor(new float[,] { { 1, -1, -1 }, { -1, 1, -1 } }).requires_grad_();
        var (match, entropy) = Msn.LossOf(anchors, anchors.detach(), temperature: 0.001, sharpening: 0.01, iterations: 0);
        Assert.Equal(Math.Log(2), entropy.item<float>(), 1e-6);
        Assert.Equal(0, match.item<float>(), 1e-6);
        (match - entropy).backward();
        Assert.True(anchors.grad!.isfinite().all().item<bool>());
    }

    [Fact]
    public void Normalize_RowOfZeros_StaysZeroWithoutGradient()
    {
        using var scope = NewDisposeScope();
        Tensor z = cat([zeros(1, 4), RandomTensors.Normal(1, [2, 4])]).requires_grad_();
        Tensor expected = z.detach().clone().requires_grad_();
        Tensor direction = RandomTensors.Normal(2, [3, 4]);
        (SiameseMethod.Normalize(z) * direction).sum().backward();
        (nn.functional.normalize(expected, dim: 1) * direction).sum().backward();
        Near.Same(nn.functional.normalize(expected, dim: 1), SiameseMethod.Normalize(z));
        Near.Same(expected.grad![1..], z.grad![1..]);
        Assert.Equal(0, z.grad![0].abs().max().item<float>());
    }

    [Fact]
    public void SiamesePairs_TwoClasses_EqualsTheLoopOverPairs()
    {
        using var scope = NewDisposeScope();
        const double margin = 2;
        Tensor z = Random(1, 6, 3);
        long[] labels = [0, 1, 0, 1, 1, 2];
        double[][] rows = Rows(z);
        var (together, apart) = (new List<double>(), new List<double>());
        for (int i = 0; i < 6; i++)
            for (int j = i + 1; j < 6; j++)
            {
                double distance = Math.Sqrt(rows[i].Zip(rows[j], (x, y) => (x - y) * (x - y)).Sum());
                if (labels[i] == labels[j]) together.Add(distance * distance / 2);
                else apart.Add(Math.Pow(Math.Max(0, margin - distance), 2) / 2);
            }
        var loss = SiamesePairs.LossOf(z, tensor(labels), margin);
        Assert.Equal(together.Average(), loss.Together.item<double>(), 1e-12);
        Assert.Equal(apart.Average(), loss.Apart.item<double>(), 1e-12);
        AssertGradient(z, x => SiamesePairs.LossOf(x, tensor(labels), margin) is var (t, a) ? t + a : x);
    }

    [Fact]
    public void SiamesePairs_EqualPoints_HaveAFiniteGradient()
    {
        using var scope = NewDisposeScope();
        var z = ones(4, 3, dtype: ScalarType.Float64).requires_grad_();
        var (together, apart) = SiamesePairs.LossOf(z, tensor(new long[] { 0, 0, 1, 1 }), 1);
        (together + apart).backward();
        Assert.True(z.grad!.isfinite().all().item<bool>());
    }

    [Fact]
    public void SiamesePairs_OneClassOnly_HasNothingToPushApart()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(0, SiamesePairs.LossOf(Random(1, 4, 3), zeros(4, ScalarType.Int64), 1).Apart.item<double>());
    }
}

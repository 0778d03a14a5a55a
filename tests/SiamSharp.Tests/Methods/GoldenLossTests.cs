using SiamSharp.Methods;
using SiamSharp.Tests.Reference;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Methods;

/// <summary>Losses and gradients against the field's reference implementations, in double precision.</summary>
public sealed class GoldenLossTests
{
    private const double Precision = 1e-9;

    /// <summary>Asserts the loss of a golden file and the gradient with respect to every input that
    /// the file has one for.</summary>
    private static void AssertGolden(string file, Func<GoldenFile, Func<string, Tensor>, Tensor> lossOf)
    {
        using var scope = NewDisposeScope();
        var golden = new GoldenFile(file);
        var inputs =
            golden["inputs"].EnumerateObject().ToDictionary(p => p.Name, p => golden.Tensor("inputs", p.Name).requires_grad_());
        Tensor loss = lossOf(golden, name => inputs[name]);
        loss.backward();
        Assert.Equal(golden.Number("loss"), loss.item<double>(), Precision * Math.Abs(golden.Number("loss")));
        string[] graded = [.. golden["grads"].EnumerateObject().Select(p => p.Name)];
        foreach (var (name, input) in inputs)
        {
            Tensor? gradient = input.grad is { } g ? g : null;
            if (graded.Contains(name)) AssertGradient(golden.Tensor("grads", name), gradient);
            else Assert.True(gradient is null || gradient.abs().max().item<double>() == 0, $"{name} has a gradient");
        }
    }

    private static void AssertGradient(Tensor expected, Tensor? actual)
    {
        if (expected.abs().max().item<double>() == 0) Assert.True(actual is null || actual.abs().max().item<double>() == 0);
        else Near.Equal(expected, actual!, Precision);
    }

    [Fact]
    public void MoCo_QueueOfTwelve_EqualsGolden() =>
        AssertGolden("moco_infonce_t0.2.json", (golden, input) => InfoNce.LossWithQueue(
            SiameseMethod.Normalize(input("z0")), SiameseMethod.Normalize(input("z1")),
            SiameseMethod.Normalize(input("queue")).detach(), golden.Number("params", "temperature")));

    [Fact]
    public void Byol_BothDirections_EqualsGolden() => AssertGolden("byol_regression.json", (_, input) =>
        Byol.LossOf(cat([input("p0"), input("p1")]), cat([input("z0"), input("z1")]), samples: 8));

    [Fact]
    public void SimSiam_BothDirections_EqualsGolden() => AssertGolden("simsiam_negcos.json", (_, input) =>
        CosineRegression.Loss(cat([input("p0"), input("p1")]), cat([input("z0"), input("z1")]), samples: 8));

    [Fact]
    public void BarlowTwins_TwoViews_EqualsGolden() => AssertGolden("barlow_twins.json", (golden, input) =>
    {
        var (invariance, redundancy) = BarlowTwins.LossOf([input("z0"), input("z1")]);
        return invariance + golden.Number("params", "lambd") * redundancy;
    });

    [Fact]
    public void VicReg_TwoViews_EqualsGolden() => AssertGolden("vicreg.json", (golden, input) =>
    {
        var (invariance, variance, covariance) = VicReg.LossOf([input("z0"), input("z1")]);
        return golden.Number("params", "sim") * invariance + golden.Number("params", "std") * variance
            + golden.Number("params", "cov") * covariance;
    });

    [Fact]
    public void Swav_TwoTargetsThreeSmallViews_EqualsGolden() => AssertGolden("swav.json", (golden, input) =>
    {
        Tensor[] scores = [input("high0"), input("high1"), input("low0"), input("low1"), input("low2")];
        Tensor[] assignments = [.. scores[..2].Select(s =>
            Sinkhorn.Assign(s, golden.Number("params", "epsilon"), (int)golden.Number("params", "iterations")))];
        return CrossViewEntropy.Of(scores, assignments, golden.Number("params", "temperature"));
    });

    [Fact]
    public void Sinkhorn_ThreeIterations_EqualsGolden()
    {
        using var scope = NewDisposeScope();
        var golden = new GoldenFile("sinkhorn.json");
        Near.Equal(golden.Tensor("output"), Sinkhorn.Assign(golden.Tensor("inputs", "scores"), golden.Number("params", "epsilon"),
            (int)golden.Number("params", "iterations")), Precision);
    }

    [Fact]
    public void Dino_FirstStep_EqualsGolden() => AssertGolden("dino_first_step.json", (golden, input) => Dino.LossOf(
        [input("s0"), input("s1"), input("s2"), input("s3")], [input("t0"), input("t1")], zeros(10, ScalarType.Float64),
        golden.Number("params", "student_temp"), golden.Number("params", "teacher_temp")));

    [Fact]
    public void Dino_CenterAfterOneCall_EqualsGolden()
    {
        using var scope = NewDisposeScope();
        var golden = new GoldenFile("dino_center.json");
        var center = zeros(10, ScalarType.Float64);
        Dino.MoveCenter(center, cat([golden.Tensor("inputs", "t0"), golden.Tensor("inputs", "t1")]),
            golden.Number("params", "center_momentum"));
        Near.Equal(golden.Tensor("output"), center, Precision);
    }

    /// <summary>The reference adds the constant weight * log P and sharpens with 0.25.</summary>
    [Theory]
    [InlineData("msn_sinkhorn0.json")]
    [InlineData("msn_sinkhorn3.json")]
    public void Msn_TwoAnchors_EqualsGolden(string file) => AssertGolden(file, (golden, input) =>
    {
        Tensor prototypes = SiameseMethod.Normalize(input("prototypes"));
        Tensor anchors = SiameseMethod.Normalize(input("anchors")).mm(prototypes.t());
        Tensor targets = SiameseMethod.Normalize(input("targets")).mm(prototypes.detach().t());
        var (match, entropy) = Msn.LossOf(anchors, targets, golden.Number("params", "temperature"), 0.25,
            (int)golden.Number("params", "sinkhorn_iterations"));
        return match + golden.Number("params", "regularization_weight") * (Math.Log(6) - entropy);
    });
}

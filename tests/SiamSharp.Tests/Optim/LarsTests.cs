using SiamSharp.Optim;
using SiamSharp.Tests.Reference;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Optim;

public sealed class LarsTests
{
    [Fact]
    public void Step_TwoSteps_EqualsTheGoldenWeights()
    {
        using var scope = NewDisposeScope();
        var golden = new GoldenFile("lars_two_steps.json");
        double P(string name) => golden.Number("params", name);
        var weight = golden.Tensor("inputs", "weight").requires_grad_();
        var bias = golden.Tensor("inputs", "bias").requires_grad_();
        var options = new LarsOptions { WeightDecay = P("weight_decay"), Momentum = P("momentum"), Trust = P("eta") };
        using var optimizer = options.Create([("weight", weight), ("bias", bias)]);
        foreach (string step in new[] { "1", "2" })
        {
            weight.grad = golden.Tensor("inputs", "grad" + step);
            bias.grad = golden.Tensor("inputs", "bias_grad" + step);
            optimizer.Step(P("lr"));
            Near.Equal(golden.Tensor("output", "weight" + step), weight, 1e-9);
            Near.Equal(golden.Tensor("output", "bias" + step), bias, 1e-9);
        }
    }

    [Fact]
    public void Step_ZeroWeightsOrGradients_AreNotScaled()
    {
        using var scope = NewDisposeScope();
        var (zero, still) = (zeros(2, 2).requires_grad_(), ones(2, 2).requires_grad_());
        using var optimizer = new LarsOptions { WeightDecay = 0, Momentum = 0 }.Create([("zero", zero), ("still", still)]);
        zero.grad = ones(2, 2);
        still.grad = zeros(2, 2);
        optimizer.Step(0.5);
        Near.Same(full([2, 2], -0.5f), zero);
        Near.Same(ones(2, 2), still);
    }

    [Fact]
    public void Step_GradientScaled_GivesTheSameFirstStep()
    {
        using var scope = NewDisposeScope();
        Tensor Stepped(double scale)
        {
            var weight = RandomTensors.Normal(1, [4, 4], ScalarType.Float64).requires_grad_();
            using var optimizer = new LarsOptions { WeightDecay = 0 }.Create([("weight", weight)]);
            weight.grad = RandomTensors.Normal(2, [4, 4], ScalarType.Float64) * scale;
            optimizer.Step(1);
            return weight;
        }
        Near.Equal(Stepped(1), Stepped(1000), 1e-12);
    }
}

using SiamSharp.Optim;
using SiamSharp.Tests.Reference;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Optim;

public sealed class GradientClippingTests
{
    private static Tensor[] Parameters()
    {
        var (a, b, none) = (zeros(2).requires_grad_(), zeros(2, 1).requires_grad_(), zeros(3).requires_grad_());
        a.grad = tensor(new[] { 1f, 2f });
        b.grad = tensor(new[] { 2f, 4f }).reshape(2, 1);
        return [a, none, b];
    }

    [Fact]
    public void Clip_NormAboveTheLimit_ShortensAllByOneFactor()
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters();
        Assert.Equal(5, GradientClipping.Clip(parameters, maxNorm: 0.5), 1e-6);
        Near.Equal(tensor(new[] { 0.1f, 0.2f }), parameters[0].grad!, 1e-6);
        Near.Equal(tensor(new[] { 0.2f, 0.4f }).reshape(2, 1), parameters[2].grad!, 1e-6);
        Assert.Null(parameters[1].grad);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(0)]
    public void Clip_NormBelowTheLimitOrNoLimit_OnlyMeasures(double limit)
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters();
        Assert.Equal(5, GradientClipping.Clip(parameters, limit), 1e-6);
        Near.Same(tensor(new[] { 1f, 2f }), parameters[0].grad!);
    }

    [Fact]
    public void Clip_NotANumber_IsReported()
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters();
        parameters[0].grad!.fill_(float.NaN);
        Assert.True(double.IsNaN(GradientClipping.Clip(parameters, 1)));
    }

    [Fact]
    public void Clip_NoGradients_IsZero() => Assert.Equal(0, GradientClipping.Clip([], 1));
}

using SiamSharp.Methods;
using SiamSharp.Tests.Reference;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Methods;

public sealed class TargetNetworkTests
{
    private static nn.Module<Tensor, Tensor> Head(ulong seed) => Mlp.Create("Head", seed, HeadEnd.Normalized, 4, 6, 3);

    [Fact]
    public void Follow_SomeDecay_IsTheMovingAverage()
    {
        using var scope = NewDisposeScope();
        using var backbone = Head(1);
        using var projector = Mlp.Create("Projector", 2, HeadEnd.Bias, 3, 3);
        using var target = new TargetNetwork(Head(5), Mlp.Create("Projector", 6, HeadEnd.Bias, 3, 3), backbone, projector);
        foreach (var (name, value) in backbone.state_dict()) Near.Same(value, target.state_dict()[$"backbone.{name}"]);

        var before = target.state_dict().ToDictionary(p => p.Key, p => p.Value.clone());
        using (no_grad())
            foreach (var parameter in backbone.parameters()) parameter.mul_(3).add_(1);
        target.Follow(0.75);
        foreach (var (name, parameter) in backbone.named_parameters())
            Near.Equal(before[$"backbone.{name}"] * 0.75 + parameter * 0.25, target.state_dict()[$"backbone.{name}"], 1e-6);
        Assert.All(target.parameters(), p => Assert.False(p.requires_grad));
    }

    [Fact]
    public void Embed_OfViews_HasNoGradient()
    {
        using var scope = NewDisposeScope();
        using var backbone = Head(1);
        using var projector = Mlp.Create("Projector", 2, HeadEnd.Bias, 3, 3);
        using var target = new TargetNetwork(Head(1), Mlp.Create("Projector", 2, HeadEnd.Bias, 3, 3), backbone, projector);
        Tensor embeddings = target.Embed([RandomTensors.Normal(1, [5, 4]), RandomTensors.Normal(2, [5, 4])]);
        Assert.Equal([10, 3], embeddings.shape);
        Assert.False(embeddings.requires_grad);
    }

    [Theory]
    [InlineData(0, 0.996)]
    [InlineData(0.5, 0.998)]
    [InlineData(1, 1)]
    public void DecayAt_Progress_RisesByHalfACosine(double progress, double expected) =>
        Assert.Equal(expected, TargetNetwork.DecayAt(0.996, progress), 1e-12);
}

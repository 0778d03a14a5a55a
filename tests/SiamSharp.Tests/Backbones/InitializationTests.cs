using SiamSharp.Backbones;
using SiamSharp.Tests.Reference;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Backbones;

public sealed class InitializationTests
{
    [Fact]
    public void Draw_Convolution_HasHeVariance()
    {
        using var scope = NewDisposeScope();
        using var layer = nn.Conv2d(64, 128, kernel_size: 3, bias: false);
        Initialization.Draw(layer, seed: 1);
        double deviation = Math.Sqrt(2.0 / (128 * 9));
        Assert.Equal(0, layer.weight.mean().item<float>(), 0.02 * deviation); // 5 standard errors
        Assert.Equal(deviation, layer.weight.std().item<float>(), 0.02 * deviation);
    }

    [Fact]
    public void Draw_GroupedConvolution_HasTheVarianceOfAllGroupsTogether()
    {
        using var scope = NewDisposeScope();
        using var layer = nn.Conv2d(128, 128, kernel_size: 3, groups: 4, bias: false);
        Initialization.Draw(layer, seed: 1);
        double deviation = Math.Sqrt(2.0 / (128 * 9));
        Assert.Equal(deviation, layer.weight.std().item<float>(), 0.02 * deviation);
    }

    [Theory]
    [InlineData("resnet18", "layer2.0.bn2.weight")]
    [InlineData("resnet50", "layer2.0.bn3.weight")]
    [InlineData("regnet_y_400mf", "trunk_output.block2.block2-0.f.c.1.weight")]
    public void Create_ZeroInitResidual_LeavesTheBlocksTheirInput(string name, string key)
    {
        using var scope = NewDisposeScope();
        BackboneOptions options = new() { Name = name, Width = 8, Depths = [1, 1] };
        using var usual = options.Create(1, 16, seed: 1);
        using var zero = (options with { ZeroInitResidual = true }).Create(1, 16, seed: 1);
        Assert.Equal(0, zero.get_parameter(key)!.abs().max().item<float>());
        Assert.Equal(1, usual.get_parameter(key)!.min().item<float>());
        foreach (var (other, value) in zero.state_dict().Where(t => t.Value.abs().max().ToDouble() > 0))
            Near.Same(usual.state_dict()[other], value);
        Assert.Contains("end in no batch normalisation",
            (options with { Name = "vit_ti", Width = 12, Depths = [1], ZeroInitResidual = true }).Faults().Single().Problem);
    }

    [Fact]
    public void Draw_Linear_IsUniformWithinTheRootOfItsFanIn()
    {
        using var scope = NewDisposeScope();
        using var layer = nn.Linear(100, 300);
        Initialization.Draw(layer, seed: 1);
        Assert.InRange(layer.weight.max().item<float>(), 0.0995, 0.1);
        Assert.InRange(layer.weight.min().item<float>(), -0.1, -0.0995);
        Assert.Equal(0.1 / Math.Sqrt(3), layer.weight.std().item<float>(), 0.001);
        Assert.InRange(layer.bias!.abs().max().item<float>(), 0.09, 0.1);
    }

    [Fact]
    public void Draw_BatchNormalization_IsOneAndZero()
    {
        using var scope = NewDisposeScope();
        using var layer = nn.BatchNorm2d(8);
        layer.weight.with_requires_grad(false).fill_(3);
        layer.bias!.with_requires_grad(false).fill_(3);
        Initialization.Draw(layer, seed: 1);
        Assert.Equal(8, layer.weight.sum().item<float>());
        Assert.Equal(0, layer.bias.abs().sum().item<float>());
    }

    [Fact]
    public void Draw_SameNameInAnotherNetwork_GivesTheSameWeights()
    {
        using var scope = NewDisposeScope();
        using var shallow = new BackboneOptions { Width = 8, Depths = [1] }.Create(1, 28, seed: 7);
        using var deep = new BackboneOptions { Width = 8, Depths = [2, 2] }.Create(1, 28, seed: 7);
        using var other = new BackboneOptions { Width = 8, Depths = [1] }.Create(1, 28, seed: 8);
        var (few, many, different) = (shallow.state_dict(), deep.state_dict(), other.state_dict());
        Assert.All(few, t => Near.Same(t.Value, many[t.Key]));
        Assert.False(few["conv1.weight"].equal(different["conv1.weight"]).all().item<bool>());
        Assert.False(few["layer1.0.conv1.weight"].equal(few["layer1.0.conv2.weight"]).all().item<bool>());
    }

    [Fact]
    public void Draw_Prefix_GivesOtherWeights()
    {
        using var scope = NewDisposeScope();
        using var layer = nn.Linear(4, 4);
        Initialization.Draw(layer, seed: 1);
        var before = layer.weight.detach().clone();
        Initialization.Draw(layer, seed: 1, prefix: "projector");
        Assert.False(before.equal(layer.weight).any().item<bool>());
    }
}

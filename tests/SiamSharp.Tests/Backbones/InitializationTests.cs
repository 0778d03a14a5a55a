using SiamSharp.Backbones;
using SiamSharp.Tests.Reference;
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

using SiamSharp.Backbones;
using SiamSharp.Files;
using SiamSharp.Tests.Reference;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Backbones;

public sealed class ResNetTests
{
    [Theory]
    [InlineData("resnet18", 11_176_512, 512)]
    [InlineData("resnet34", 21_284_672, 512)]
    [InlineData("resnet50", 23_508_032, 2048)]
    [InlineData("resnet101", 42_500_160, 2048)]
    [InlineData("resnet152", 58_143_808, 2048)]
    public void Create_PublishedNames_HaveTorchvisionsSize(string name, long parameters, int width)
    {
        using var backbone = new BackboneOptions { Name = name, Stem = Stem.ImageNet }.Create(channels: 3, size: 224, seed: 1);
        Assert.Equal(parameters, backbone.parameters().Sum(p => p.numel()));
        Assert.Equal(width, backbone.OutputWidth);
    }

    [Theory]
    [InlineData("resnet18", 1, 28, new[] { 1, 1, 1, 1 }, 128)]
    [InlineData("resnet18", 5, 33, new[] { 2, 1 }, 32)]
    [InlineData("resnet50", 13, 96, new[] { 1, 1, 1 }, 256)]
    public void Forward_FreeChannelsAndDepths_GivesOneRepresentationEach(
        string name, int channels, int size, int[] depths, int width)
    {
        using var scope = NewDisposeScope();
        using var backbone = new BackboneOptions { Name = name, Width = 16, Depths = depths }.Create(channels, size, seed: 1);
        var y = backbone.forward(RandomTensors.Normal(1, [3, channels, size, size]));
        Assert.Equal([3, width], y.shape);
        Assert.Equal(width, backbone.OutputWidth);
        Assert.True(y.isfinite().all().item<bool>());
    }

    [Fact]
    public void Forward_ImageChangedElsewhereInTheBatch_LeavesTheOthersInEvaluation()
    {
        using var scope = NewDisposeScope();
        using var backbone = new BackboneOptions { Width = 8, Depths = [1, 1] }.Create(1, 28, seed: 1);
        backbone.eval();
        var x = RandomTensors.Normal(1, [4, 1, 28, 28]);
        Near.Equal(backbone.forward(x)[2], backbone.forward(x[2..3])[0], 1e-6);
    }

    [Fact]
    public void Backward_ConvolutionWeight_AgreesWithFiniteDifferences()
    {
        using var scope = NewDisposeScope();
        using var backbone = new BackboneOptions { Name = "resnet50", Width = 4, Depths = [1, 1] }.Create(2, 8, seed: 3);
        backbone.to(ScalarType.Float64);
        var x = RandomTensors.Normal(1, [4, 2, 8, 8], ScalarType.Float64);
        var direction = RandomTensors.Normal(2, [4, backbone.OutputWidth], ScalarType.Float64);
        Tensor Value() => (backbone.forward(x) * direction).sum();

        Value().backward();
        var weight = backbone.get_parameter("layer1.0.conv2.weight")!;
        double gradient = weight.grad![1, 2, 0, 1].item<double>();
        using var _ = no_grad();
        const double step = 1e-6;
        weight[1, 2, 0, 1].add_(step);
        double above = Value().item<double>();
        weight[1, 2, 0, 1].sub_(2 * step);
        double below = Value().item<double>();
        Assert.Equal((above - below) / (2 * step), gradient, 1e-6);
    }

    [Fact]
    public void ForwardBackward_Repeated_KeepsTheLiveTensorCount()
    {
        using var backbone = new BackboneOptions { Width = 8, Depths = [1, 1] }.Create(1, 28, seed: 1);
        using var x = RandomTensors.Normal(1, [4, 1, 28, 28]);
        long Live()
        {
            using (var scope = NewDisposeScope()) backbone.forward(x).sum().backward();
            return DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        }
        Live();
        long second = Live();
        Assert.Equal(second, Live());
    }

    [Fact]
    public void Create_WeightsFile_RestoresTheBackboneAndPassesOverItsHead()
    {
        using var scope = NewDisposeScope();
        string path = Path.Combine(Directory.CreateTempSubdirectory("weights").FullName, "encoder.safetensors");
        var options = new BackboneOptions { Width = 4, Depths = [1] };
        using var first = options.Create(1, 28, seed: 1);
        var tensors = first.state_dict();
        tensors["fc.weight"] = zeros(10, 4);
        SafeTensors.Write(path, tensors);

        using var second = (options with { Weights = path }).Create(1, 28, seed: 2);
        Assert.All(second.state_dict(), t => Near.Same(tensors[t.Key], t.Value));
        var mismatch =
            Assert.Throws<StateDictMismatchException>(() => (options with { Weights = path, Width = 5 }).Create(1, 28, seed: 2));
        Assert.Contains(mismatch.Misshaped,
            line => line.StartsWith("conv1.weight [4, 1, 3, 3], not [5, 1, 3, 3]", StringComparison.Ordinal));
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public void Create_BrokenRules_NamesAllOfThem()
    {
        var options = new BackboneOptions { Name = "resnet19", Depths = [1, 0] };
        string message = Assert.Throws<SiamSharp.Options.OptionsException>(() => options.Create(1, 28, seed: 1)).Message;
        Assert.All(new[] { "resnet19", "depths.1" }, part => Assert.Contains(part, message, StringComparison.Ordinal));
    }
}

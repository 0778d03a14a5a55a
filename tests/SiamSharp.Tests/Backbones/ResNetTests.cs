using System.Text;
using SiamSharp.Backbones;
using SiamSharp.Interop;
using SiamSharp.Tests.Reference;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Backbones;

public sealed class ResNetTests
{
    [Fact]
    public void Forward_TorchvisionWeights_GivesTorchvisionsLogits()
    {
        using var scope = NewDisposeScope();
        var golden = new GoldenFile("backbone_resnet18.json");
        using var backbone = new ResNet(new() { Stem = Stem.ImageNet }, channels: 3, size: 224);
        using var fc = nn.Linear(backbone.OutputWidth, 1000);
        using var model = nn.Sequential(("backbone", backbone), ("fc", fc));

        var expected = golden["state_dict"].EnumerateObject().ToDictionary(e => e.Name, e => GoldenFile.Shape(e.Value).ToArray());
        var actual = model.state_dict().ToDictionary(e => e.Key.Replace("backbone.", "", StringComparison.Ordinal), e => e.Value);
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        Assert.All(expected, e => Assert.Equal(e.Value, actual[e.Key].shape));

        using var _ = no_grad();
        foreach (var (key, target) in actual) FillByFormula(key, target);
        model.eval();
        var input = zeros(2, 3, 64, 64);
        FillByFormula("input", input);
        var logits = model.forward(input);
        double norm = golden.Number("logits_norm");
        Assert.Equal(norm, logits.norm().item<float>(), 1e-4 * norm);
        Assert.Equal(golden.Number("logits_mean"), logits.mean().item<float>(), 1e-5);
        float[] first = [.. golden["logits_first16"].EnumerateArray().Select(v => v.GetSingle())];
        Assert.All(first.Zip(logits.flatten()[..16].data<float>()), pair => Assert.Equal(pair.First, pair.Second, 1e-4f));
    }

    // The formula is in the golden file.
    private static void FillByFormula(string key, Tensor target)
    {
        if (key.EndsWith("num_batches_tracked", StringComparison.Ordinal)) return;
        long phase = Encoding.ASCII.GetBytes(key).Sum(b => b) % 97;
        double scale = target.dim() >= 2 ? Math.Sqrt(3.0 / (target.numel() / target.shape[0])) : 0;
        var values = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(target.bytes);
        for (int i = 0; i < values.Length; i++)
        {
            double u = ((i * 7919L + phase * 104729L) % 10007) / 10007.0 * 2 - 1;
            values[i] = (float)(key switch
            {
                "input" => u,
                _ when key.EndsWith("running_var", StringComparison.Ordinal) => 1 + 0.5 * u,
                _ when key.EndsWith("running_mean", StringComparison.Ordinal) => 0.1 * u,
                _ when target.dim() >= 2 => u * scale,
                _ when key.EndsWith("weight", StringComparison.Ordinal) => 1 + 0.1 * u,
                _ => 0.05 * u,
            });
        }
    }

    [Theory]
    [InlineData("resnet18", 11_176_512, 512)]
    [InlineData("resnet34", 21_284_672, 512)]
    [InlineData("resnet50", 23_508_032, 2048)]
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
    public void Forward_FreeChannelsAndDepths_GivesOneRepresentationEach(string name, int channels, int size, int[] depths, int width)
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

    [Theory]
    [InlineData("resnet18", 8)]
    [InlineData("resnet18", 20)]
    [InlineData("resnet18", 24)]
    [InlineData("resnet50", 10)]
    [InlineData("resnet50", 16)]
    [InlineData("resnet50", 64)]
    public void Backward_AnyWidth_AgreesWithDoublePrecision(string name, int width)
    {
        using var scope = NewDisposeScope();
        var options = new BackboneOptions { Name = name, Width = width, Depths = [1, 1] };
        using var single = options.Create(1, 16, seed: 3);
        using var exact = options.Create(1, 16, seed: 3);
        exact.to(ScalarType.Float64);
        var x = RandomTensors.Normal(1, [8, 1, 16, 16]);
        // What was freed before is found again by code that reads what it never wrote.
        foreach (int size in new[] { 64, 1024, 16_384, 65_536, 262_144 }) full([size], float.NaN).Dispose();

        var (y, expected) = (single.forward(x), exact.forward(x.to(ScalarType.Float64)));
        Near.Equal(expected, y, 1e-5);
        var direction = RandomTensors.Normal(2, y.shape);
        (y * direction).sum().backward();
        (expected * direction.to(ScalarType.Float64)).sum().backward();
        // A ReLU whose input is 0 to single precision may fall on either side.
        Assert.All(single.named_parameters(), p => Near.Equal(exact.get_parameter(p.name)!.grad!, p.parameter.grad!, 5e-3));
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
        var mismatch = Assert.Throws<StateDictMismatchException>(() => (options with { Weights = path, Width = 5 }).Create(1, 28, seed: 2));
        Assert.Contains(mismatch.Misshaped, line => line.StartsWith("conv1.weight [4, 1, 3, 3], not [5, 1, 3, 3]", StringComparison.Ordinal));
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public void Create_BrokenRules_NamesAllOfThem()
    {
        var options = new BackboneOptions { Name = "resnet19", Depths = [1, 0] };
        string message = Assert.Throws<ArgumentException>(() => options.Create(1, 28, seed: 1)).Message;
        Assert.All(new[] { "resnet19", "depths.1" }, part => Assert.Contains(part, message, StringComparison.Ordinal));
    }
}

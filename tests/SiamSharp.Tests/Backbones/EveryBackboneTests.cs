using SiamSharp.Backbones;
using SiamSharp.Files;
using SiamSharp.Tests.Reference;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Backbones;

/// <summary>What holds for every family of backbones.</summary>
public sealed class EveryBackboneTests
{
    private static BackboneOptions Small(string name, int width) =>
        new() { Name = name, Width = width, Depths = name.StartsWith("vit", StringComparison.Ordinal) ? [2] : [1, 1] };

    [Theory]
    [InlineData("resnet18", 8)]
    [InlineData("resnet18", 20)]
    [InlineData("resnet18", 24)]
    [InlineData("resnet50", 10)]
    [InlineData("resnet50", 16)]
    [InlineData("resnet50", 64)]
    [InlineData("wide_resnet50_2", 12)]
    [InlineData("resnext50_32x4d", 16)]
    [InlineData("resnext50_32x4d", 64)]
    [InlineData("regnet_y_400mf", 0)]
    [InlineData("regnet_y_400mf", 16)]
    [InlineData("regnet_y_1_6gf", 24)]
    [InlineData("convnext_tiny", 16)]
    [InlineData("convnext_tiny", 20)]
    [InlineData("convnext_tiny", 96)]
    [InlineData("vit_ti", 24)]
    [InlineData("vit_ti", 96)]
    public void Backward_AnyWidth_AgreesWithDoublePrecision(string name, int width)
    {
        using var scope = NewDisposeScope();
        BackboneOptions options = Small(name, width);
        using var single = options.Create(1, 16, seed: 3);
        using var exact = options.Create(1, 16, seed: 3);
        exact.to(ScalarType.Float64);
        var x = RandomTensors.Normal(1, [8, 1, 16, 16]);
        // What was freed before is found again by code that reads what it never wrote.
        foreach (int size in new[] { 64, 1024, 16_384, 65_536, 262_144 }) full([size], float.NaN).Dispose();

        var (y, expected) = (single.forward(x), exact.forward(x.to(ScalarType.Float64)));
        Near.Equal(expected, y, 2e-5);
        var direction = RandomTensors.Normal(2, y.shape);
        (y * direction).sum().backward();
        (expected * direction.to(ScalarType.Float64)).sum().backward();
        // A ReLU whose input is 0 to single precision may fall on either side.
        Assert.All(single.named_parameters(), p => Near.Equal(exact.get_parameter(p.name)!.grad!, p.parameter.grad!, 5e-3));
    }

    public static TheoryData<string> Names => [.. BackboneOptions.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Create_EveryName_RepresentsImagesOfManyChannelsAndRestores(string name)
    {
        using var scope = NewDisposeScope();
        BackboneOptions options = Small(name, name.StartsWith("vit", StringComparison.Ordinal) ? 48 : 16);
        using var first = options.Create(5, 28, seed: 1);
        using var second = options.Create(5, 28, seed: 2);
        var x = RandomTensors.Normal(1, [3, 5, 28, 28]);
        StateDict.Load(second, first.state_dict());
        first.eval();
        second.eval();
        var y = first.forward(x);
        Assert.Equal([3, first.OutputWidth], y.shape);
        Assert.True(y.isfinite().all().item<bool>());
        Near.Same(y, second.forward(x));
        Assert.Equal(first.OutputWidth, Encoder.WidthOf(() => options.Create(5, 28, seed: 1), 5, 28));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ParameterCount_EveryNameAndStem_IsThatOfTheNetwork(string name)
    {
        bool transformer = name.StartsWith("vit", StringComparison.Ordinal);
        int width = transformer ? 96 : 32;
        foreach (Stem stem in transformer ? [Stem.Auto] : new[] { Stem.Small, Stem.Half, Stem.ImageNet })
            foreach (BackboneOptions options in new[] { new BackboneOptions { Name = name, Width = width }, Small(name, width),
                Small(name, width) with { PoolSize = transformer ? 1 : 2 } })
            {
                using var backbone = (options with { Stem = stem }).Create(3, 32, seed: 1);
                Assert.Equal(backbone.parameters().Sum(p => p.numel()), (options with { Stem = stem }).ParameterCount(3, 32));
            }
    }

    [Theory]
    [InlineData("resnet18", 16, "resnet18, width 16, 1-1-1-1 blocks, 0.3 million parameters")]
    [InlineData("resnet18", 8, "resnet18, width 8, 1-1-1-1 blocks, 77,352 parameters")]
    [InlineData("resnet50", 64, "resnet50, 1-1-1-1 blocks, 8.0 million parameters")]
    public void Describe_SmallNetworks_SaysWhatTheyAre(string name, int width, string expected) =>
        Assert.Equal(expected, new BackboneOptions { Name = name, Width = width, Depths = [1, 1, 1, 1] }.Describe(3, 32));

    [Fact]
    public void Describe_AsPublished_IsNameAndParameters()
    {
        Assert.Equal("resnet50, 23.5 million parameters", new BackboneOptions { Name = "resnet50" }.Describe(3, 224));
        Assert.Equal("resnet18, 11.2 million parameters",
            new BackboneOptions { Width = 64, Depths = [2, 2, 2, 2] }.Describe(3, 224));
        Assert.Equal("backbone.name: \"resnet19\"", Assert.Throws<SiamSharp.Options.OptionsException>(() =>
            new BackboneOptions { Name = "resnet19" }.Describe(3, 224)).Message[..25]);
    }

    [Fact]
    public void Faults_OptionsOfOtherFamilies_AreNamed()
    {
        Assert.Equal(["patchSize", "pooling"],
            new BackboneOptions { PatchSize = 4, Pooling = Pooling.Average }.Faults().Select(f => f.Path));
        Assert.Equal(["depths", "stem"],
            new BackboneOptions { Name = "vit_ti", Depths = [1, 1], Stem = Stem.Half }.Faults().Select(f => f.Path));
        Assert.Equal(["depths"],
            new BackboneOptions { Name = "regnet_y_400mf", Depths = [1, 1, 1, 1, 1] }.Faults().Select(f => f.Path));
    }
}

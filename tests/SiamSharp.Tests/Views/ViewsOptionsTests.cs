using System.Text.Json;
using SiamSharp.Masking;
using SiamSharp.Methods;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Views;
using Xunit;

namespace SiamSharp.Tests.Views;

public sealed class ViewsOptionsTests
{

    [Fact]
    public void FromPreset_UnknownName_ThrowsWithAllNames()
    {
        var error = Assert.Throws<ArgumentException>(() => ViewPresets.Make("mcsn", 28));
        Assert.All(ViewPresets.Names, name => Assert.Contains(name, error.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(2, 2.0, 3, 1)]
    [InlineData(7, 2.0, 13, 4)]
    [InlineData(28, 2.0, 13, 14)]
    [InlineData(32, 2.0, 13, 16)]
    [InlineData(64, 4.0, 13, 32)]
    [InlineData(96, 5.0, 13, 32)]
    [InlineData(224, 5.0, 13, 32)]
    [InlineData(448, 5.0, 13, 64)]
    public void FromPreset_Mscn_ScalesWithTheSize(int size, double sigma, int kernel, int cell)
    {
        ViewsOptions options = ViewPresets.Make("mscn", size);
        Assert.Equal(new HighPassOptions { Sigma = sigma, Kernel = kernel }, options.HighPass);
        Assert.Equal(new GridMask { Cell = cell }, Assert.Single(Assert.Single(options.Branches).Masks));
    }

    [Fact]
    public void FromPreset_EveryName_HasNoFaults()
    {
        foreach (string name in ViewPresets.Names)
            foreach (int channels in new[] { 1, 3, 5 })
            {
                ViewsOptions options = ViewPresets.Make(name, 28, channels);
                Assert.Empty(options.Faults());
                Assert.Empty(options.FaultsFor(28, channels));
                Assert.Equal(2, options.ViewCount);
            }
    }

    [Theory]
    [InlineData("simclr", 224, 0.08, 0.8, 0.2, 0.5, 2.0)]
    [InlineData("simclr", 96, 0.08, 0.8, 0.2, 0.5, 2.0 * 96 / 224)]
    [InlineData("simclr", 64, 0.08, 0.4, 0.1, 0.0, 2.0 * 64 / 224)]
    [InlineData("simclr", 32, 0.08, 0.4, 0.1, 0.0, 2.0 * 32 / 224)]
    [InlineData("moco-v2", 224, 0.2, 0.4, 0.1, 0.5, 2.0)]
    [InlineData("moco-v2", 32, 0.08, 0.4, 0.1, 0.0, 2.0 * 32 / 224)]
    [InlineData("simsiam", 224, 0.2, 0.4, 0.1, 0.5, 2.0)]
    [InlineData("simsiam", 32, 0.2, 0.4, 0.1, 0.0, 2.0 * 32 / 224)]
    [InlineData("swav", 224, 0.14, 0.8, 0.2, 0.5, 2.0)]
    [InlineData("byol", 112, 0.08, 0.4, 0.1, 1.0, 1.0)]
    [InlineData("dino", 224, 0.4, 0.4, 0.1, 1.0, 2.0)]
    [InlineData("barlow-twins", 224, 0.08, 0.4, 0.1, 1.0, 2.0)]
    [InlineData("vicreg", 224, 0.08, 0.4, 0.1, 1.0, 2.0)]
    public void FromPreset_Paper_HasThePublishedSettings(
        string method, int size, double minArea, double brightness, double hue, double blur, double sigma)
    {
        MethodOptions options = OptionsJson.Read<MethodOptions>(new() { ["name"] = method });
        ViewPolicy first = ViewPresets.Make("paper", size, 3, options).Branches[0];
        double[] expected = [minArea, 0.8, brightness, brightness, hue, 0.2, blur, sigma, sigma / 20];
        double[] actual = [first.Crop.MinArea, first.ColorJitter.Probability, first.ColorJitter.Brightness,
            first.ColorJitter.Contrast, first.ColorJitter.Hue, first.GrayscaleProbability,
            first.Blur.Probability, first.Blur.MaxSigma, first.Blur.MinSigma];
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
        Assert.Equal(brightness * (method is "byol" or "dino" or "barlow-twins" or "vicreg" ? 0.5 : 1),
            first.ColorJitter.Saturation, 1e-9);
    }

    [Fact]
    public void FromPreset_PaperOfPirl_HasTheAuthorsColours()
    {
        ViewPolicy views = Assert.Single(ViewPresets.Make("paper", 224, 3, new PirlOptions()).Branches);
        Assert.Equal(new ColorJitterOptions { Probability = 1, Brightness = 0.4, Contrast = 0.4, Saturation = 0.4, Hue = 0.2 },
            views.ColorJitter);
        Assert.Equal((2, 0.08, 0.2, 0.0, 0.0),
            (views.Count, views.Crop.MinArea, views.GrayscaleProbability, views.Blur.Probability, views.Solarize.Probability));
    }

    [Fact]
    public void FromPreset_PaperOfASmallCrop_HasTheSigmasOfTheLarge()
    {
        IReadOnlyList<ViewPolicy> branches = ViewPresets.Make("paper", 128, 3, new SwavOptions()).Branches;
        Assert.Equal((128, 56), (branches[0].Size, branches[1].Size));
        Assert.Equal(branches[0].Blur, branches[1].Blur);
    }

    [Fact]
    public void Json_EveryShape_RoundTripsWithItsDiscriminator()
    {
        ViewPolicy before = new ViewPolicy
        {
            Masks =
            [
                new GridMask { Probability = 0.25, Cell = 5 },
                new FocalMask { Probability = 0.25, Sharing = MaskSharing.PerChannel },
                new BlockMask { Probability = 0.25 },
                new BlobMask { Probability = 0.25, Fill = new() { Kind = FillKind.OtherImage } },
            ],
        };
        string json = JsonSerializer.Serialize(before, OptionsJson.Serializer);
        Assert.Contains("\"shape\": \"grid\"", json, StringComparison.Ordinal);
        Assert.Contains("\"per-channel\"", json, StringComparison.Ordinal);
        Assert.Contains("\"other-image\"", json, StringComparison.Ordinal);
        Assert.Equal(before.Masks, JsonSerializer.Deserialize<ViewPolicy>(json, OptionsJson.Serializer)!.Masks);
    }

    [Fact]
    public void Faults_BrokenRules_AreAllListed()
    {
        AssertFaults(new ViewsOptions(), "branches");
        AssertFaults(new Recipe { Views = ViewPresets.Make("mscn", 28) with { Preset = "none" } }, "views.preset");
        AssertFaults(new HighPassOptions { Kernel = 4 }, "kernel");
        AssertFaults(new ViewPolicy { Masks = [new GridMask(), new FocalMask { Probability = 0.1 }] }, "masks");
        AssertFaults(new CropOptions { MinArea = 0.9, MaxArea = 0.5, MinAspect = 2, MaxAspect = 1 }, "minArea", "minAspect");
        AssertFaults(new BlurOptions { MinSigma = 3, MaxSigma = 1 }, "minSigma");
        AssertFaults(new GridMask { MinRatio = 0.8 }, "minRatio");
        AssertFaults(new FocalMask { MinKeep = 0.8 }, "minKeep");
        AssertFaults(new BlockMask { MinRatio = 0.8 }, "minRatio");
        AssertFaults(new BlobMask { MinRatio = 0.8 }, "minRatio");
        foreach (Mask all in new Mask[] { new GridMask { MinRatio = 1, MaxRatio = 1 },
            new BlockMask { MinRatio = 1, MaxRatio = 1 }, new BlobMask { MinRatio = 1, MaxRatio = 1 } })
            Assert.Equal("branches.0.masks.0.minRatio",
                Assert.Single(new ViewsOptions { Branches = [new ViewPolicy { Masks = [all] }] }.FaultsFor(28, 1)).Path);

        static void AssertFaults(IHasRules options, params string[] paths) =>
            Assert.Equal(paths, options.Faults().Select(fault => fault.Path));
    }

    [Theory]
    [InlineData(0, 16, 0)]
    [InlineData(14, 0, 0)]
    [InlineData(14, 14, 1)]
    [InlineData(28, 0, 1)]
    public void FaultsFor_GridOfOneCell_IsAFault(int cell, int viewSize, int faults)
    {
        var options =
            new ViewsOptions { Branches = [new ViewPolicy { Size = viewSize, Masks = [new GridMask { Cell = cell }] }] };
        Assert.Equal(Enumerable.Repeat("branches.0.masks.0.cell", faults), options.FaultsFor(28, 1).Select(f => f.Path));
    }
}

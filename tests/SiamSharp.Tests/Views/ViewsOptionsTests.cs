using System.Text.Json;
using SiamSharp.Masking;
using SiamSharp.Recipes;
using SiamSharp.Views;
using Xunit;

namespace SiamSharp.Tests.Views;

public sealed class ViewsOptionsTests
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    [Fact]
    public void FromPreset_UnknownName_ThrowsWithAllNames()
    {
        var error = Assert.Throws<ArgumentException>(() => ViewsOptions.FromPreset("mcsn", 28));
        Assert.All(Presets.Names, name => Assert.Contains(name, error.Message, StringComparison.Ordinal));
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
        ViewsOptions options = ViewsOptions.FromPreset("mscn", size);
        Assert.Equal(new HighPassOptions { Sigma = sigma, Kernel = kernel }, options.HighPass);
        Assert.Equal(new GridMask { Cell = cell }, Assert.Single(Assert.Single(options.Branches).Masks));
    }

    [Fact]
    public void FromPreset_EveryName_HasNoFaults()
    {
        foreach (string name in Presets.Names)
            foreach (int channels in new[] { 1, 3, 5 })
            {
                ViewsOptions options = ViewsOptions.FromPreset(name, 28, channels);
                Assert.Empty(options.Faults());
                Assert.Empty(options.FaultsFor(28, channels));
                Assert.Equal(2, options.ViewCount);
            }
    }

    [Fact]
    public void Json_EveryShape_RoundTripsWithItsDiscriminator()
    {
        var before = new BranchOptions
        {
            Masks =
            [
                new GridMask { Probability = 0.25, Cell = 5 },
                new FocalMask { Probability = 0.25, Sharing = MaskSharing.PerChannel },
                new BlockMask { Probability = 0.25 },
                new BlobMask { Probability = 0.25, Fill = new() { Kind = FillKind.OtherImage } },
            ],
        };
        string json = JsonSerializer.Serialize(before, s_json);
        Assert.Contains("""{"shape":"grid","cell":5,""", json, StringComparison.Ordinal);
        Assert.Contains("\"per-channel\"", json, StringComparison.Ordinal);
        Assert.Contains("\"other-image\"", json, StringComparison.Ordinal);
        Assert.Equal(before.Masks, JsonSerializer.Deserialize<BranchOptions>(json, s_json)!.Masks);
    }

    [Fact]
    public void Faults_BrokenRules_AreAllListed()
    {
        AssertFaults(new ViewsOptions { Preset = "none" }, "preset", "branches");
        AssertFaults(new HighPassOptions { Kernel = 4 }, "kernel");
        AssertFaults(new BranchOptions { Masks = [new GridMask(), new FocalMask { Probability = 0.1 }] }, "masks");
        AssertFaults(new CropOptions { MinArea = 0.9, MaxArea = 0.5, MinAspect = 2, MaxAspect = 1 }, "minArea", "minAspect");
        AssertFaults(new BlurOptions { MinSigma = 3, MaxSigma = 1 }, "minSigma");
        AssertFaults(new GridMask { MinRatio = 0.8 }, "minRatio");
        AssertFaults(new FocalMask { MinKeep = 0.8 }, "minKeep");
        AssertFaults(new BlockMask { MinRatio = 0.8 }, "minRatio");
        AssertFaults(new BlobMask { MinRatio = 0.8 }, "minRatio");

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
        var options = new ViewsOptions { Branches = [new BranchOptions { Size = viewSize, Masks = [new GridMask { Cell = cell }] }] };
        Assert.Equal(Enumerable.Repeat("branches.0.masks.0.cell", faults), options.FaultsFor(28, 1).Select(f => f.Path));
    }
}

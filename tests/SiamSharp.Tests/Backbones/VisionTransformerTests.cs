using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Tests.Reference;
using SiamSharp.Training;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Backbones;

public sealed class VisionTransformerTests
{
    private static readonly BackboneOptions s_small = new() { Name = "vit_ti", Width = 24, Depths = [2], PatchSize = 4 };

    [Theory]
    [InlineData(Pooling.ClassToken)]
    [InlineData(Pooling.Average)]
    public void Forward_DroppedPatches_AreAsIfTheyHadNeverBeenThere(Pooling pooling)
    {
        using var scope = NewDisposeScope();
        using var vit = (s_small with { Pooling = pooling }).Create(1, 16, seed: 1);
        var x = RandomTensors.Normal(1, [2, 1, 16, 16]);
        var dropped = x.clone();
        dropped[0, 0, 0..4, 4..12] = float.NaN;                                // patches 1 and 2 of the first image
        dropped[1, 0, 4, 0] = float.NaN;                                      // one pixel is enough: patch 4 of the second
        dropped[1, 0, 15, 15] = float.NaN;                                    // and patch 15
        var y = vit.forward(dropped);
        Assert.True(y.isfinite().all().item<bool>());

        // What is in a dropped patch has no influence; what is in the others has.
        var elsewhere = dropped.clone();
        elsewhere[1, 0, 5, 1] = 7;
        Near.Same(y, vit.forward(elsewhere));
        elsewhere[1, 0, 0, 0] = 7;
        Assert.False(y.equal(vit.forward(elsewhere)).all().item<bool>());
        Assert.False(y.equal(vit.forward(x)).all().item<bool>());
    }

    [Fact]
    public void Forward_DifferentNumbersDropped_SaysWhatToSet()
    {
        using var scope = NewDisposeScope();
        using var vit = s_small.Create(1, 16, seed: 1);
        var x = zeros(2, 1, 16, 16);
        x[0, 0, 0, 0] = float.NaN;
        Assert.Contains("15 to 16 of 16", Assert.Throws<ArgumentException>(() => vit.forward(x)).Message);
    }

    [Fact]
    public void Forward_OtherSize_InterpolatesThePositions()
    {
        using var scope = NewDisposeScope();
        using var vit = s_small.Create(1, 16, seed: 1);
        Assert.Equal([2, 24], vit.forward(RandomTensors.Normal(1, [2, 1, 24, 8])).shape);
        Assert.Contains("divisors of 18", Assert.Throws<ArgumentException>(() => vit.forward(zeros(2, 1, 18, 18))).Message);
    }

    [Fact]
    public void Create_WeightsOfAnotherSize_InterpolatesTheirPositions()
    {
        using var scope = NewDisposeScope();
        string path = Path.Combine(Directory.CreateTempSubdirectory("vit").FullName, "vit.safetensors");
        using var small = s_small.Create(1, 16, seed: 1);
        SafeTensors.Write(path, small.state_dict(), new Dictionary<string, string>());
        using var large = (s_small with { Weights = path }).Create(1, 24, seed: 2);
        var x = RandomTensors.Normal(1, [2, 1, 24, 24]);
        Near.Same(small.forward(x), large.forward(x));

        var mismatch =
            Assert.Throws<StateDictMismatchException>(() => (s_small with { Weights = path, Width = 27 }).Create(1, 24, seed: 2));
        Assert.Contains("encoder.pos_embedding [1, 17, 24], not [1, 37, 27]", mismatch.Misshaped);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    private static IImageSource Images(DataOptions options) =>
        new SubsetSource(ImageSources.Open("fashion-mnist:sample", options), [.. Enumerable.Range(0, 64)], "64 images");

    private static Recipe Resolve(params string[] assignments) => Recipe.Resolve([OptionsJson.Parse("""
        { "backbone": { "name": "vit_ti", "width": 24, "depths": [2] },
          "training": { "epochs": 1, "batchSize": 16, "threads": 1 } }
        """, "vit")], ["views.branches.0.masks.0.cell=4", .. assignments, "views.branches.0.masks.0.fill.kind=drop",
            "views.branches.0.masks.0.minRatio=0.5", "views.branches.0.masks.0.maxRatio=0.5"], Images);

    [Fact]
    public void Run_MasksThatDrop_TrainsAndLoads()
    {
        string folder = Directory.CreateTempSubdirectory("vit").FullName;
        Recipe recipe = Resolve();
        Assert.Empty(recipe.FaultsFor(28, 1));
        Assert.True(Pretraining.Run(recipe, ImageDataset.Load(Images(recipe.Data), recipe.Data), new RunFolder(folder)).Finished);
        using Encoder encoder = Encoder.Load(new RunFolder(folder).EncoderPath);
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("backbone.name=resnet18", "only a ViT")]
    [InlineData("views.branches.0.masks.0.cell=6", "set cell to a multiple of 4")]
    [InlineData("views.branches.0.masks.0.sharing=per-channel", "the same number of patches")]
    [InlineData("views.branches.0.masks.0.probability=0.5", "the same number of patches")]
    [InlineData("backbone.patchSize=5", "patches of 5 px do not divide images of 28 px")]
    public void Resolve_WhatCannotDrop_SaysWhy(string assignment, string word) =>
        Assert.Contains(word, Assert.Throws<OptionsException>(() => Resolve(assignment)).Message);
}

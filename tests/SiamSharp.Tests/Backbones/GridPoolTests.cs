using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Tests.Data;
using SiamSharp.Tests.Reference;
using SiamSharp.Training;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Backbones;

public sealed class GridPoolTests
{
    [Theory]
    [InlineData("resnet18", 28, 28, 1)]
    [InlineData("resnet18", 28, 28, 3)]
    [InlineData("resnet18", 28, 28, 5)]
    [InlineData("resnet18", 28, 12, 7)] // a small crop: a map of 6 pixels
    [InlineData("regnet_y_400mf", 33, 33, 4)]
    public void Forward_Grid_AveragesEachCellAsTwoLoopsDo(string name, int size, int view, int cells)
    {
        using var scope = NewDisposeScope();
        BackboneOptions options = new() { Name = name, Width = 8, Depths = [1, 1] };
        int side = ((ConvNetFamily)options.Family).MapSide(options, view, size);
        using var whole = (options with { PoolSize = side }).Create(2, size, seed: 1);
        using var pooled = (options with { PoolSize = cells }).Create(2, size, seed: 1);
        var x = RandomTensors.Normal(1, [3, 2, view, view]);
        whole.eval();
        pooled.eval();
        int channels = whole.OutputWidth / (side * side);
        Assert.Equal(channels * cells * cells, pooled.OutputWidth);
        float[] map = [.. whole.forward(x).data<float>()], means = [.. pooled.forward(x).data<float>()];

        for (int plane = 0; plane < 3 * channels; plane++)
        {
            for (int cell = 0; cell < cells * cells; cell++)
            {
                double sum = 0;
                int count = 0;
                for (int row = 0; row < side; row++)
                {
                    for (int column = 0; column < side; column++)
                    {
                        if (!Covers(cell / cells, row) || !Covers(cell % cells, column)) continue;
                        sum += map[(plane * side + row) * side + column];
                        count++;
                    }
                }
                Assert.Equal(sum / count, means[plane * cells * cells + cell], 1e-5);
            }
        }

        bool Covers(int cell, int pixel) =>
            pixel >= Math.Floor((double)cell * side / cells) && pixel < Math.Ceiling((cell + 1.0) * side / cells);
    }

    [Fact]
    public void Create_GridLargerThanTheMap_SaysHowLargeItMayBe()
    {
        BackboneOptions options = new() { Depths = [1, 1, 1], PoolSize = 8 };
        Assert.Contains("is 8, but the last map of 28 px is only 7 pixels wide",
            Assert.ThrowsAny<ArgumentException>(() => options.Create(1, 28, seed: 1)).Message);
        Assert.Equal(["poolSize"], options.FaultsFor(28, [28]).Select(f => f.Path));
        Assert.Empty((options with { PoolSize = 7 }).FaultsFor(28, [28, 14]));
        Assert.Equal(["depths"],
            new BackboneOptions { Name = "convnext_tiny", PoolSize = 4 }.FaultsFor(64, [64, 12]).Select(f => f.Path));
        Assert.Equal(["pretrainPoolSize"], new BackboneOptions { PretrainPoolSize = 5 }.FaultsFor(28, [28]).Select(f => f.Path));
        Assert.Equal(["poolSize", "pretrainPoolSize"],
            new BackboneOptions { Name = "vit_ti", PoolSize = 2, PretrainPoolSize = 2 }.Faults().Select(f => f.Path));
    }

    [Fact]
    public void Run_CoarserGridInPretraining_TrainsOnItAndSavesTheFinerOne()
    {
        using var folder = new TempFolder();
        SubsetSource Images(DataOptions options) =>
            new(ImageSources.Open("fashion-mnist:sample", options), [.. Enumerable.Range(0, 64)], "64 images");
        Encoder Run(string name, int poolSize, int pretrainPoolSize)
        {
            Recipe recipe = Recipe.Resolve([OptionsJson.Parse($$"""
                { "backbone": { "width": 4, "depths": [1, 1], "poolSize": {{poolSize}},
                                "pretrainPoolSize": {{pretrainPoolSize}} },
                  "training": { "epochs": 1, "batchSize": 32, "threads": 1 } }
                """, "tiny")], [], Images);
            var run = new RunFolder(Path.Combine(folder.Root, name));
            Pretraining.Run(recipe, ImageDataset.Load(Images(recipe.Data), recipe.Data), run);
            return Encoder.Load(run.EncoderPath);
        }
        using Encoder average = Run("average", 1, 0), map = Run("map", 14, 1), fine = Run("fine", 14, 0);
        using var scope = NewDisposeScope();
        var x = rand(2, 1, 28, 28);
        Tensor expected = average.Encode(x), pixels = map.Encode(x);
        Assert.Equal([2, 8 * 14 * 14], pixels.shape);
        Near.Equal(expected, pixels.view(2, 8, -1).mean([2]), 1e-5);
        Assert.False(fine.Encode(x).allclose(pixels, 1e-3, 1e-3));
    }

    [Fact]
    public void Resolve_GridLargerThanTheMap_IsAFaultOfTheRecipe()
    {
        var fault = Assert.Throws<OptionsException>(() => Recipe.Resolve([], ["backbone.poolSize=5"],
            options => SiamSharp.Data.ImageSources.Open("fashion-mnist:sample", options)));
        Assert.Contains("backbone.poolSize", fault.Message);
    }
}

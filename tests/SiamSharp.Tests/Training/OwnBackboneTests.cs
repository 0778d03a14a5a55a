using SiamSharp.Data;
using SiamSharp.Recipes;
using SiamSharp.Tests.Docs;
using SiamSharp.Training;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Training;

/// <summary>A network of the user's own, as docs/METHODS.md shows it.</summary>
public sealed class OwnBackboneTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("own").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static SubsetSource Images(DataOptions options) =>
        new(ImageSources.Open("fashion-mnist:sample", options), [.. Enumerable.Range(0, 64)], "64 images");

    [Theory]
    [InlineData("simclr")]
    [InlineData("byol")]
    public void Run_OwnNetwork_TrainsRepeatsAndLoads(string method)
    {
        Recipe recipe = Recipe.Resolve([],
            [$"method={method}", "training.epochs=2", "training.batchSize=16", "training.threads=1"], Images);
        ImageDataset images = ImageDataset.Load(Images(recipe.Data), recipe.Data);
        RunFolder first = new(Path.Combine(_folder, "first")), second = new(Path.Combine(_folder, "second"));
        foreach (RunFolder folder in new[] { first, second })
            Assert.True(Pretraining.Run(recipe, images, folder, ownBackbone: () => new MethodsSample.MyNetwork()).Finished);
        Assert.Equal(File.ReadAllBytes(first.EncoderPath), File.ReadAllBytes(second.EncoderPath));

        using Encoder encoder = Encoder.Load(first.EncoderPath, new MethodsSample.MyNetwork());
        using var batch = images.Batch([0, 1, 2]);
        using var representations = encoder.Encode(batch);
        Assert.Equal([3, 32], representations.shape);
    }

    [Fact]
    public void Sample_OfTheDocs_GivesRepresentations()
    {
        ImageDataset images = ImageDataset.Load(Images(new DataOptions()), new DataOptions());
        Assert.Equal([3, 32], MethodsSample.Run(Images, images, new RunFolder(Path.Combine(_folder, "sample"))));
    }

    [Fact]
    public void Run_NetworkThatGivesMaps_IsRefusedWithItsShape()
    {
        Recipe recipe = Recipe.Resolve([], ["training.batchSize=16"], Images);
        ImageDataset images = ImageDataset.Load(Images(recipe.Data), recipe.Data);
        string message = Assert.Throws<ArgumentException>(() =>
            Pretraining.Run(recipe, images, new RunFolder(Path.Combine(_folder, "x")),
                ownBackbone: () => nn.Conv2d(1, 4, 3))).Message;
        Assert.Contains("(2, 4, 26, 26)", message);
    }
}

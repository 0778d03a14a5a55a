using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Embeddings;
using SiamSharp.Methods;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Tests.Data;
using SiamSharp.Training;
using Xunit;

namespace SiamSharp.Tests;

/// <summary>The way from a folder to vectors in C#: the README's ten lines.</summary>
public sealed class EmbedTests : IDisposable
{
    private static readonly BackboneOptions s_small = new() { Width = 4, Depths = [1, 1] };
    private readonly TempFolder _folder = new();

    public EmbedTests()
    {
        for (int i = 0; i < 12; i++)
            TestImages.Save(TestImages.Make(3, 20, 24, (c, y, x) => (byte)(x * (i + 1) * 3 + y * 5 + c * 40)),
                _folder.At($"photos/{i:D2}.png"));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Embed_AfterTheTenLines_GivesWhatTheIndexHolds()
    {
        IImageSource photos = ImageSources.Open(_folder.At("photos"));
        Recipe recipe = Recipe.For(photos, backbone: s_small, size: 16) with { Training = new() { Epochs = 2, BatchSize = 4 } };
        PretrainingResult result = Pretraining.Run(recipe, photos, _folder.At("runs/photos"));
        Assert.True(result.Finished);
        Assert.StartsWith("Trained for 6 steps, to a loss of ", result.ToString());
        Assert.EndsWith($"The encoder is {result.EncoderPath}.", result.ToString());

        using Encoder encoder = Encoder.Load(result.EncoderPath);
        string[] paths = [.. Directory.GetFiles(_folder.At("photos")).Order()];
        float[][] vectors = encoder.Embed(paths);
        Assert.Equal(12, vectors.Length);
        Assert.Equal(vectors[3], encoder.Embed(paths[3]));

        using var embedder = new Embedder(encoder, EmbedEngine.Libtorch);
        ImageDataset images = ImageDataset.Load(ImageSources.Open(_folder.At("photos"), encoder.DecodingFor(encoder.Data!)),
            encoder.DecodingFor(encoder.Data!));
        float[] pixels = new float[3 * 16 * 16], expected = new float[embedder.Width];
        images.Read(7, pixels);
        embedder.Embed(pixels, expected);
        Assert.Equal(vectors[7], expected);
    }

    [Fact]
    public void Embed_AMissingFile_NamesIt()
    {
        using var encoder = new Encoder(s_small, new(new() { Sigma = 0 }, [0, 0, 0], [1, 1, 1]), 3, 16);
        string missing = _folder.At("photos/none.png");
        Assert.Equal(
            missing, Assert.Throws<UnreadableImageException>(() => encoder.Embed([_folder.At("photos/00.png"), missing])).Path);
    }

    [Fact]
    public void Embed_Cancelled_Stops()
    {
        using var encoder = new Encoder(s_small, new(new() { Sigma = 0 }, [0, 0, 0], [1, 1, 1]), 3, 16);
        Assert.Throws<OperationCanceledException>(() =>
            encoder.Embed([_folder.At("photos/00.png")], new CancellationToken(canceled: true)));
    }

    [Fact]
    public void For_TypedOptions_AreThoseOfTheSameWords()
    {
        IImageSource photos = ImageSources.Open(_folder.At("photos"));
        Recipe typed = Recipe.For(photos, new ByolOptions { EmaDecay = 0.9 }, s_small, "crop", size: 32);
        Recipe words = Recipe.Resolve([], ["method=byol", "method.emaDecay=0.9", "backbone.width=4", "backbone.depths=[1,1]",
            "views.preset=crop", "data.size=32"],
            options => ImageSources.Open(_folder.At("photos"), options));
        Assert.Equal(OptionsJson.Write(words).ToJsonString(), OptionsJson.Write(typed).ToJsonString());
    }

    [Fact]
    public void Run_ARecipeThatBreaksRules_ListsAllFaultsAndMakesNoFolder()
    {
        IImageSource photos = ImageSources.Open(_folder.At("photos"));
        Recipe broken = Recipe.For(photos, backbone: s_small) with { Training = new() { Epochs = 0, BatchSize = 1 } };
        var fault = Assert.Throws<OptionsException>(() => Pretraining.Run(broken, photos, _folder.At("runs/none")));
        Assert.Equal(["training.batchSize", "training.epochs"], fault.Faults.Select(f => f.Path).Order());
        Assert.False(Directory.Exists(_folder.At("runs/none")));
    }
}

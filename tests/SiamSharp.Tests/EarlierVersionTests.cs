using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using SiamSharp.Data;
using SiamSharp.Embeddings;
using SiamSharp.Evaluation;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Tests.Data;
using SiamSharp.Training;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests;

/// <summary>Files of version 0.1 as of 2026-11-28 (commit 1521764): runs, encoders, indexes,
/// classifiers and recipes still load.</summary>
/// <remarks>
/// Made by <c>siam pretrain --data fashion-mnist:sample#..48</c> with a tiny network, <c>evaluate knn</c>, <c>embed</c> and
/// <c>classify fit</c>.
/// </remarks>
public sealed class EarlierVersionTests : IDisposable
{
    private const string EncoderHash = "b2579ac54578dd4e7469e6a00112614c";

    private readonly TempFolder _folder = new();
    private readonly string _files = Path.Combine(Here(), "Files", "version-0.1");

    public EarlierVersionTests()
    {
        Directory.CreateDirectory(_folder.At("run"));
        foreach (string file in Directory.GetFiles(Path.Combine(_files, "run")))
            File.Copy(file, _folder.At($"run/{Path.GetFileName(file)}"));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Recipe_OfARun_IsReadWithNothingLost()
    {
        JsonObject stored = new RunFolder(_folder.At("run")).ReadRecipe();
        JsonObject read = OptionsJson.Write(Recipe.Reread(stored, []));
        Assert.Empty(OptionTree.Differences(stored, read));
    }

    [Fact]
    public void Encoder_AndItsScores_AreThoseOfTheRun()
    {
        var run = new RunFolder(_folder.At("run"));
        using Encoder encoder = run.LoadEncoder();
        Assert.Equal(EncoderHash, encoder.ContentHash());
        IReadOnlyList<Score> scores = run.ReadScores();
        Assert.Equal(3, scores.Count);
        Assert.Empty(run.ForeignScores(scores));
    }

    [Theory]
    [InlineData("v.parquet")]
    [InlineData("v.npy")]
    public void Index_OfTheEncoder_HoldsWhatTheEncoderGives(string file)
    {
        using EmbeddingTable index = EmbeddingTable.Read(Path.Combine(_files, file));
        using Encoder encoder = Encoder.Load(_folder.At("run/encoder.safetensors"));
        ImageDataset images = Images(encoder.DecodingFor(encoder.Data!));
        using Tensor vectors = encoder.Encode(images.Batch([5]));
        Assert.Equal(48, index.Count);
        Assert.Equal(EncoderHash, index.Origin!.Encoder);
        Neighbour nearest = index.Nearest(vectors.data<float>().ToArray(), 1)[0];
        Assert.Equal(5, nearest.Row);
        Assert.Equal(1, nearest.Cosine, 1e-4);
    }

    [Fact]
    public void Classifier_OfAFewLabels_Predicts()
    {
        using Classifier classifier = Classifier.Load(Path.Combine(_files, "c.safetensors"));
        using Tensor probabilities = classifier.Predict(Images(classifier.Data).Batch([0, 1]));
        Assert.Equal([2, 10], probabilities.shape);
        Assert.Equal(EncoderHash, classifier.Encoder.ContentHash());
    }

    [Fact]
    public void Run_ThatIsFinished_IsTrainedLonger()
    {
        var run = new RunFolder(_folder.At("run"));
        Recipe recipe = Recipe.Reread(run.ReadRecipe(), ["training.epochs=3"]);
        PretrainingResult result = Pretraining.Run(recipe, Images(recipe.Data), run, resume: true);
        Assert.Equal((true, 9, 9), (result.Finished, result.Step, result.Steps));
        Assert.Equal([6, 9],
            MetricsLog.Read(run.MetricsPath).Lines.Select(line => (int)(double)line["step"]!).Where(step => step is 6 or 9));
    }

    private static ImageDataset Images(DataOptions options) =>
        ImageDataset.Load(ImageSources.Open("fashion-mnist:sample#..48", options), options);

    private static string Here([CallerFilePath] string thisFile = "") => Path.GetDirectoryName(thisFile)!;
}

using System.Globalization;
using System.Text.Json.Nodes;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Tests.Data;
using SiamSharp.Training;
using TorchSharp;
using Xunit;

namespace SiamSharp.Tests.Training;

/// <summary>The loop on real images: 96 of Fashion-MNIST, a tiny ResNet.</summary>
public sealed class PretrainingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("runs").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static SubsetSource Source(int first) => new(
        ImageSources.Open("fashion-mnist:sample", new DataOptions()),
        [.. Enumerable.Range(first, 96)], $"96 images from {first}");

    private static readonly Lazy<ImageDataset> s_images = new(() => ImageDataset.Load(Source(0), new DataOptions()));

    private static Recipe Tiny(params string[] assignments) => Recipe.Resolve(
        [OptionsJson.Parse("""
            { "backbone": { "width": 4, "depths": [1, 1] },
              "training": { "epochs": 3, "batchSize": 32, "threads": 1, "logSteps": 1, "checkpointSteps": 2 } }
            """, "tiny")], assignments, _ => Source(0));

    private RunFolder Folder(string name) => new(Path.Combine(_folder, name));

    /// <summary>Stops a run after some steps, as SIGINT does.</summary>
    private sealed class StopAfter(long step, CancellationTokenSource source) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Step >= step) source.Cancel();
        }
    }

    private static PretrainingResult RunUntil(long step, RunFolder folder, bool resume, params string[] assignments)
    {
        using var source = new CancellationTokenSource();
        return Pretraining.Run(Tiny(assignments), s_images.Value, folder, resume, new StopAfter(step, source),
            cancellationToken: source.Token);
    }

    [Theory]
    [InlineData("adamw")]
    [InlineData("sgd")]
    [InlineData("lars")]
    public void Run_StoppedTwiceAndResumed_EndsWithTheSameBits(string optimizer)
    {
        string[] set = [$"optimizer={optimizer}", "optimizer.warmupEpochs=1"];
        RunFolder whole = Folder("whole"), parts = Folder("parts");
        Assert.True(Pretraining.Run(Tiny(set), s_images.Value, whole).Finished);

        Assert.False(RunUntil(2, parts, resume: false, set).Finished);
        Assert.False(RunUntil(7, parts, resume: true, set).Finished);
        Assert.True(RunUntil(99, parts, resume: true, set).Finished);

        Assert.Equal(File.ReadAllText(whole.MetricsPath), File.ReadAllText(parts.MetricsPath));
        Assert.Equal(File.ReadAllBytes(whole.EncoderPath), File.ReadAllBytes(parts.EncoderPath));
        Assert.Equal(File.ReadAllBytes(whole.CheckpointPath), File.ReadAllBytes(parts.CheckpointPath));
        Assert.Equal(9, File.ReadAllLines(whole.MetricsPath).Length);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Run_StoppedBetweenCheckpoints_HasSavedItsLastStep(long step)
    {
        RunFolder folder = Folder("stopped");
        PretrainingResult stopped = RunUntil(step, folder, resume: false, "training.checkpointSteps=0", "training.batchSize=8");
        Assert.False(stopped.Finished);
        Assert.InRange(stopped.Step, step, step + 1);
        using var saved = SafeTensors.Read(folder.CheckpointPath);
        Assert.Equal($"{stopped.Step}", saved.Metadata["step"]);
    }

    [Fact]
    public void Run_FailsBeforeItsFirstStep_LeavesTheFolderFree()
    {
        RunFolder folder = Folder("free");
        string message = Assert.Throws<OptionsException>(() =>
            Pretraining.Run(Tiny("backbone.weights=nowhere.safetensors"), s_images.Value, folder)).Message;
        Assert.Contains("backbone.weights: the file \"nowhere.safetensors\" does not exist", message);
        Assert.True(Pretraining.Run(Tiny(), s_images.Value, folder).Finished);
    }

    [Fact]
    public void Run_FirstWeightsGoneLater_EncoderLoadsAndTheRunGoesOn()
    {
        RunFolder first = Folder("first"), second = Folder("second");
        Pretraining.Run(Tiny("training.epochs=1"), s_images.Value, first);
        string weights = Path.Combine(_folder, "weights.safetensors"), set = $"backbone.weights={weights}";
        File.Copy(first.EncoderPath, weights);
        Assert.False(RunUntil(2, second, resume: false, set).Finished);
        File.Delete(weights);

        Assert.True(Pretraining.Run(Tiny(set), s_images.Value, second, resume: true).Finished);
        using Encoder encoder = Encoder.Load(second.EncoderPath);
        using var images = s_images.Value.Batch([0, 1, 2]);
        using var representations = encoder.Encode(images);
        Assert.Equal([3, 8], representations.shape);
        Assert.DoesNotContain("weights.safetensors", File.ReadAllText(second.EncoderPath));
    }

    [Fact]
    public void Run_WhereNumbersHaveAComma_WritesTheSameMetrics()
    {
        RunFolder here = Folder("here"), there = Folder("there");
        Pretraining.Run(Tiny("training.epochs=1"), s_images.Value, here);
        CultureInfo usual = CultureInfo.CurrentCulture;
        try
        {
            // InvariantGlobalization knows no de-DE, but a comma is a comma.
            CultureInfo.CurrentCulture = new CultureInfo("") { NumberFormat = { NumberDecimalSeparator = "," } };
            Pretraining.Run(Tiny("training.epochs=1"), s_images.Value, there);
        }
        finally
        {
            CultureInfo.CurrentCulture = usual;
        }
        Assert.Equal(File.ReadAllText(here.MetricsPath), File.ReadAllText(there.MetricsPath));
    }

    [Fact]
    public void Run_MetricsBeyondTheCheckpoint_AreWrittenAnew()
    {
        RunFolder whole = Folder("whole"), killed = Folder("killed");
        Pretraining.Run(Tiny(), s_images.Value, whole);
        RunUntil(4, killed, resume: false);
        File.AppendAllText(killed.MetricsPath, "{\"step\":5, a line that was being written when the power fai");
        Pretraining.Run(Tiny(), s_images.Value, killed, resume: true);
        Assert.Equal(File.ReadAllText(whole.MetricsPath), File.ReadAllText(killed.MetricsPath));
    }

    [Fact]
    public void Run_ResumeBeforeTheFirstCheckpoint_StartsFromTheBeginning()
    {
        RunFolder whole = Folder("whole"), early = Folder("early");
        Pretraining.Run(Tiny(), s_images.Value, whole);
        RunUntil(1, early, resume: false);
        File.Delete(early.CheckpointPath);
        Assert.True(Pretraining.Run(Tiny(), s_images.Value, early, resume: true).Finished);
        Assert.Equal(File.ReadAllBytes(whole.EncoderPath), File.ReadAllBytes(early.EncoderPath));
    }

    [Fact]
    public void Resume_OtherThreadsMemoryAndEvaluation_GoesOn()
    {
        RunFolder folder = Folder("changed");
        Pretraining.Run(Tiny(), s_images.Value, folder);
        Recipe changed = Tiny("data.threads=3", "data.memoryGiB=1", "evaluation.k=5", "evaluation.shots=[3]");
        Assert.True(Pretraining.Run(changed, s_images.Value, folder, resume: true).Finished);
    }

    [Fact]
    public void Resume_RunOfAnOlderVersionOrOnAGpu_GoesOn()
    {
        RunFolder folder = Folder("older");
        RunUntil(2, folder, resume: false);
        JsonObject recipe = folder.ReadRecipe();
        Assert.True(recipe["backbone"]!.AsObject().Remove("pretrainPoolSize"));
        recipe["training"]!["device"] = "cuda";
        File.WriteAllText(folder.RecipePath, recipe.ToJsonString());
        Assert.True(Pretraining.Run(Tiny(), s_images.Value, folder, resume: true).Finished);
    }

    [Fact]
    public void Run_ResumeOfACompleteRun_TakesNoStep()
    {
        RunFolder folder = Folder("complete");
        Assert.NotNull(Pretraining.Run(Tiny(), s_images.Value, folder).Loss);
        byte[] encoder = File.ReadAllBytes(folder.EncoderPath), metrics = File.ReadAllBytes(folder.MetricsPath);

        PretrainingResult again = Pretraining.Run(Tiny(), s_images.Value, folder, resume: true);

        Assert.True(again.Finished);
        Assert.Null(again.Loss);
        Assert.Equal(encoder, File.ReadAllBytes(folder.EncoderPath));
        Assert.Equal(metrics, File.ReadAllBytes(folder.MetricsPath));
    }

    [Fact]
    public void Run_ManyEpochs_LowersTheLoss()
    {
        RunFolder folder = Folder("learn");
        Pretraining.Run(Tiny("training.epochs=40"), s_images.Value, folder);
        double[] loss = [.. File.ReadLines(folder.MetricsPath).Select(l => JsonNode.Parse(l)!["loss"]!.GetValue<double>())];
        Assert.True(loss[^6..].Average() < loss[..6].Average() - 0.3, $"{loss[..6].Average()} -> {loss[^6..].Average()}");
    }

    [Fact]
    public void Run_AnotherSeed_GivesOtherWeights()
    {
        RunFolder a = Folder("a"), b = Folder("b");
        Pretraining.Run(Tiny(), s_images.Value, a);
        Pretraining.Run(Tiny("training.seed=2"), s_images.Value, b);
        Assert.NotEqual(File.ReadAllText(a.MetricsPath), File.ReadAllText(b.MetricsPath));
    }

    [Fact]
    public void Run_Steps_KeepTheNumberOfLiveTensors()
    {
        var counts = new List<long>();
        var watch = new Counter(counts);
        Pretraining.Run(Tiny("training.epochs=6"), s_images.Value, Folder("live"), progress: watch);
        Assert.Single(counts.Skip(1).Distinct());
    }

    private sealed class Counter(List<long> counts) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => counts.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Run_ExistingRun_AsksForResume()
    {
        RunUntil(1, Folder("x"), resume: false);
        Assert.Contains(
            "--resume", Assert.Throws<RunException>(() => Pretraining.Run(Tiny(), s_images.Value, Folder("x"))).Message);
    }

    [Fact]
    public void Run_ResumeWithAnotherRecipe_ListsTheDifferences()
    {
        RunUntil(1, Folder("x"), resume: false);
        string message = Assert.Throws<RunException>(() =>
            Pretraining.Run(Tiny("training.epochs=5", "optimizer.learningRate=1"), s_images.Value,
                Folder("x"), resume: true)).Message;
        Assert.Contains("training.epochs: the run has 3, asked for is 5", message);
        Assert.Contains("optimizer.learningRate", message);
    }

    [Fact]
    public void Run_ResumeWithOtherImages_SaysSo()
    {
        RunUntil(2, Folder("x"), resume: false);
        var other = ImageDataset.Load(Source(96), new DataOptions());
        Assert.Contains("not those of the run", Assert.Throws<RunException>(() =>
            Pretraining.Run(Tiny(), other, Folder("x"), resume: true)).Message);
    }

    [Fact]
    public void Run_LossNotFinite_StopsAndKeepsTheLastGoodCheckpoint()
    {
        RunFolder folder = Folder("nan");
        var e = Assert.Throws<RunException>(() =>
            Pretraining.Run(Tiny("optimizer=sgd", "optimizer.learningRate=1000",
                "optimizer.weightDecay=10", "optimizer.warmupEpochs=0",
                "training.checkpointSteps=1", "training.epochs=20"), s_images.Value, folder));
        Assert.Contains("learningRate", e.Message);
        Assert.Contains("The last good state is in", e.Message);
        using var saved = SafeTensors.Read(folder.CheckpointPath);
        Assert.All(saved.Tensors.Values, t => Assert.True(t.isfinite().all().item<bool>()));
    }

    [Fact]
    public void Run_WhileAnotherTrainsHere_SaysSo()
    {
        RunFolder folder = Folder("busy");
        folder.Create();
        using (folder.Lock())
            Assert.Contains("Another process is training",
                Assert.Throws<RunException>(() => Pretraining.Run(Tiny(), s_images.Value, folder)).Message);
        Assert.True(Pretraining.Run(Tiny("training.epochs=1"), s_images.Value, folder).Finished);
    }

    [Fact]
    public void Run_ColourJitterOfPixelsBeyondOne_SaysWhichTheyAre()
    {
        var images =
            ImageDataset.Load(new FakeSource(8, i => new Pixels(new float[] { i, -2, 0, 0 }, 1, 2, 2)), new DataOptions());
        Recipe recipe = Tiny("training.batchSize=4", "data.size=2", "views.preset=paper", "views.highPass.kernel=1");
        Assert.Contains("from -2 to 7", Assert.Throws<RunException>(() => Pretraining.Run(recipe, images, Folder("x"))).Message);
    }

    [Fact]
    public void Run_FewerImagesThanABatch_SaysWhatToSet() => Assert.Contains("--set training.batchSize=48",
        Assert.Throws<RunException>(() => Pretraining.Run(Tiny("training.batchSize=128"), s_images.Value, Folder("x"))).Message);
}

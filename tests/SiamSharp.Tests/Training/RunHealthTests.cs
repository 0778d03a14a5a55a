using SiamSharp.Cli;
using SiamSharp.Data;
using SiamSharp.Recipes;
using SiamSharp.Training;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Training;

/// <summary>Real runs of all frameworks, and of some that must collapse.</summary>
public sealed class RunHealthTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("health").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<string> Frameworks => [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "recipes"))
        .Select(path => Path.GetFileNameWithoutExtension(path)!).Where(name => name is not ("quickstart" or "fashion-mnist"))];

    private (RunHealth Health, string Verdict) Train(string recipeName, params string[] assignments)
    {
        static SubsetSource Images(DataOptions options) =>
            new(ImageSources.Open("fashion-mnist:sample", options), [.. Enumerable.Range(0, 1280)], "1,280 images");
        Recipe recipe = Recipe.Resolve(RecipeFiles.Layers(recipeName),
            ["backbone.width=16", "backbone.depths=[1, 1]", "backbone.stem=half", "training.batchSize=64", "training.threads=1",
                "views.branches.0.masks.0.cell=14", .. assignments], Images);
        var run = new RunFolder(Path.Combine(_folder, "run"));
        Pretraining.Run(recipe, ImageDataset.Load(Images(recipe.Data), recipe.Data), run);
        RunHealth health = RunHealth.Read(run, recipe)!;
        return (health, health.Verdict(recipe));
    }

    [Theory]
    [MemberData(nameof(Frameworks))]
    public void Verdict_FrameworkByItsRecipe_IsHealthy(string name)
    {
        // PIRL compares with a memory that is written once an epoch, so it learns later than the others.
        var (health, verdict) = Train(name, $"training.epochs={(name == "pirl" ? 8 : 3)}");
        Assert.True(health.Problems.Count == 0, health.ToString());
        Assert.StartsWith("Healthy: the embedding uses", verdict, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("simsiam", "method.stopGradient=false", "method.stopGradient is false")]
    [InlineData("vicreg", "method.varianceWeight=0", "method.varianceWeight is 0")]
    [InlineData("swav", "method.sinkhornIterations=0", "method.sinkhornIterations is 0")]
    [InlineData("vicreg", "optimizer.learningRate=0.2", "--set optimizer.learningRate=0.02 instead of 0.2")]
    [InlineData("byol", "optimizer.learningRate=0.2", "--set optimizer.learningRate=0.02 instead of 0.2")]
    [InlineData("simclr", "optimizer.learningRate=0.2", "--set optimizer.learningRate=0.02 instead of 0.2")]
    public void Verdict_WhatMustCollapse_IsToldWithItsCause(string name, string assignment, string cause)
    {
        var (health, verdict) = Train(name, assignment, "training.epochs=6");
        Assert.True(health.Problems.Count > 0, health.ToString());
        Assert.True(verdict.StartsWith("Collapsed", StringComparison.Ordinal)
            || verdict.StartsWith("Too fast", StringComparison.Ordinal), verdict);
        Assert.Contains(cause, verdict);
    }

    [Theory]
    [InlineData("simclr")]
    [InlineData("byol")]
    [InlineData("vicreg")]
    public void Verdict_LearningRateOfZero_IsNotHealthy(string name)
    {
        var (health, verdict) = Train(name, "optimizer.learningRate=0", "training.epochs=3");
        Assert.Equal(HealthState.NotLearning, health.State);
        Assert.Matches("^Not learning: the learning rate was 0, .* Give optimizer.learningRate a value above 0.$", verdict);
    }

    [Fact]
    public void Verdict_ViewsThatAreAllTheSame_IsNotHealthy()
    {
        var (health, verdict) = Train("simclr", "views.branches.0.masks=[]", "training.epochs=3");
        Assert.Equal(HealthState.NotLearning, health.State);
        Assert.Equal("Not learning: all views of an image were the same, so that there was nothing to learn. "
            + "Give masks or crops, as --set views.preset=mscn does.", verdict);
    }

    [Fact]
    public void Verdict_ThreeSteps_IsLeftOpen()
    {
        var (health, verdict) = Train("simclr", "training.epochs=1", "training.batchSize=400");
        Assert.Equal((HealthState.Undecided, 3), (health.State, health.Steps!.Value));
        Assert.Empty(health.Problems);
        Assert.StartsWith("Too few steps to judge: 3", verdict, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_RisingLossAndATornLine_IsTold()
    {
        var run = new RunFolder(Path.Combine(_folder, "rising"));
        run.Create();
        File.WriteAllText(run.MetricsPath, string.Concat(Enumerable.Range(1, 20).Select(i =>
            $$"""{"step":{{5 * i}},"epoch":0,"loss":{{i * 0.1 + 3:R}},"rankme":60,"dimensions":128"""
                + ""","embedding_spread":0.9,"loss_when_collapsed":9}""" + "\n")) + "{\"step\":105,\"lo");
        RunHealth health = RunHealth.Read(run, new Recipe())!;
        Assert.Equal((HealthState.NotLearning, 100L, 5.0), (health.State, health.Steps!.Value, health.Loss));
        Assert.StartsWith("Not learning: the loss did not fall", health.Verdict(new Recipe()), StringComparison.Ordinal);
    }

    [Fact]
    public void Fall_LossThatRisesBeforeItFalls_IsTakenFromItsHeight()
    {
        double[] losses = [4.6, 5.8, 6.3, 6.5, 6.4, 6.3, 6.2, 6.1, 6.0, 5.9, 5.8, 5.7];
        var (before, after, noise) = RunHealth.Fall(losses);
        Assert.Equal((6.4, 5.8), (Math.Round(before!.Value, 9), Math.Round(after!.Value, 9)));
        Assert.InRange(noise, 0.05, 0.4);
    }

    [Theory]
    [InlineData(3, 3, 10, 0)]
    [InlineData(3, 2, 10, 0)]
    [InlineData(1, 5, 6, 2)]         // 1 + 6 steps of length 2 at right angles: sqrt(1 + 6 * 4) = 5
    public void RelativeStepOf_LengthBeforeAndAfter_IsTheLengthOfAStepAtRightAngles(
        double start, double now, long steps, double expected) =>
        Assert.Equal(expected, RunHealth.RelativeStepOf(start, now, steps), 1e-12);

    [Fact]
    public void Length_Network_LeavesOutBiases()
    {
        using var network = nn.Linear(2, 1);
        using var noGradient = no_grad();
        network.weight!.copy_(tensor(new float[] { 3, 4 }).reshape(1, 2));
        network.bias!.fill_(100);
        Assert.Equal(5, RunHealth.Length(network), 1e-6);
    }

    [Fact]
    public void Read_FolderWithoutMetrics_IsNull() =>
        Assert.Null(RunHealth.Read(new RunFolder(Path.Combine(_folder, "none")), new Recipe()));
}

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
        static SubsetSource Images(DataOptions options) => new(ImageSources.Open("fashion-mnist:sample", options), [.. Enumerable.Range(0, 1280)], "1,280 images");
        Recipe recipe = Recipe.Resolve(RecipeFiles.Layers(recipeName),
            ["backbone.width=16", "backbone.depths=[1, 1]", "backbone.stem=half", "training.batchSize=64", "training.threads=1", "views.branches.0.masks.0.cell=14", .. assignments], Images);
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
        Assert.True(verdict.StartsWith("Collapsed", StringComparison.Ordinal) || verdict.StartsWith("Too fast", StringComparison.Ordinal), verdict);
        Assert.Contains(cause, verdict);
    }

    [Theory]
    [InlineData(3, 3, 10, 0)]
    [InlineData(3, 2, 10, 0)]
    [InlineData(1, 5, 6, 2)]         // 1 + 6 steps of length 2 at right angles: sqrt(1 + 6 * 4) = 5
    public void RelativeStepOf_LengthBeforeAndAfter_IsTheLengthOfAStepAtRightAngles(double start, double now, long steps, double expected) =>
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
    public void Read_FolderWithoutMetrics_IsNull() => Assert.Null(RunHealth.Read(new RunFolder(Path.Combine(_folder, "none")), new Recipe()));
}

using SiamSharp.Data;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Tests.Docs;
using SiamSharp.Training;
using Xunit;

namespace SiamSharp.Tests.Training;

/// <summary>A framework outside of the library, as docs/METHODS.md shows it.</summary>
public sealed class OwnFrameworkTests : IDisposable
{
    private readonly RunFolder _run = new(Path.Combine(Directory.CreateTempSubdirectory("own").FullName, "run"));

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_run.Path)!, recursive: true);

    [Fact]
    public void Run_OwnFramework_LearnsAndIsFoundInTheRecipeOfTheRun()
    {
        static SubsetSource Images(DataOptions options) =>
            new(ImageSources.Open("fashion-mnist:sample", options), [.. Enumerable.Range(0, 64)], "64 images");
        Recipe recipe = Recipe.Resolve([], ["method=align-uniform", "method.sharpness=3",
            "backbone.width=4", "backbone.depths=[1, 1]",
            "training.epochs=4", "training.batchSize=16", "training.threads=1", "training.logSteps=1",
            "views.branches.0.masks.0.cell=4"], Images);
        Assert.True(Pretraining.Run(recipe, ImageDataset.Load(Images(recipe.Data), recipe.Data), _run).Finished);

        Assert.Equal(new AlignUniformOptions { Sharpness = 3 }, Recipe.Reread(_run.ReadRecipe(), []).Method);
        double[] losses = [.. File.ReadLines(_run.MetricsPath).Select(line => (double)OptionsJson.Parse(line, "line")["loss"]!)];
        Assert.True(losses[^1] < losses[0] - 0.2, string.Join(" ", losses));
    }
}

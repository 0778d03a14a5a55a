using SiamSharp.Cli;
using SiamSharp.Data;
using SiamSharp.Recipes;
using SiamSharp.Tests.Cli;
using SiamSharp.Tests.Data;
using SiamSharp.Training;
using Xunit;

namespace SiamSharp.Tests.Training;

/// <summary>The estimate ahead of a run.</summary>
public sealed class StepTimeTests
{
    private static readonly string[] s_small = ["backbone.width=16", "backbone.depths=[1]", "backbone.stem=half",
        "training.epochs=1", "training.batchSize=50", "training.threads=1"];

    public static TheoryData<string> Methods =>
        [.. RecipeFilesTests.Names.Select(n => n.Data).Where(n => n is not ("quickstart" or "fashion-mnist"))];

    [Theory]
    [MemberData(nameof(Methods))]
    public void Measure_AnyMethod_GivesATime(string name)
    {
        ImageDataset data = Open(out Recipe recipe, name);
        StepTime pace = StepTime.Measure(recipe, data);
        Assert.InRange(pace.PerImage, 1e-7, 10);
        Assert.InRange(pace.PerStep, 1e-7, 10);
        Assert.True(
            pace.Of(recipe, data.Count) < pace.Of(recipe with { Training = recipe.Training with { Epochs = 5 } }, data.Count));
    }

    [Fact]
    public void Measure_AheadOfARun_ChangesNoBitOfIt()
    {
        using var folder = new TempFolder();
        ImageDataset data = Open(out Recipe recipe, "moco-v2");
        RunFolder without = new(folder.At("without")), with = new(folder.At("with"));
        Pretraining.Run(recipe, data, without);
        StepTime.Measure(recipe, data);
        Pretraining.Run(recipe, data, with);
        Assert.Equal(File.ReadAllText(without.MetricsPath), File.ReadAllText(with.MetricsPath));
        Assert.Equal(File.ReadAllBytes(without.EncoderPath), File.ReadAllBytes(with.EncoderPath));
    }

    [Fact]
    public void Measure_StepsThatTakeASecondWhateverTheirSize_IsOfManyImages()
    {
        ImageDataset data = Open(out Recipe recipe, "simclr");
        recipe = recipe with { Training = recipe.Training with { Epochs = 1000 } };
        StepTime pace = StepTime.Measure(recipe, data, new Ticking());
        Assert.Equal(50, pace.Batch); // all of a step
        Assert.InRange(pace.PerImage, 0.0199, 0.0201);
    }

    [Fact]
    public void Measure_ImagesThatVanished_StillGivesATime()
    {
        using var folder = new TempFolder();
        for (int i = 0; i < 60; i++)
            TestImages.Save(TestImages.Make(1, 16, 16, (_, y, x) => (byte)(i + y * 7 + x)), folder.At($"{i:00}.png"));
        Recipe recipe = Recipe.Resolve([], [.. s_small, "data.memoryGiB=0"], options => ImageSources.Open(folder.Root, options));
        ImageDataset data = ImageDataset.Load(ImageSources.Open(folder.Root, recipe.Data), recipe.Data);
        foreach (string file in Directory.GetFiles(folder.Root)) File.Delete(file);
        Assert.Throws<UnreadableImageException>(() => data.Batch([0]));
        Assert.InRange(StepTime.Measure(recipe, data).PerImage, 1e-7, 10);
    }

    [Fact]
    public void Measure_ShortRunOfSlowSteps_IsOfTheFirst() // measuring is not to take longer than the run
    {
        ImageDataset data = Open(out Recipe recipe, "simclr");
        Assert.Equal(4, StepTime.Measure(recipe, data, new Ticking()).Batch);
    }

    /// <summary>A clock that goes a second on whenever it is looked at.</summary>
    private sealed class Ticking : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _now++;
    }

    private static ImageDataset Open(out Recipe recipe, string name)
    {
        IImageSource? source = null;
        string[] fit = name switch
        {
            "moco-v2" => ["method.queueSize=100"],
            "swav" => ["method.queueSize=0"],
            "pirl" => ["method.negatives=100"],
            _ => []
        };
        recipe = Recipe.Resolve(RecipeFiles.Layers(name), [.. s_small, "optimizer.warmupEpochs=0", .. fit],
            options => source = ImageSources.Open("fashion-mnist:sample#..200", options));
        return ImageDataset.Load(source!, recipe.Data);
    }
}

using System.Globalization;
using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Methods;
using SiamSharp.Optim;
using SiamSharp.Recipes;
using static TorchSharp.torch;

namespace SiamSharp.Training;

// What a run is made of, and what is kept and said of one that is trained longer.
public static partial class Pretraining
{
    /// <summary>What the method is made of.</summary>
    private static MethodSetup SetupOf(
        Recipe recipe, ImageDataset data, Func<nn.Module<Tensor, Tensor>>? ownBackbone, bool fromWeights)
    {
        ulong seed = (ulong)recipe.Training.Seed;
        BackboneOptions options = (fromWeights ? recipe.Backbone : recipe.Backbone with { Weights = "" }).InPretraining;
        Func<nn.Module<Tensor, Tensor>> makeBackbone = ownBackbone is null
            ? () => options.Create(data.Channels, data.Size, seed)
            : () => Drawn(ownBackbone(), seed);
        return new(makeBackbone, Encoder.WidthOf(makeBackbone, data.Channels, data.Size), seed)
        {
            Samples = data.Count,
            TargetViews = recipe.Views.TargetViewCount(data.Size),
        };
    }

    private sealed class MeasuringPart(IProgress<TrainingProgress> progress, long steps) : IProgress<double>
    {
        public void Report(double value) => progress.Report(new(0, steps, 0, double.NaN, 0, TimeSpan.Zero) { Measured = value });
    }

    private static nn.Module<Tensor, Tensor> Drawn(nn.Module<Tensor, Tensor> network, ulong seed)
    {
        Initialization.Draw(network, seed);
        return network;
    }

    private static LearningRateSchedule ScheduleOf(Recipe recipe, int stepsPerEpoch) => new(
        recipe.Optimizer.LearningRate, (long)(recipe.Optimizer.WarmupEpochs * stepsPerEpoch),
        (long)recipe.Training.Epochs * stepsPerEpoch, recipe.Optimizer.LearningRate * recipe.Optimizer.FinalShare);

    /// <summary>Keeps encoder and scores of a shorter run under its number of epochs,
    /// for they are not the longer one's.</summary>
    /// <returns>Their new names.</returns>
    private static string[] KeepShorter(RunFolder folder, Recipe before)
    {
        string suffix = $"{before.Training.Epochs}-epochs";
        string[] kept = [.. new[] { folder.EncoderPath, folder.EvaluationPath }.Where(File.Exists), .. folder.ConfusionPaths];
        FileWriting.Writing(folder.Path, () =>
        {
            foreach (string file in kept)
                File.Move(file, Path.ChangeExtension(file, suffix + Path.GetExtension(file)), overwrite: true);
        });
        return [.. kept.Select(f => Path.GetFileName(Path.ChangeExtension(f, suffix + Path.GetExtension(f))))];
    }

    /// <summary>What is said of a finished run that is trained longer.</summary>
    private static string TrainedLonger(Recipe recipe, Recipe before, string[] kept, long step, int stepsPerEpoch)
    {
        string goesOn = Rate(recipe, step), fell = Rate(before, step - 1);
        return "The finished run is trained longer: "
            + $"{recipe.Training.Epochs} epochs instead of {before.Training.Epochs}. The learning rate goes on at {goesOn}, "
            + $"as in a run of {recipe.Training.Epochs} epochs at this "
            + $"point{(fell == goesOn ? "" : $"; it had fallen to {fell}")}. "
            + (kept.Length > 0 ? $"What the shorter run gave is kept: {string.Join(", ", kept)}." : "");

        string Rate(Recipe of, long at) => ScheduleOf(of, stepsPerEpoch).At(at).ToString("G3", CultureInfo.InvariantCulture);
    }
}

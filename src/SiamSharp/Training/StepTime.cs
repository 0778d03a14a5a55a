using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Methods;
using SiamSharp.Optim;
using SiamSharp.Recipes;
using SiamSharp.Views;
using TorchSharp;
using static TorchSharp.torch;

namespace SiamSharp.Training;

/// <summary>About how long the steps of a run take on this machine.</summary>
/// <param name="PerImage">Seconds for each image of a step: loading, views, network, forward and backward.</param>
/// <param name="PerStep">Seconds for each step besides: optimiser and target network.</param>
/// <param name="Batch">Images in the small step that was measured.</param>
public sealed record StepTime(double PerImage, double PerStep, int Batch)
{
    private const int MinBatch = 4, Growth = 4;
    private const double LongEnough = 0.25, MaxTime = 10; // seconds
    private const double MaxShareOfRun = 0.01, Falls = 0.7;

    /// <summary>Of a whole run.</summary>
    /// <param name="recipe">The recipe that was measured, with any number of epochs.</param>
    /// <param name="images">Images of the data set.</param>
    public TimeSpan Of(Recipe recipe, int images)
    {
        double steps = (double)recipe.Training.Epochs * (images / recipe.Training.BatchSize);
        return TimeSpan.FromSeconds(
            Math.Min(TimeSpan.MaxValue.TotalSeconds / 2, steps * (PerStep + PerImage * recipe.Training.BatchSize)));
    }

    /// <summary>Measures a few small steps with networks of their own, which are thrown away.</summary>
    /// <remarks>
    /// A run that follows is the same, bit by bit: its draws are functions of its seed, and nothing of what is measured
    /// stays. Steps of 4 images, and of four times as many while they take less than a quarter of a second, or while an
    /// image takes much less time in a larger step, as it does where other programs use the processor too: for that up
    /// to ten seconds and a hundredth of the run's time are spent. The last size is measured twice. A network that is
    /// begun from weights is drawn here.
    /// </remarks>
    /// <param name="recipe">A resolved recipe that fits the images.</param>
    /// <param name="data">The images.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    public static StepTime Measure(
        Recipe recipe, ImageDataset data, TimeProvider? time = null, CancellationToken cancellationToken = default)
    {
        time ??= TimeProvider.System;
        Device device = recipe.Training.FindDevice();
        recipe.Training.UseThreads();
        using var scope = NewDisposeScope();
        ulong seed = (ulong)recipe.Training.Seed;
        BackboneOptions backbone = (recipe.Backbone with { Weights = "" }).InPretraining;
        Func<nn.Module<Tensor, Tensor>> make = () => backbone.Create(data.Channels, data.Size, seed);
        using SiameseMethod method = recipe.Method.Create(new MethodSetup(make,
            Encoder.WidthOf(make, data.Channels, data.Size), seed)
        {
            Samples = data.Count,
            TargetViews = recipe.Views.TargetViewCount(data.Size),
        });
        method.to(device);
        using Optimizer optimizer = recipe.Optimizer.Create(method);
        var plain = new Preprocessing(recipe.Views.HighPass, new double[data.Channels],
            [.. Enumerable.Repeat(1.0, data.Channels)]);
        var training = new TrainingStep(recipe, data,
            new ViewMaker(recipe.Views, plain, data.Size, seed), method, optimizer, device);
        method.train();

        int most = Math.Min(recipe.Training.BatchSize, data.Count), batch = Math.Min(MinBatch, most);
        Step(batch); // compiles, allocates and warms caches
        double spent = 0, before = double.PositiveInfinity;
        for (; ; batch = Math.Min(most, batch * Growth))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (images, rest) = Step(batch);
            StepTime found = new(images / batch, rest, batch);
            spent += images + rest;
            bool settled = found.PerImage > Falls * before
                || spent >= Math.Min(MaxTime, MaxShareOfRun * found.Of(recipe, data.Count).TotalSeconds);
            if (batch == most || (images + rest >= LongEnough && settled))
            {
                // The first step of a size takes its memory from the system, which later ones have.
                var (imagesAgain, restAgain) = Step(batch);
                return imagesAgain + restAgain < images + rest ? new(imagesAgain / batch, restAgain, batch) : found;
            }
            before = found.PerImage;
        }

        Tensor Pixels(int[] indexes)
        {
            try
            {
                return data.Batch(indexes);
            }
            catch (UnreadableImageException) // vanished since the images were counted, which the run itself tells of
            {
                return zeros([indexes.Length, data.Channels, data.Size, data.Size]);
            }
        }

        (double OfImages, double Besides) Step(int count)
        {
            using var step = NewDisposeScope();
            int[] indexes = [.. Enumerable.Range(0, count)];
            long start = time.GetTimestamp(), between = start;
            Tensor pixels = Pixels(indexes); // (N, C, H, W)
            training.Make(new Batch(pixels, Array.ConvertAll(indexes, i => (long)i), indexes, 0, 0), 0, learningRate: 0, phase =>
            {
                if (phase == StepPhase.Gradient) between = time.GetTimestamp();
            });
            training.Terms.Total.ToDouble(); // waits for a GPU
            return (time.GetElapsedTime(start, between).TotalSeconds, time.GetElapsedTime(between).TotalSeconds);
        }
    }
}

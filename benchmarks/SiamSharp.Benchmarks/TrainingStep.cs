using System.Text.Json.Nodes;
using SiamSharp.Data;
using SiamSharp.Methods;
using SiamSharp.Options;
using SiamSharp.Randomness;
using SiamSharp.Recipes;
using SiamSharp.Training;
using static TorchSharp.torch;

namespace SiamSharp.Benchmarks;

/// <summary>Whole training steps of the real loop on synthetic images in memory, and where their time goes.</summary>
/// <remarks>
/// Without a recipe: what benchmarks/pytorch/simclr_step.py does, ResNet-18 with the small stem and colour images.
/// </remarks>
internal static class TrainingStep
{
    private const string ResNet18 = """
        { "backbone": { "stem": "small" }, "optimizer": { "learningRate": 1e-3, "weightDecay": 1e-4, "warmupEpochs": 0 },
          "views": { "highPass": { "sigma": 2 } } }
        """;

    internal static object Measure(int size, int batch, int steps, int threads, string? recipeFile, string[] assignments)
    {
        JsonObject layer = OptionsJson.Parse(recipeFile is null ? ResNet18 : File.ReadAllText(recipeFile),
            recipeFile ?? "ResNet-18");
        int channels = recipeFile is null ? 3 : 1;
        const int warmup = 1, last = 1; // the loop leaves the first step out of its timing; the last one writes the checkpoint
        IImageSource Open(DataOptions options) => Synthetic(batch * (warmup + steps + last), channels, size, options);
        Recipe recipe = Recipe.Resolve([layer],
            [.. assignments, "training.epochs=1", $"training.batchSize={batch}", $"training.threads={threads}"], Open);
        ImageDataset data = ImageDataset.Load(Open(recipe.Data), recipe.Data);

        string folder = Directory.CreateTempSubdirectory("step").FullName;
        try
        {
            var clock = new StepClock();
            StepTiming t = Pretraining.Run(recipe, data, new RunFolder(Path.Combine(folder, "run")), progress: clock).Timing;
            double[] stepSeconds = [.. clock.Seconds.Skip(warmup).Take(steps)];
            double loss = LossSeconds(batch), step = (t.Total - t.Checkpoint) / t.Steps;
            double outside = (t.Waiting + t.Views + t.Logging) / t.Steps + loss;
            return new
            {
                framework = $"SiamSharp, libtorch {__version__}",
                threads = get_num_threads(),
                size,
                batch_size = batch,
                steps = t.Steps,
                images_per_second = batch / Median(stepSeconds),
                step_seconds = stepSeconds,
                seconds = new
                {
                    waiting = t.Waiting / t.Steps,
                    views = t.Views / t.Steps,
                    network = t.Network / t.Steps - loss,
                    loss,
                    optimizer = t.Optimizer / t.Steps,
                    logging = t.Logging / t.Steps,
                },
                share_outside_network_and_optimizer = outside / step,
            };
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private sealed class StepClock : IProgress<TrainingProgress>
    {
        private readonly TimeProvider _time = TimeProvider.System;
        private readonly List<double> _seconds = [];
        private long _last = TimeProvider.System.GetTimestamp();

        /// <summary>Wall time of each step.</summary>
        internal IReadOnlyList<double> Seconds => _seconds;

        public void Report(TrainingProgress value)
        {
            long now = _time.GetTimestamp();
            _seconds.Add(_time.GetElapsedTime(_last, now).TotalSeconds);
            _last = now;
        }
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Random pixels; views and network cost the same whatever they show.</summary>
    internal static IImageSource Synthetic(int count, int channels, int size, DataOptions options) => new ArraySource(
        "synthetic", count, new ImageInfo(size, size, channels, 8), i =>
        {
            var random = new RandomStream(1, RandomPurpose.View, sample: i);
            byte[] pixels = new byte[channels * size * size];
            for (int p = 0; p < pixels.Length; p++) pixels[p] = (byte)random.NextUInt32();
            return new Pixels(pixels, channels, size, size);
        }, options);

    /// <summary>Forward and backward of the loss alone, of two views of 128-wide embeddings.</summary>
    private static double LossSeconds(int batch)
    {
        const int repeats = 20;
        TimeProvider time = TimeProvider.System;
        long start = 0;
        for (int i = -2; i < repeats; i++)
        {
            if (i == 0) start = time.GetTimestamp();
            using var scope = NewDisposeScope();
            Tensor[] views = [randn(batch, 128).requires_grad_(), randn(batch, 128).requires_grad_()];
            NtXent.Loss(views, 0.2).backward();
        }
        return time.GetElapsedTime(start).TotalSeconds / repeats;
    }
}

using SiamSharp.Data;
using SiamSharp.Recipes;
using SiamSharp.Training;
using TorchSharp;

namespace SiamSharp.Benchmarks;

/// <summary>Resident memory and live tensors over many steps of the quickstart's network.</summary>
internal static class MemoryGrowth
{
    internal static object Measure(int steps)
    {
        const int batch = 64, images = 640;
        static IImageSource Open(DataOptions options) => TrainingStep.Synthetic(images, 1, 28, options);
        Recipe recipe = Recipe.Resolve([], ["backbone.width=16", "backbone.depths=[1,1,1,1]",
            $"training.epochs={steps * batch / images}", $"training.batchSize={batch}"], Open);
        var watch = new Watch();
        string folder = Directory.CreateTempSubdirectory("memory").FullName;
        try
        {
            Pretraining.Run(recipe, ImageDataset.Load(Open(recipe.Data), recipe.Data),
                new RunFolder(Path.Combine(folder, "run")), progress: watch);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        const int epoch = images / batch;
        double early = watch.Resident.Skip(epoch).Take(epoch).Max(), late = watch.Resident.TakeLast(epoch).Max();
        return new
        {
            benchmark = "memory",
            steps = watch.Resident.Count,
            resident_mb_most_of_the_second_epoch = early,
            resident_mb_most_of_the_last_epoch = late,
            growth_mb = late - early,
            live_tensors_from_the_second_step = watch.Tensors.Skip(1).Distinct().ToArray(),
        };
    }

    private sealed class Watch : IProgress<TrainingProgress>
    {
        internal List<double> Resident { get; } = [];
        internal List<long> Tensors { get; } = [];

        public void Report(TrainingProgress value)
        {
            Resident.Add(Environment.WorkingSet / 1e6);
            Tensors.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        }
    }
}

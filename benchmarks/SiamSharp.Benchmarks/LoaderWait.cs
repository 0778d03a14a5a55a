using SiamSharp.Data;
using SiamSharp.Recipes;
using SiamSharp.Training;

namespace SiamSharp.Benchmarks;

/// <summary>Does decoding 512-px JPEGs on the fly keep a ResNet-18 at 64 px busy?</summary>
internal static class LoaderWait
{
    internal static object Measure(int images, int batch, int epochs)
    {
        string folder = Directory.CreateTempSubdirectory("jpeg").FullName;
        try
        {
            Photographs.Write(folder, images);
            IImageSource Open(DataOptions options) => ImageSources.Open(folder, options);
            Recipe recipe = Recipe.Resolve([],
                ["data.memoryGiB=0", $"training.epochs={epochs}", $"training.batchSize={batch}"], Open);
            StepTiming t = Pretraining.Run(recipe, ImageDataset.Load(Open(recipe.Data), recipe.Data),
                new RunFolder(Path.Combine(folder, "run"))).Timing;
            return new
            {
                benchmark = "loader",
                images,
                kilobytes_per_image = new DirectoryInfo(folder).EnumerateFiles("*.jpg").Average(f => f.Length) / 1000,
                batch_size = batch,
                steps = t.Steps,
                seconds_per_step = (t.Total - t.Checkpoint) / t.Steps,
                waiting_share = t.Waiting / (t.Total - t.Checkpoint),
            };
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

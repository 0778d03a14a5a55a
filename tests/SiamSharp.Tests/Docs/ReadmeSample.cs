using SiamSharp;
using SiamSharp.Data;
using SiamSharp.Native;
using SiamSharp.Recipes;
using SiamSharp.Training;

namespace Docs;

/// <summary>What README shows.</summary>
internal static class ReadmeSample
{
    internal static void Run()
    {
        FreedMemory.Keep();                                                   // Linux: once, before the first tensor; it keeps steps fast
        IImageSource Open(DataOptions options) => ImageSources.Open("photos", options);
        Recipe recipe = Recipe.Resolve(layers: [], assignments: ["training.epochs=50"], Open);
        ImageDataset images = ImageDataset.Load(Open(recipe.Data), recipe.Data);
        var run = new RunFolder("runs/photos");
        Pretraining.Run(recipe, images, run);

        using Encoder encoder = Encoder.Load(run.EncoderPath);
        using var batch = images.Batch([0, 1, 2]);                            // float32 (3, C, H, W)
        using var representations = encoder.Encode(batch);                    // float32 (3, D)
    }
}

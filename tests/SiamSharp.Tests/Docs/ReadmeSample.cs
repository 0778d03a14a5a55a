using SiamSharp;
using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Recipes;
using SiamSharp.Training;

namespace Docs;

/// <summary>What README shows; EmbedTests runs the same with shorter options.</summary>
internal static class ReadmeSample
{
    internal static void Run()
    {
        IImageSource photos = ImageSources.Open("photos");                 // a folder, or any other source
        Recipe recipe = Recipe.For(photos, backbone: BackboneOptions.Small) with { Training = new() { Epochs = 50 } };
        PretrainingResult result = Pretraining.Run(recipe, photos, "runs/photos");
        Console.WriteLine(result);                                         // what was trained, and where the encoder is

        using Encoder encoder = Encoder.Load(result.EncoderPath);
        float[] vector = encoder.Embed("photo.jpg");                       // one image
        float[][] vectors = encoder.Embed(Directory.GetFiles("photos"));   // or many
    }
}

// Pretrains on a folder of images without labels, says what it did, and turns the images into vectors:
//   dotnet run -c Release samples/pretrain.cs FOLDER
#:project ../src/SiamSharp/SiamSharp.csproj
#:property TorchBackend=cpu

using SiamSharp;
using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Recipes;
using SiamSharp.Training;

if (args is not [var folder])
{
    Console.Error.WriteLine("Give a folder of images: dotnet run -c Release samples/pretrain.cs FOLDER");
    return 2;
}
IImageSource images = ImageSources.Open(folder);
Recipe recipe = Recipe.For(images, backbone: BackboneOptions.Small) with
{
    Training = new() { Epochs = 20, BatchSize = Math.Min(64, images.Count) }
};
PretrainingResult result = Pretraining.Run(recipe, images, Path.Combine(Path.GetTempPath(), $"run-{Guid.NewGuid():N}"));
Console.WriteLine(result);

using Encoder encoder = Encoder.Load(result.EncoderPath);
float[][] vectors = encoder.Embed([.. Enumerable.Range(0, Math.Min(3, images.Count)).Select(images.PathOf)]);
Console.WriteLine($"Its first {vectors.Length} images are vectors of {vectors[0].Length} numbers.");
return 0;

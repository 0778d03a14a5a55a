// Classifies images in ML.NET with what `siam export onnx --classifier FILE --out model.onnx` wrote:
//    MLNetSample model.onnx IMAGE...
using System.Globalization;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Transforms.Image;
using SkiaSharp;

if (args.Length < 2)
{
    Console.Error.WriteLine("Give the model and one image or more: MLNetSample model.onnx IMAGE...");
    return 2;
}
using var session = new InferenceSession(args[0]); // for the names of the classes, the size and the threshold
var about = session.ModelMetadata.CustomMetadataMap;
string[] classes = JsonSerializer.Deserialize<string[]>(about["classes"])!;
int size = int.Parse(about["size"], CultureInfo.InvariantCulture),
    channels = int.Parse(about["channels"], CultureInfo.InvariantCulture);
// the value of a white pixel: 255 where the images had 8 bits
float white = float.Parse(about["white"], CultureInfo.InvariantCulture);
// what shows through transparency: white, black or mean
string behind = JsonDocument.Parse(about["data"]).RootElement.GetProperty("alpha").GetString()!;
// the probability from which on an answer is to be trusted
float threshold = float.Parse(about["threshold"], CultureInfo.InvariantCulture);

var ml = new MLContext();
var pipeline = ml.Transforms.ResizeImages("resized", size, size, nameof(Photo.Image), ImageResizingEstimator.ResizingKind.IsoCrop)
    .Append(ml.Transforms.ExtractPixels("pixels", "resized",
        channels == 1 ? ImagePixelExtractingEstimator.ColorBits.Red : ImagePixelExtractingEstimator.ColorBits.Rgb,
        scaleImage: white / 255))
    .Append(ml.Transforms.ApplyOnnxModel(["probabilities"], ["pixels"], args[0],
        new Dictionary<string, int[]> { ["pixels"] = [1, channels, size, size] }, recursionLimit: 100));
// ML.NET's own LoadImages would end the whole at the first file that it cannot read, show black through transparency, and leave
// it to ResizeImages, which takes the nearest pixels only: here it has to crop only.
IDataView photos = ml.Data.LoadFromEnumerable(args[1..].Select(Read).OfType<Photo>().ToArray());
foreach (Answer answer in ml.Data.CreateEnumerable<Answer>(pipeline.Fit(photos).Transform(photos), reuseRowObject: false))
{
    float probability = answer.Probabilities.Max();
    string name = classes[Array.IndexOf(answer.Probabilities, probability)];
    Console.WriteLine($"{answer.Path}: {(probability >= threshold ? name : $"not sure, {name} perhaps")} "
        + $"{probability.ToString("F3", CultureInfo.InvariantCulture)}");
}
return 0;

Photo? Read(string path)
{
    using SKCodec? codec = SKCodec.Create(path);
    SKCodecResult result = SKCodecResult.InvalidInput;
    if (codec is not null)
    {
        var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Bgra8888, SKAlphaType.Unpremul);
        result = codec.GetPixels(info, out byte[] pixels); // blue, green, red and alpha of each
        if (result == SKCodecResult.Success)
        {
            Flatten(pixels);
            return new Photo
            {
                Path = path,
                Image = MLImage.CreateFromPixels(info.Width, info.Height, MLPixelFormat.Bgra32, pixels)
            };
        }
    }
    Console.Error.WriteLine(
        $"{path} is left out: {(File.Exists(path) ? $"it is no image that can be read ({result})" : "it does not exist")}.");
    return null;
}

// Puts what is transparent on the ground that the images of the training had.
void Flatten(byte[] pixels)
{
    for (int c = 0; c < 3; c++)
    {
        double sum = 0, weight = 0;
        for (int i = 0; i < pixels.Length; i += 4) (sum, weight) = (sum + pixels[i + c] * pixels[i + 3], weight + pixels[i + 3]);
        double ground = behind == "white" ? 255 : behind == "mean" && weight > 0 ? sum / weight : 0;
        for (int i = 0; i < pixels.Length; i += 4)
            pixels[i + c] = (byte)Math.Round(ground + (pixels[i + c] - ground) * pixels[i + 3] / 255);
    }
    for (int i = 3; i < pixels.Length; i += 4) pixels[i] = 255;
}

internal sealed class Photo
{
    public string Path { get; set; } = "";

    [ImageType(1, 1)] // of any size
    public MLImage? Image { get; set; }
}

internal sealed class Answer
{
    public string Path { get; set; } = "";

    [ColumnName("probabilities")]
    public float[] Probabilities { get; set; } = [];
}

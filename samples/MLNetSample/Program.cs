// Classifies colour images in ML.NET with what `siam export onnx --classifier FILE --out model.onnx` wrote:   MLNetSample model.onnx IMAGE...
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
int size = int.Parse(about["size"], CultureInfo.InvariantCulture);
float threshold = float.Parse(about["threshold"], CultureInfo.InvariantCulture); // the probability from which on an answer is to be trusted

var ml = new MLContext();
var pipeline = ml.Transforms.LoadImages("image", imageFolder: null, nameof(Photo.Path))
    .Append(ml.Transforms.ResizeImages("image", size, size, resizing: ImageResizingEstimator.ResizingKind.IsoCrop))
    .Append(ml.Transforms.ExtractPixels("pixels", "image")) // red, green and blue one after the other, 0 to 255
    .Append(ml.Transforms.ApplyOnnxModel(["probabilities"], ["pixels"], args[0], new Dictionary<string, int[]> { ["pixels"] = [1, 3, size, size] }, recursionLimit: 100));
// LoadImages ends the whole at the first file that it cannot read: such files are named and left out.
IDataView photos = ml.Data.LoadFromEnumerable(args[1..].Where(IsWhole).Select(path => new Photo { Path = path }).ToArray());
foreach (Answer answer in ml.Data.CreateEnumerable<Answer>(pipeline.Fit(photos).Transform(photos), reuseRowObject: false))
{
    float probability = answer.Probabilities.Max();
    string name = classes[Array.IndexOf(answer.Probabilities, probability)];
    Console.WriteLine($"{answer.Path}: {(probability >= threshold ? name : $"not sure, {name} perhaps")} {probability.ToString("F3", CultureInfo.InvariantCulture)}");
}
return 0;

static bool IsWhole(string path)
{
    using SKCodec? codec = SKCodec.Create(path);
    SKCodecResult result = SKCodecResult.InvalidInput;
    if (codec is not null)
    {
        using var pixels = new SKBitmap(codec.Info);
        result = codec.GetPixels(pixels.Info, pixels.GetPixels());
    }
    if (result != SKCodecResult.Success) Console.Error.WriteLine($"{path} is left out: {(File.Exists(path) ? $"it is no image that can be read ({result})" : "it does not exist")}.");
    return result == SKCodecResult.Success;
}

internal class Photo { public string Path { get; set; } = ""; }

internal sealed class Answer : Photo { [ColumnName("probabilities")] public float[] Probabilities { get; set; } = []; }

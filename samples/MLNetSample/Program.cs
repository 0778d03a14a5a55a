// Classifies colour images in ML.NET with what `siam export onnx --classifier FILE --out model.onnx` wrote:   MLNetSample model.onnx IMAGE...
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Transforms.Image;

using var session = new InferenceSession(args[0]); // for the names of the classes and the size
var about = session.ModelMetadata.CustomMetadataMap;
string[] classes = JsonSerializer.Deserialize<string[]>(about["classes"])!;
int size = int.Parse(about["size"]);

var ml = new MLContext();
var pipeline = ml.Transforms.LoadImages("image", imageFolder: null, nameof(Photo.Path))
    .Append(ml.Transforms.ResizeImages("image", size, size, resizing: ImageResizingEstimator.ResizingKind.IsoCrop))
    .Append(ml.Transforms.ExtractPixels("pixels", "image")) // red, green and blue one after the other, 0 to 255
    .Append(ml.Transforms.ApplyOnnxModel(["probabilities"], ["pixels"], args[0], new Dictionary<string, int[]> { ["pixels"] = [1, 3, size, size] }, recursionLimit: 100));
IDataView photos = ml.Data.LoadFromEnumerable(args[1..].Select(path => new Photo { Path = path }));
foreach (Answer answer in ml.Data.CreateEnumerable<Answer>(pipeline.Fit(photos).Transform(photos), reuseRowObject: false))
    Console.WriteLine($"{answer.Path}: {classes[Array.IndexOf(answer.Probabilities, answer.Probabilities.Max())]} {answer.Probabilities.Max():F3}");

internal class Photo { public string Path { get; set; } = ""; }

internal sealed class Answer : Photo { [ColumnName("probabilities")] public float[] Probabilities { get; set; } = []; }

// Classifies images of 8 bits with what `siam export onnx --classifier FILE --out model.onnx` wrote:   OnnxRuntimeSample model.onnx IMAGE...
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using NetVips;

using var session = new InferenceSession(args[0]);
var about = session.ModelMetadata.CustomMetadataMap;
string[] classes = JsonSerializer.Deserialize<string[]>(about["classes"])!;
int size = int.Parse(about["size"]), channels = int.Parse(about["channels"]);
bool white = about["data"].Contains("\"alpha\":\"white\"");

foreach (string path in args[1..])
{
    Image image = Image.Thumbnail(path, size, height: size, size: Enums.Size.Both, crop: Enums.Interesting.Centre);
    if (image.HasAlpha()) image = image.Flatten(background: [white ? 255 : 0]);         // as trained: data.alpha is white or black
    image = image.Colourspace(channels == 1 ? Enums.Interpretation.Bw : Enums.Interpretation.Srgb).ExtractBand(0, n: channels).Cast(Enums.BandFormat.Uchar);
    byte[] bytes = image.WriteToMemory<byte>();                                         // the channels of a pixel side by side
    float[] pixels = new float[bytes.Length];                                           // (C, H, W), 0 to 255
    for (int i = 0; i < bytes.Length; i++) pixels[i % channels * size * size + i / channels] = bytes[i];

    using OrtValue input = OrtValue.CreateTensorValueFromMemory(pixels, [1, channels, size, size]);
    using var options = new RunOptions();
    using var results = session.Run(options, ["pixels"], [input], ["probabilities"]);
    float[] probabilities = results[0].GetTensorDataAsSpan<float>().ToArray();
    int best = Array.IndexOf(probabilities, probabilities.Max());
    Console.WriteLine($"{path}: {classes[best]} {probabilities[best]:F3}");
}

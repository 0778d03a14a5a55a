// Classifies images of 8 bits with what `siam export onnx --classifier FILE --out model.onnx` wrote:
//    OnnxRuntimeSample model.onnx IMAGE...
using System.Globalization;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using NetVips;

if (args.Length < 2)
{
    Console.Error.WriteLine("Give the model and one image or more: OnnxRuntimeSample model.onnx IMAGE...");
    return 2;
}
using var session = new InferenceSession(args[0]);
var about = session.ModelMetadata.CustomMetadataMap;
string[] classes = JsonSerializer.Deserialize<string[]>(about["classes"])!;
int size = int.Parse(about["size"], CultureInfo.InvariantCulture),
    channels = int.Parse(about["channels"], CultureInfo.InvariantCulture);
// the probability from which on an answer is to be trusted
float threshold = float.Parse(about["threshold"], CultureInfo.InvariantCulture);
bool white = about["data"].Contains("\"alpha\":\"white\"");

foreach (string path in args[1..])
{
    byte[] bytes;
    try
    {
        Image image = Image.Thumbnail(path, size, height: size, size: Enums.Size.Both, crop: Enums.Interesting.Centre,
            failOn: Enums.FailOn.Truncated);
        if (image.HasAlpha()) image = image.Flatten(background: [white ? 255 : 0]); // as trained: data.alpha is white or black
        image = image.Colourspace(channels == 1 ? Enums.Interpretation.Bw : Enums.Interpretation.Srgb).ExtractBand(0, n: channels)
            .Cast(Enums.BandFormat.Uchar);
        bytes = image.WriteToMemory<byte>(); // the channels of a pixel side by side
    }
    catch (VipsException e)
    {
        Console.Error.WriteLine($"{path} is left out: {e.Message.ReplaceLineEndings(" ").Trim()}");
        continue;
    }
    float[] pixels = new float[bytes.Length];                                               // (C, H, W), 0 to 255
    for (int i = 0; i < bytes.Length; i++) pixels[i % channels * size * size + i / channels] = bytes[i];

    using OrtValue input = OrtValue.CreateTensorValueFromMemory(pixels, [1, channels, size, size]);
    using var options = new RunOptions();
    using var results = session.Run(options, ["pixels"], [input], ["probabilities"]);
    float[] probabilities = results[0].GetTensorDataAsSpan<float>().ToArray();
    float probability = probabilities.Max();
    string name = classes[Array.IndexOf(probabilities, probability)];
    Console.WriteLine($"{path}: {(probability >= threshold ? name : $"not sure, {name} perhaps")} "
        + $"{probability.ToString("F3", CultureInfo.InvariantCulture)}");
}
return 0;

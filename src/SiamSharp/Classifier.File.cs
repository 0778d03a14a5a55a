using System.Globalization;
using System.Text.Json;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Training;
using static TorchSharp.torch;

namespace SiamSharp;

// A classifier as a file.
public sealed partial class Classifier
{
    private const string EncoderPrefix = "encoder.";

    /// <summary>Writes encoder and classifier to one file.</summary>
    /// <param name="path">A .safetensors file; replaced whole or not at all.</param>
    /// <exception cref="NotSupportedException">The encoder's network is the user's own.</exception>
    /// <exception cref="RunException">The file cannot be written.</exception>
    public void Save(string path)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Encoder.Options is null)
            throw new NotSupportedException("A classifier on a network of your own cannot be written: "
                + "only networks of this library can be built again from a file.");
        Dictionary<string, string> metadata = Encoder.Metadata(Encoder.Options, Encoder.Preprocessing, Encoder.Channels,
            Encoder.Size, Data, Encoder.White);
        metadata["format"] = FileMetadata.ClassifierFormat;
        metadata["classes"] = JsonSerializer.Serialize(ClassNames);
        metadata["temperature"] = Temperature.ToString("R", CultureInfo.InvariantCulture);
        metadata["threshold"] = Threshold.ToString("R", CultureInfo.InvariantCulture);
        var tensors = Encoder.Backbone.state_dict().ToDictionary(t => EncoderPrefix + t.Key, t => t.Value);
        (tensors["head.mean"], tensors["head.scale"], tensors["head.weight"]) = (_mean, _scale, _weight);
        FileWriting.Writing(path, () => SafeTensors.Write(path, tensors, metadata));
    }

    /// <summary>Reads a classifier.</summary>
    /// <param name="path">Written by <see cref="Save"/>.</param>
    /// <returns>Owned by the caller.</returns>
    /// <exception cref="RunException">The file is missing or no classifier.</exception>
    public static Classifier Load(string path)
    {
        if (Directory.Exists(path))
            throw new RunException(new RunFolder(path).HasRun
                ? $"{path} is the folder of a run, not a classifier. Make one of it first, `siam classify fit --run {path} "
                    + "--data LABELLED --out classifier.safetensors`, and give that file."
                : $"{path} is a folder, not a classifier. Give the file that `siam classify fit` wrote.");
        if (!File.Exists(path)) throw new RunException($"{path} is missing. Make it with `siam classify fit`.");
        using SafeTensorsFile file = Opened(path);
        if (file.Metadata.GetValueOrDefault("format") != FileMetadata.ClassifierFormat)
            throw new RunException($"{path} holds no classifier written by SiamSharp: its metadata "
                + $"{(file.Metadata.GetValueOrDefault("format") is { } other ? $"says format={other}" : "names no format")} "
                + $"where a classifier has format={FileMetadata.ClassifierFormat}. "
                + "Make one with `siam classify fit`.");
        var metadata = new FileMetadata(path, file.Metadata);
        var (data, classes) = (metadata.Options<DataOptions>("data"), metadata.Names("classes"));
        var (temperature, threshold) =
            (metadata.Number("temperature", 1e-9, 1e9), metadata.Number("threshold", 0, double.BitIncrement(1)));
        if (classes.Length < 2 || classes.Any(string.IsNullOrEmpty) || classes.Distinct().Count() < classes.Length)
            throw metadata.Fault("\"classes\" in its metadata must be two names or more, each another, "
                + $"but there are {classes.Distinct().Count(c => c.Length > 0)} names for {classes.Length} classes");
        Encoder encoder = Encoder.Build(metadata,
            file.Tensors.Where(t => t.Key.StartsWith(EncoderPrefix, StringComparison.Ordinal))
                .ToDictionary(t => t.Key[EncoderPrefix.Length..], t => t.Value));
        try
        {
            long width = Encoder.WidthOf(encoder);
            return new(encoder, data, classes, Own("mean", 1, width), Own("scale", 1, width),
                Own("weight", width + 1, classes.Length), temperature, threshold);
        }
        catch
        {
            encoder.Dispose();
            throw;
        }

        Tensor Own(string name, params long[] shape)
        {
            if (!file.Tensors.TryGetValue($"head.{name}", out Tensor? tensor)) throw metadata.Fault($"head.{name} is missing");
            if (!tensor.shape.AsSpan().SequenceEqual(shape) || tensor.dtype != ScalarType.Float32)
                throw metadata.Fault($"head.{name} is {tensor.dtype} ({string.Join(", ", tensor.shape)}), "
                    + $"but must be Float32 ({string.Join(", ", shape)})");
            using var scope = NewDisposeScope();
            return tensor.isfinite().all().item<bool>() ? tensor.clone().DetachFromDisposeScope()
                : throw metadata.Fault($"head.{name} holds a number that is not finite");
        }
    }

    /// <summary>A file of another ending is no damaged classifier, but something else.</summary>
    private static SafeTensorsFile Opened(string path)
    {
        try
        {
            return SafeTensors.Read(path);
        }
        catch (SafeTensorsException e) when (!path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
        {
            throw new RunException($"{path} is no classifier: "
                + $"{string.Join(':', e.Message.Split(": ").Skip(1).Take(1)).TrimEnd('.')}. "
                + "Give the .safetensors file that `siam classify fit` wrote.");
        }
    }
}

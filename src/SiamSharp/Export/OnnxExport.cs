using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Native;
using SiamSharp.Onnx;
using SiamSharp.Options;
using SiamSharp.Views;
using static TorchSharp.torch;

namespace SiamSharp.Export;

/// <summary>How an encoder is exported.</summary>
public sealed record OnnxOptions
{
    /// <summary>
    /// The value of a white pixel in what the model is given: 255 for 8 bits, 65535 for 16 bits, 1 for pixels from 0 to 1. 0
    /// = that of the images that the encoder was trained on (<see cref="Encoder.White"/>), 255 where it is not known.
    /// </summary>
    [Range(0, 1e9)] public double White { get; init; }

    /// <summary>The value of a white pixel for an encoder.</summary>
    public double WhiteFor(Encoder encoder) => White > 0 ? White : encoder.White ?? byte.MaxValue;

    /// <summary>Whether each batch normalisation is merged into the convolution ahead of it.</summary>
    public bool FoldBatchNorm { get; init; }
}

/// <summary>A linear classifier on top of an encoder, to be written with it.</summary>
/// <param name="Weight">float32 (K, D).</param>
/// <param name="Bias">float32 (K).</param>
/// <param name="ClassNames">K names.</param>
/// <param name="Threshold">The probability from which on an answer is to be trusted.</param>
/// <param name="Data">How its images are decoded.</param>
/// <param name="Probabilities">From representations (N, D) to (N, K): what the model is compared with.</param>
internal sealed record OnnxHead(
    Tensor Weight, Tensor Bias, IReadOnlyList<string> ClassNames, double Threshold, DataOptions Data,
    Func<Tensor, Tensor> Probabilities);

/// <summary>Writes an encoder, preprocessing included, as an ONNX model.</summary>
/// <remarks>
/// Input <c>pixels</c>: float32 (N, C, H, W), 0 to the <c>white</c> of the metadata (<see cref="OnnxOptions.WhiteFor"/>); H and W
/// as trained, or any of a ConvNet. Output <c>representation</c>: float32 (N, D). The model holds scaling, high-pass,
/// standardisation and backbone; opset 17, float32. The metadata says what the encoder's own file says, and under <c>encoder</c>
/// its <see cref="Encoder.ContentHash"/>, which indexes of its vectors hold too. Before the file is written ONNX Runtime runs it,
/// and it is refused when an answer is further from libtorch's than 1e-4 of its norm.
/// </remarks>
public static class OnnxExport
{
    private const double Tolerance = 1e-4;

    /// <summary>Writes the model; it is replaced whole or not at all.</summary>
    /// <param name="path">The .onnx file.</param>
    /// <param name="encoder">Not changed.</param>
    /// <param name="options">Pixel range and folding.</param>
    /// <returns>The largest difference from libtorch that was found, relative to the norm of the answer.</returns>
    /// <exception cref="OptionsException">White is out of its range.</exception>
    /// <exception cref="NotSupportedException">The network is not one of this library's.</exception>
    /// <exception cref="RunException">ONNX Runtime gives other answers than libtorch, or the file cannot be written.</exception>
    public static double Write(string path, Encoder encoder, OnnxOptions? options = null) =>
        Write(path, encoder, options ?? new(), null);

    internal static double Write(string path, Encoder encoder, OnnxOptions options, OnnxHead? head)
    {
        options = OptionsJson.Check(options, "onnx") with { White = options.WhiteFor(encoder) };
        byte[] model = Model(encoder, options, head);
        double difference = Difference(model, encoder, head, options);
        if (!(difference <= Tolerance))
            throw new RunException($"{path} was not written: ONNX Runtime's answers differ from libtorch's by {difference:g2} "
                + $"of their norm, more than {Tolerance:g2}.");
        FileWriting.Replacing(path, partial => File.WriteAllBytes(partial, model));
        return difference;
    }

    /// <summary>The model as bytes, not yet compared with libtorch.</summary>
    internal static byte[] Model(Encoder encoder, OnnxOptions options, OnnxHead? head = null)
    {
        using var scope = NewDisposeScope();
        var graph = new OnnxGraph(options.FoldBatchNorm);
        string representation = graph.Add(encoder.Backbone, Preprocess(graph, "pixels", encoder.Preprocessing, options.White));
        graph.Graph.Node.Add(new NodeProto
        {
            OpType = "Identity",
            Name = "representation",
            Input = { representation },
            Output = { "representation" }
        });

        bool anySize = AnySize(encoder);
        graph.Graph.Input.Add(Value("pixels", "batch", encoder.Channels, anySize ? "height" : encoder.Size,
            anySize ? "width" : encoder.Size));
        graph.Graph.Output.Add(Value("representation", "batch", Encoder.WidthOf(encoder)));
        if (head is not null)
        {
            string probabilities = graph.Node("Softmax", [graph.Linear("representation", head.Weight, head.Bias)], ("axis", -1L));
            graph.Graph.Node.Add(new NodeProto
            {
                OpType = "Identity",
                Name = "probabilities",
                Input = { probabilities },
                Output = { "probabilities" }
            });
            graph.Graph.Output.Add(Value("probabilities", "batch", head.ClassNames.Count));
        }
        var model = new ModelProto { IrVersion = 8, ProducerName = "SiamSharp", Graph = graph.Graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 17 });
        (string, string)[] aboutClasses = head is null ? [] :
            [("classes", JsonSerializer.Serialize(head.ClassNames)),
                ("threshold", head.Threshold.ToString("R", CultureInfo.InvariantCulture))];
        (string, string)[] aboutData = (head?.Data ?? encoder.Data) is { } data
            ? [("data", OptionsJson.Write(data).ToJsonString())] : [];
        foreach (var (key, value) in new[]
        {
            ("preprocessing", OptionsJson.Write(encoder.Preprocessing).ToJsonString()), ("channels", $"{encoder.Channels}"),
            ("size", $"{encoder.Size}"), ("white", options.White.ToString("R", CultureInfo.InvariantCulture)),
            ("encoder", encoder.ContentHash()),
        }.Concat(aboutClasses).Concat(aboutData))
        {
            model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        }
        return model.ToByteArray();
    }

    private static bool AnySize(Encoder encoder) => encoder.Backbone is not Backbone { ExportsAnySize: false };

    /// <summary>Scaling, high-pass (a padded, separable convolution of each channel) and standardisation.</summary>
    private static string Preprocess(OnnxGraph graph, string pixels, Preprocessing preprocessing, double white)
    {
        int channels = preprocessing.Channels;
        string signal = pixels;
        if (preprocessing.HighPass.Sigma > 0)
        {
            int kernel = preprocessing.HighPass.Kernel, radius = kernel / 2;
            Tensor weights = tensor(preprocessing.Weights<float>());
            string padded = graph.Node("Pad",
                [pixels, graph.Constant(0, 0, radius, radius, 0, 0, radius, radius)], ("mode", "reflect"));
            string rows = graph.Convolution(padded, weights.view(1, 1, 1, kernel).expand(channels, -1, -1, -1),
                null, [1, 1], [0, 0], channels);
            string blurred = graph.Convolution(rows, weights.view(1, 1, kernel, 1).expand(channels, -1, -1, -1),
                null, [1, 1], [0, 0], channels);
            signal = graph.Node("Sub", [pixels, blurred]);
        }
        Tensor scale = tensor([.. preprocessing.Std.Select(std => (float)(1 / (std * white)))]).view(1, channels, 1, 1);
        signal = graph.Node("Mul", [signal, graph.Constant(scale)]);
        if (preprocessing.Mean.All(mean => mean == 0)) return signal;
        Tensor offset =
            tensor([.. preprocessing.Mean.Zip(preprocessing.Std, (mean, std) => (float)(-mean / std))]).view(1, channels, 1, 1);
        return graph.Node("Add", [signal, graph.Constant(offset)]);
    }

    private static ValueInfoProto Value(string name, params object[] sizes)
    {
        var shape = new TensorShapeProto();
        foreach (object size in sizes)
            shape.Dim.Add(size is string free ? new TensorShapeProto.Types.Dimension { DimParam = free }
                : new TensorShapeProto.Types.Dimension { DimValue = (int)size });
        return new()
        {
            Name = name,
            Type = new() { TensorType = new() { ElemType = (int)TensorProto.Types.DataType.Float, Shape = shape } }
        };
    }

    /// <summary>Largest relative difference between ONNX Runtime's answers and libtorch's, for random pixels in batches of one
    /// and three, and for another size.</summary>
    private static double Difference(byte[] model, Encoder encoder, OnnxHead? head, OnnxOptions options)
    {
        using SessionOptions threads = Processors.Session();
        using var session = new InferenceSession(model, threads);
        double largest = 0;
        foreach (var (count, side) in new[] { (1, encoder.Size), (3, encoder.Size),
            (2, AnySize(encoder) ? encoder.Size + encoder.Size / 2 : encoder.Size) })
        {
            float[] pixels = new float[count * encoder.Channels * side * side];
            var random = new Randomness.RandomStream(1, Randomness.RandomPurpose.Evaluation, sample: side, view: count);
            for (int i = 0; i < pixels.Length; i++)
                pixels[i] = (float)Math.Round(random.NextDouble() * options.White, options.White < 2 ? 3 : 0);
            using var input = OrtValue.CreateTensorValueFromMemory(pixels, [count, encoder.Channels, side, side]);
            using var run = new RunOptions();
            using var results = session.Run(run, ["pixels"], [input],
                head is null ? ["representation"] : ["representation", "probabilities"]);

            using var scope = NewDisposeScope();
            Tensor expected = encoder.Encode(
                tensor(pixels, [count, encoder.Channels, side, side]) / Native.HeldScalars.Held((float)options.White));
            Compare(results[0], expected);
            if (head is not null) Compare(results[1], head.Probabilities(expected));
        }
        return largest;

        void Compare(OrtValue result, Tensor expected)
        {
            Tensor actual = tensor(result.GetTensorDataAsSpan<float>().ToArray(), result.GetTensorTypeAndShape().Shape);
            double difference = actual.shape.AsSpan().SequenceEqual(expected.shape)
                ? (actual - expected).norm().item<float>() / Math.Max(expected.norm().item<float>(), 1e-30)
                : double.PositiveInfinity;
            largest = difference <= largest ? largest : difference; // NaN is kept
        }
    }
}

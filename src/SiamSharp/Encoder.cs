using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.Json.Nodes;
using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Native;
using SiamSharp.Options;
using SiamSharp.Views;
using TorchSharp;
using static TorchSharp.torch;

namespace SiamSharp;

/// <summary>What pretraining is for: a frozen backbone with the preprocessing it was trained with.</summary>
/// <remarks>Always in evaluation mode; no masks. Not safe for concurrent use.</remarks>
public sealed partial class Encoder : IDisposable
{
    private const int EmbedBatch = 64; // images in memory at a time
    private const int FewPixels = 50_000;

    private readonly nn.Module<Tensor, Tensor> _backbone;
    private Device _device = CPU;
    private bool _disposed;

    /// <summary>Puts a backbone and its preprocessing together.</summary>
    /// <param name="backbone">float32 (N, C, H, W) to (N, D); owned by the encoder from here on and switched to evaluation
    /// mode.</param>
    /// <param name="preprocessing">Applied to pixels first.</param>
    /// <param name="channels">C.</param>
    /// <param name="size">H and W that it was trained with, in pixels.</param>
    public Encoder(nn.Module<Tensor, Tensor> backbone, Preprocessing preprocessing, int channels, int size)
        : this(backbone, preprocessing, channels, size, null) { }

    /// <summary>Makes an encoder of one of this library's networks.</summary>
    /// <param name="options">The network and its weights.</param>
    /// <param name="preprocessing">Applied to pixels first.</param>
    /// <param name="channels">C.</param>
    /// <param name="size">H and W in pixels.</param>
    /// <exception cref="StateDictMismatchException">The weights are those of another network.</exception>
    public Encoder(BackboneOptions options, Preprocessing preprocessing, int channels, int size) :
        this(options.Create(channels, size, seed: 0), preprocessing, channels, size, options with { Weights = "" })
    { }

    private Encoder(
        nn.Module<Tensor, Tensor> backbone, Preprocessing preprocessing, int channels, int size, BackboneOptions? options)
    {
        Processors.FollowQuota();
        OptionsJson.Check(preprocessing, "preprocessing");
        _backbone = backbone;
        _backbone.eval();
        Preprocessing = preprocessing;
        Channels = channels;
        Size = size;
        Options = options;
    }

    /// <summary>C.</summary>
    public int Channels { get; }

    /// <summary>Side of the images it was trained with, in pixels.</summary>
    public int Size { get; }

    /// <summary>What images go through ahead of the backbone.</summary>
    public Preprocessing Preprocessing { get; }

    /// <summary>How the images that it was trained on were decoded; null where it is not known,
    /// as in files of earlier versions.</summary>
    public DataOptions? Data { get; private init; }

    /// <summary>
    /// The value of a white pixel in the images that it was trained on: 255 for 8 bits, 65535 for 16, 4095 for 16 with
    /// <c>data.bits</c> of 12, 1 for floating-point values, which are taken as they are. Null where it is not known, or where
    /// images of several depths were scaled each by its own.
    /// </summary>
    public double? White { get; private init; }

    /// <summary>The recipe of the run that wrote it, as JSON without the path of first weights; null in files of earlier versions
    /// and without a run.</summary>
    internal string? RunRecipe { get; private init; }

    /// <summary>How the network is built again; null for a network of the user's own.</summary>
    internal BackboneOptions? Options { get; }

    /// <summary>The network, for <see cref="Evaluation.FineTuning"/>, which leaves it in evaluation mode.</summary>
    internal nn.Module<Tensor, Tensor> Backbone => _backbone;

    /// <summary>Representations of a batch.</summary>
    /// <param name="images">float32 (N, C, H, W), 0 to 1 for integer sources.</param>
    /// <returns>float32 (N, D), not differentiable, owned by the caller.</returns>
    /// <exception cref="ObjectDisposedException">After <see cref="Dispose"/>.</exception>
    public Tensor Encode(Tensor images)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (images.dim() != 4 || images.shape[1] != Channels)
            throw new ArgumentException($"Images must be (N, {Channels}, H, W), but are ({string.Join(", ", images.shape)}).");
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        Tensor signal = Preprocessing.Apply(images).to(_device);
        // libtorch hands one small image to NNPACK, which complains on standard error at every layer where it does not know the
        // processor.
        if (signal.shape[0] == 1 && signal.shape[2] * signal.shape[3] < FewPixels)
            return _backbone.forward(signal.expand(2, -1, -1, -1))[..1].cpu().MoveToOuterDisposeScope();
        return _backbone.forward(signal).cpu().MoveToOuterDisposeScope();
    }

    /// <summary>The representation of one image file.</summary>
    /// <param name="path">Of any format and size; it is decoded as the images of the run were.</param>
    /// <returns>D numbers.</returns>
    /// <exception cref="UnreadableImageException">The file is missing, damaged or no image.</exception>
    public float[] Embed(string path) => Embed([path])[0];

    /// <summary>The representations of image files.</summary>
    /// <remarks>For whole folders, files of vectors and search there is <c>SiamSharp.Embeddings.Embedding</c>.</remarks>
    /// <param name="paths">N files of any format and size; they are decoded as the images of the run were.</param>
    /// <param name="cancellationToken">Looked at between batches.</param>
    /// <returns>N times D numbers, in the order of the paths.</returns>
    /// <exception cref="UnreadableImageException">A file is missing, damaged or no image.</exception>
    public float[][] Embed(IReadOnlyList<string> paths, CancellationToken cancellationToken = default)
    {
        DataOptions decoding = DecodingFor(Data ?? new());
        var vectors = new float[paths.Count][];
        int length = Channels * Size * Size;
        for (int start = 0; start < paths.Count; start += EmbedBatch)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            int first = start, count = Math.Min(EmbedBatch, paths.Count - start);
            float[] pixels = new float[count * length];
            try
            {
                Parallel.For(0, count,
                    i => ImageFile.Decode(paths[first + i], Size, decoding).CopyTo(pixels.AsSpan(i * length, length)));
            }
            catch (AggregateException e)
                when (e.InnerExceptions.OfType<UnreadableImageException>().FirstOrDefault() is { } unreadable)
            {
                throw unreadable;
            }
            Tensor representations = Encode(tensor(pixels, [count, Channels, Size, Size]));
            for (int i = 0; i < count; i++) vectors[first + i] = representations[i].data<float>().ToArray();
        }
        return vectors;
    }

    /// <summary>Names the encoder by what it computes: the same for a run's encoder.safetensors, an exported copy, a classifier
    /// made of it, and the <c>encoder</c> in the metadata of its ONNX models.</summary>
    /// <remarks>
    /// Definition: XxHash128 of these bytes. First a text in UTF-8: the line <c>siamsharp-encoder-1</c>; a line of JSON with the
    /// options of the network that are not at their defaults, none for a network of the user's own;
    /// a line with sigma and kernel of the high-pass (0 0 where it is off), the means, the standard deviations, the channels and
    /// the size, separated by spaces. Then for each tensor of the state dict, by name in ordinal
    /// order: a line with name, element type and shape, and its elements, little endian. A path from which weights were taken, or
    /// a file's name, is no part of it.
    /// </remarks>
    /// <returns>32 hexadecimal digits.</returns>
    public string ContentHash()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        JsonObject network = Options is null ? [] : OptionsJson.Write(Options with { Weights = "" }),
            defaults = OptionsJson.Write(new BackboneOptions());
        foreach (string key in network.Select(option => option.Key).ToArray())
            if (JsonNode.DeepEquals(network[key], defaults[key])) network.Remove(key);
        bool filtered = Preprocessing.HighPass.Sigma > 0;
        double[] numbers = [filtered ? Preprocessing.HighPass.Sigma : 0, filtered ? Preprocessing.HighPass.Kernel : 0,
            .. Preprocessing.Mean, .. Preprocessing.Std, Channels, Size];
        var hash = new XxHash128();
        Line("siamsharp-encoder-1");
        Line(network.ToJsonString());
        Line(string.Join(' ', numbers.Select(x => x.ToString("R", CultureInfo.InvariantCulture))));
        foreach (var (name, weights) in _backbone.state_dict().OrderBy(t => t.Key, StringComparer.Ordinal))
        {
            Line($"{name} {weights.dtype} {string.Join('x', weights.shape)}");
            TensorBytes.ForEachPiece(weights, piece => hash.Append(piece.bytes));
        }
        return Convert.ToHexStringLower(hash.GetCurrentHash());

        void Line(string text) => hash.Append(Encoding.UTF8.GetBytes(text + "\n"));
    }

    /// <summary>Moves the network, such as to <c>torch.CUDA</c>; images and representations stay on the processor.</summary>
    /// <param name="device">Where it is to run.</param>
    /// <returns>This encoder.</returns>
    public Encoder To(Device device)
    {
        _backbone.to(_device = device);
        return this;
    }

    /// <summary>Where the network runs.</summary>
    internal Device Device => _device;

    /// <summary>How the images that this encoder is to see are decoded.</summary>
    /// <remarks>
    /// The size is the encoder's, and so are the channels where the run took those of its files, so that single grey or RGB files
    /// are converted. Transparency that no image of the run had shows the mean.
    /// </remarks>
    /// <param name="trained">How the images that it was trained on were decoded.</param>
    public DataOptions DecodingFor(DataOptions trained) => trained with
    {
        Size = Size,
        Channels = trained.Channels != 0 ? trained.Channels : Channels,
        Alpha = trained.Alpha == AlphaBackground.Auto ? AlphaBackground.Mean : trained.Alpha,
    };

    /// <summary>An encoder with the same preprocessing and first weights, without training: what a run started from.</summary>
    /// <param name="options">The network and its first weights.</param>
    /// <param name="seed">Of the weights that are drawn.</param>
    /// <returns>Owned by the caller.</returns>
    public Encoder Untrained(BackboneOptions options, ulong seed) =>
        new(options.Create(Channels, Size, seed), Preprocessing, Channels, Size);

    /// <summary>Width D of an encoder's representation.</summary>
    internal static int WidthOf(Encoder encoder)
    {
        using var scope = NewDisposeScope();
        return (int)encoder.Encode(zeros(2, encoder.Channels, encoder.Size, encoder.Size)).shape[1];
    }

    /// <summary>Width D of a network's representation, by running it once on two black images.</summary>
    internal static int WidthOf(Func<nn.Module<Tensor, Tensor>> make, int channels, int size)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var network = make();
        network.eval();
        Tensor output = network.forward(zeros(2, channels, size, size));
        return output.dim() == 2 && output.shape[0] == 2
            ? (int)output.shape[1]
            : throw new ArgumentException(
                $"A backbone must turn (N, C, H, W) into (N, D), but gave ({string.Join(", ", output.shape)}) for "
                    + $"(2, {channels}, {size}, {size}): average or flatten at its end.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _backbone.Dispose();
    }
}

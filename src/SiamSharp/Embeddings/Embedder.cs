using Microsoft.ML.OnnxRuntime;
using SiamSharp.Export;
using SiamSharp.Native;
using static TorchSharp.torch;

namespace SiamSharp.Embeddings;

/// <summary>What computes representations.</summary>
public enum EmbedEngine
{
    /// <summary>ONNX Runtime where it knows the network, otherwise libtorch.</summary>
    Auto,

    /// <summary>ONNX Runtime, usually the faster one on a CPU.</summary>
    Onnx,

    /// <summary>libtorch, without building a model first.</summary>
    Libtorch,
}

/// <summary>Turns pixels into representations with an encoder.</summary>
/// <remarks>Not safe for concurrent use; it uses all processors by itself.</remarks>
public sealed class Embedder : IDisposable
{
    private readonly InferenceSession? _session;
    private bool _disposed;

    /// <summary>Prepares an encoder.</summary>
    /// <param name="encoder">Stays the caller's, who disposes of it after this.</param>
    /// <param name="engine">What computes.</param>
    /// <exception cref="NotSupportedException"><see cref="EmbedEngine.Onnx"/> is asked for, but the network cannot be
    /// exported.</exception>
    public Embedder(Encoder encoder, EmbedEngine engine = EmbedEngine.Auto)
    {
        (Encoder, Width) = (encoder, SiamSharp.Encoder.WidthOf(encoder));
        if (engine == EmbedEngine.Libtorch) return;
        try
        {
            using SessionOptions threads = Processors.Session();
            _session =
                new InferenceSession(OnnxExport.Model(encoder, new OnnxOptions { White = 1, FoldBatchNorm = true }), threads);
        }
        catch (NotSupportedException) when (engine == EmbedEngine.Auto) { }
    }

    /// <summary>What it was prepared with.</summary>
    public Encoder Encoder { get; }

    /// <summary>D.</summary>
    public int Width { get; }

    /// <summary>C.</summary>
    public int Channels => Encoder.Channels;

    /// <summary>H and W in pixels.</summary>
    public int Size => Encoder.Size;

    internal double? White => Encoder.White;

    /// <summary>What computes: <see cref="EmbedEngine.Onnx"/> or <see cref="EmbedEngine.Libtorch"/>.</summary>
    public EmbedEngine Engine => _session is null ? EmbedEngine.Libtorch : EmbedEngine.Onnx;

    /// <summary>Representations of a batch.</summary>
    /// <param name="pixels">N images, (N, C, H, W), 0 to 1 for integer sources.</param>
    /// <param name="representations">N D numbers are written here.</param>
    /// <exception cref="ArgumentException">The lengths do not belong together.</exception>
    /// <exception cref="ObjectDisposedException">This or its encoder was disposed of.</exception>
    public void Embed(Memory<float> pixels, Span<float> representations)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int image = Channels * Size * Size, count = pixels.Length / image;
        if (count * image != pixels.Length || representations.Length != count * Width)
            throw new ArgumentException($"{pixels.Length} pixels and room for {representations.Length} numbers are no whole "
                + $"images of {image} and vectors of {Width}.");
        if (count == 0) return;
        long[] shape = [count, Channels, Size, Size];
        if (_session is null)
        {
            using var scope = NewDisposeScope();
            Encoder.Encode(tensor(pixels.Span.ToArray(), shape)).data<float>().CopyTo(representations);
            return;
        }
        using var input = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, pixels, shape);
        using var run = new RunOptions();
        using var results = _session.Run(run, ["pixels"], [input], ["representation"]);
        results[0].GetTensorDataAsSpan<float>().CopyTo(representations);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _session?.Dispose();
    }
}

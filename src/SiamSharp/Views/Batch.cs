using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace SiamSharp.Views;

/// <summary>The values of single samples of a batch on the CPU.</summary>
internal static class Batch
{
    /// <summary>The values of one sample, which stay valid as long as the batch lives.</summary>
    /// <param name="batch">Contiguous, on the CPU, (N, ...) of <typeparamref name="T"/>.</param>
    /// <param name="sample">0 to N - 1.</param>
    public static Span<T> Sample<T>(Tensor batch, int sample) where T : unmanaged
    {
        using Tensor one = batch[sample];
        return MemoryMarshal.Cast<byte, T>(one.bytes);
    }

    /// <summary>An uninitialised float32 batch on the CPU.</summary>
    public static Tensor Empty(long count, int channels, int size) => empty([count, channels, size, size], ScalarType.Float32, CPU);
}

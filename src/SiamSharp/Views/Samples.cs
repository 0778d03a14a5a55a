using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace SiamSharp.Views;

/// <summary>The values of single samples of a batch on the CPU, from any thread, as long as the batch lives.</summary>
/// <typeparam name="T">The batch's element type.</typeparam>
internal readonly unsafe struct Samples<T> where T : unmanaged
{
    private readonly T* _values;
    private readonly int _length;

    /// <summary>Looks into a batch.</summary>
    /// <param name="batch">Contiguous, on the CPU, (N, ...) of <typeparamref name="T"/>.</param>
    public Samples(Tensor batch)
    {
        if (batch.shape[0] == 0) return;
        using Tensor first = batch[0];
        Span<T> values = MemoryMarshal.Cast<byte, T>(first.bytes);
        _length = values.Length;
        fixed (T* start = values) _values = start; // native memory: it does not move
    }

    /// <summary>The values of one sample, 0 to N - 1.</summary>
    public Span<T> this[int sample] => new(_values + (long)sample * _length, _length);
}

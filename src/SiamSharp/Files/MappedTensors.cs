using SiamSharp.Native;
using static TorchSharp.torch;

namespace SiamSharp.Files;

/// <summary>Tensors whose memory is a file: one mapping for each element type, of which every tensor is a view.</summary>
/// <param name="path">The file.</param>
/// <param name="length">Its length in bytes.</param>
internal sealed class MappedTensors(string path, long length) : IDisposable
{
    private readonly Dictionary<ScalarType, Tensor> _whole = [];

    /// <summary>The tensor of an entry, owned by the caller; null where it cannot be a view of the file.</summary>
    /// <param name="entry">What lies in the file.</param>
    /// <param name="offset">Its first byte, counted from the start of the file.</param>
    public Tensor? View(SafeTensorsEntry entry, long offset)
    {
        if (entry.End == entry.Begin || SafeTensorsTypes.Widening(entry.TypeName) is not null) return null;
        long elements = entry.Shape.Aggregate(1L, (a, b) => a * b), size = (entry.End - entry.Begin) / elements;
        if (offset % size != 0) return null;
        if (!_whole.TryGetValue(entry.Type, out Tensor? whole))
            _whole[entry.Type] = whole = TorchOperators.Map(path, length / size, entry.Type).DetachFromDisposeScope();
        using Tensor flat = whole.narrow(0, offset / size, elements);
        return flat.view([.. entry.Shape]).DetachFromDisposeScope();
    }

    /// <summary>The views stay: libtorch ends a mapping with its last view.</summary>
    public void Dispose()
    {
        foreach (Tensor whole in _whole.Values) whole.Dispose();
    }
}

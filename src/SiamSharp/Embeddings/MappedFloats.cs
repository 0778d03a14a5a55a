using System.Buffers;
using System.IO.MemoryMappedFiles;

namespace SiamSharp.Embeddings;

/// <summary>Numbers of a file that stay in it.</summary>
internal sealed unsafe class MappedFloats : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private readonly long _count;

    /// <param name="path">The file, not empty.</param>
    /// <param name="offset">Byte at which they begin.</param>
    /// <param name="count">How many there are.</param>
    public MappedFloats(string path, long offset, long count)
    {
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _start = start + _view.PointerOffset + offset;
        _count = count;
    }

    /// <summary>All of them in blocks of the same length but the last; they end with this object.</summary>
    public List<ReadOnlyMemory<float>> Blocks(int most)
    {
        var blocks = new List<ReadOnlyMemory<float>>();
        for (long at = 0; at < _count; at += most) blocks.Add(new Block((float*)_start + at, (int)Math.Min(most, _count - at)).Memory);
        return blocks;
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    private sealed class Block(float* start, int length) : MemoryManager<float>
    {
        public override Span<float> GetSpan() => new(start, length);

        public override MemoryHandle Pin(int elementIndex = 0) => new(start + elementIndex);

        public override void Unpin() { }

        protected override void Dispose(bool disposing) { }
    }
}

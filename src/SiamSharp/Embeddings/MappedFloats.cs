using System.Buffers;
using System.IO.Hashing;
using System.IO.MemoryMappedFiles;

namespace SiamSharp.Embeddings;

/// <summary>Numbers of a file that stay in it.</summary>
internal sealed unsafe class MappedFloats : IDisposable
{
    private readonly FileStream _stream;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private readonly long _length;

    /// <param name="stream">The file, not empty; disposed with this object.</param>
    public MappedFloats(FileStream stream) : this(stream, leaveOpen: false) { }

    private MappedFloats(FileStream stream, bool leaveOpen)
    {
        (_stream, _length) = (stream, stream.Length);
        _file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read,
            HandleInheritability.None, leaveOpen);
        _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _start = start + _view.PointerOffset;
    }

    /// <summary>Maps a file that stays its owner's.</summary>
    public static MappedFloats Of(FileStream stream) => new(stream, leaveOpen: true);

    /// <summary>Some of the numbers, which end with this object.</summary>
    /// <param name="offset">Byte at which they begin.</param>
    /// <param name="count">How many there are.</param>
    public ReadOnlyMemory<float> Block(long offset, int count) => offset >= 0 && offset <= _length - (long)count * sizeof(float)
        ? new Piece((float*)(_start + offset), count).Memory
        : throw new ArgumentOutOfRangeException(nameof(offset), offset,
            $"{count} numbers from there on do not lie in the file's {_length} bytes.");

    /// <summary>XxHash128 of the whole file, 32 hexadecimal digits.</summary>
    public string Hash()
    {
        var hash = new XxHash128();
        for (long at = 0; at < _length; at += int.MaxValue)
            hash.Append(new ReadOnlySpan<byte>(_start + at, (int)Math.Min(int.MaxValue, _length - at)));
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    /// <summary>Whether the file is still as long as it was: a page that is no more ends the process when it is
    /// touched.</summary>
    public bool IsWhole => _stream.Length >= _length;

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    private sealed class Piece(float* start, int length) : MemoryManager<float>
    {
        public override Span<float> GetSpan() => new(start, length);

        public override MemoryHandle Pin(int elementIndex = 0) => new(start + elementIndex);

        public override void Unpin() { }

        protected override void Dispose(bool disposing) { }
    }
}

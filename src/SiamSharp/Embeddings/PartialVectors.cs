using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using SiamSharp.Data;

namespace SiamSharp.Embeddings;

/// <summary>The vectors of a source as they are computed, a batch after the other, in a file that a later process goes on
/// with.</summary>
/// <remarks>
/// A line of JSON that says what the vectors are of, filled with spaces to a multiple of 64 bytes; then a record for each batch.
/// A record: int32 images, readable ones n, bytes of JSON, 0; n int32, the
/// places of the readable images in the batch; n D float32; the skipped images as JSON; each of the three filled with zeros to a
/// multiple of 16 bytes; and XxHash128 of the hash
/// before (of the first line, for the first record) and the whole record. What comes after a record that is torn or damaged
/// counts as not done.
/// The file is held by one process at a time, until that has ended, however it does.
/// </remarks>
internal sealed class PartialVectors : IDisposable
{
    private const int HashBytes = 16;

    private readonly string _path;
    private readonly FileStream _file;
    private readonly int _width, _count, _batchSize;
    private readonly List<(int Start, int[] Places, long Vectors)> _batches = [];
    private readonly List<SkippedFile> _skipped = [];
    private byte[] _hash = [];

    /// <summary>Opens the file of an earlier call, or begins one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="identity">What the vectors are of; vectors of something else are not gone on with.</param>
    /// <param name="width">D.</param>
    /// <param name="count">Images in all.</param>
    /// <param name="batchSize">Images of a batch; the last may have fewer.</param>
    /// <exception cref="EmbeddingFileException">Another process holds it.</exception>
    public PartialVectors(string path, JsonObject identity, int width, int count, int batchSize)
    {
        (_path, _width, _count, _batchSize) = (path, width, count, batchSize);
        _file = Hold(path);
        try
        {
            string first = identity.ToJsonString();
            byte[] head = Encoding.UTF8.GetBytes(first);
            head = [.. head, .. Enumerable.Repeat((byte)' ', 63 - head.Length % 64), (byte)'\n'];
            byte[] found = new byte[Math.Min(head.Length, _file.Length)];
            _file.ReadExactly(found);
            _hash = XxHash128.Hash(head);
            if (found.AsSpan().SequenceEqual(head)) ReadRecords();
            else
            {
                BegunAnew = _file.Length > 0 ? WhatDiffers(identity) : null;
                _file.SetLength(0);
                _file.Position = 0;
                _file.Write(head);
            }
            Resumed = Done;
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>Images embedded or found unreadable.</summary>
    public int Done { get; private set; }

    /// <summary>Of them by an earlier call.</summary>
    public int Resumed { get; }

    /// <summary>Why what an earlier call had done is of no use; null where there was nothing or it is used.</summary>
    public string? BegunAnew { get; }

    /// <summary>Images that cannot be read.</summary>
    public IReadOnlyList<SkippedFile> Skipped => _skipped;

    /// <summary>Adds a batch.</summary>
    /// <param name="images">Readable or not.</param>
    /// <param name="places">Of the readable ones in the batch, n.</param>
    /// <param name="vectors">n D numbers.</param>
    /// <param name="skipped">The others.</param>
    /// <returns>Images done.</returns>
    public int Append(int images, int[] places, ReadOnlySpan<float> vectors, IReadOnlyList<SkippedFile> skipped)
    {
        byte[] json = skipped.Count == 0 ? [] : JsonSerializer.SerializeToUtf8Bytes(skipped);
        byte[] record =
            new byte[16 + Filled(places.Length * sizeof(int)) + Filled(vectors.Length * sizeof(float)) + Filled(json.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(record, images);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(4), places.Length);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(8), json.Length);
        Span<byte> rest = record.AsSpan(16);
        MemoryMarshal.AsBytes(places.AsSpan()).CopyTo(rest);
        MemoryMarshal.AsBytes(vectors).CopyTo(rest = rest[Filled(places.Length * sizeof(int))..]);
        json.CopyTo(rest[Filled(vectors.Length * sizeof(float))..]);
        long start = _file.Position;
        _file.Write(record);
        _file.Write(_hash = Chained(_hash, record));
        _file.Flush();
        Took(start, images, places, skipped);
        return Done;
    }

    /// <summary>All vectors in the order of the source, in the file itself; disposed of ahead of this.</summary>
    public EmbeddingTable Table(IImageSource source, EmbeddingOrigin origin)
    {
        _file.Flush(flushToDisk: true);
        MappedFloats mapped = MappedFloats.Of(_file);
        int[] rows = [.. _batches.SelectMany(batch => batch.Places.Select(place => batch.Start + place))];
        return new(_width, [.. _batches.Select(batch => mapped.Block(batch.Vectors, batch.Places.Length * _width))],
            [.. rows.Select(source.PathOf)],
            [.. rows.Select(row => source.LabelOf(row) is >= 0 and var label ? source.ClassNames![label] : null)],
            mapped, origin);
    }

    /// <summary>Removes the file: it is not needed any more.</summary>
    public void Delete() => File.Delete(_path);

    /// <summary>Takes all whole records, and cuts what follows them.</summary>
    private void ReadRecords()
    {
        byte[] head = new byte[16], hash = new byte[HashBytes];
        long whole = _file.Position;
        while (Done < _count)
        {
            _file.Position = whole;
            if (_file.Length - whole < head.Length) break;
            _file.ReadExactly(head);
            int images = BinaryPrimitives.ReadInt32LittleEndian(head),
                readable = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(4)),
                text = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(8));
            if (images != Math.Min(_batchSize, _count - Done) || readable < 0 || readable > images || text < 0) break;
            long places = Filled(readable * sizeof(int)), vectors = Filled((long)readable * _width * sizeof(float)),
                length = head.Length + places + vectors + Filled((long)text);
            if (length > _file.Length - whole - HashBytes || length > Array.MaxLength) break;
            byte[] record = new byte[length];
            head.CopyTo(record, 0);
            _file.ReadExactly(record.AsSpan(head.Length));
            _file.ReadExactly(hash);
            if (!Chained(_hash, record).AsSpan().SequenceEqual(hash)) break;
            _hash = [.. hash];
            Took(whole, images, MemoryMarshal.Cast<byte, int>(record.AsSpan(head.Length, readable * sizeof(int))).ToArray(),
                text == 0 ? []
                    : JsonSerializer.Deserialize<SkippedFile[]>(record.AsSpan((int)(head.Length + places + vectors), text))!);
            whole = _file.Position;
        }
        _file.SetLength(whole);
        _file.Position = whole;
    }

    private void Took(long start, int images, int[] places, IReadOnlyList<SkippedFile> skipped)
    {
        _batches.Add((Done, places, start + 16 + Filled(places.Length * sizeof(int))));
        _skipped.AddRange(skipped);
        Done += images;
    }

    private static int Filled(int bytes) => checked((int)Filled((long)bytes));

    private static long Filled(long bytes) => (bytes + 15) / 16 * 16;

    private static byte[] Chained(byte[] before, byte[] record)
    {
        var hash = new XxHash128();
        hash.Append(before);
        hash.Append(record);
        return hash.GetCurrentHash();
    }

    /// <summary>Which of the things that the vectors are of are others than in the file.</summary>
    private string WhatDiffers(JsonObject identity)
    {
        _file.Position = 0;
        byte[] start = new byte[Math.Min(_file.Length, 1 << 16)];
        _file.ReadExactly(start);
        try
        {
            var before = (JsonObject)JsonNode.Parse(start.AsSpan(0, start.AsSpan().IndexOf((byte)'\n')))!;
            return string.Join(", ",
                identity.Where(item => !JsonNode.DeepEquals(item.Value, before[item.Key])).Select(item => item.Key));
        }
        catch (Exception e) when (e is JsonException or InvalidCastException or ArgumentException or InvalidOperationException)
        {
            return "its beginning is damaged or of another version";
        }
    }

    /// <summary>Opens a file that no other process has open in this way.</summary>
    private static FileStream Hold(string path)
    {
        while (true)
        {
            FileStream file;
            try
            {
                // On Windows a file that is open can be removed only where that is shared; elsewhere it can, and to share
                // anything gives up the lock.
                // a buffer that cannot be written would fail again when the file is closed
                file = new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite,
                    OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None, bufferSize: 0);
            }
            catch (IOException e)
                when (e is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException) && File.Exists(path))
            {
                throw new EmbeddingFileException(path,
                    "another process is writing it. Wait until that has ended, or choose another name", e, "written");
            }
            // Its last holder may have removed it between the opening and the lock. Then this is a file without a name, and a
            // third process could begin one beside it.
            // The time of the file that is open is changed, to see whether that of the name changes with it.
            File.SetLastWriteTimeUtc(file.SafeFileHandle, File.GetLastWriteTimeUtc(file.SafeFileHandle).AddSeconds(-1));
            if (File.GetLastWriteTimeUtc(path) == File.GetLastWriteTimeUtc(file.SafeFileHandle)) return file;
            file.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}

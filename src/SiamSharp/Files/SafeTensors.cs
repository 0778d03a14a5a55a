using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text.Json;
using static TorchSharp.torch;

namespace SiamSharp.Files;

/// <summary>Writes and reads tensors in the safetensors format.</summary>
/// <remarks>
/// Source: the format description of huggingface/safetensors. Types: F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL; U16, U32, U64,
/// F8_E4M3 and F8_E5M2 are read into wider ones (int32, int64, int64, float32, float32) and not written.
/// Damage: every file written here carries, as the first two entries of its metadata, <c>xxhash128</c>, the XxHash128 of all its
/// bytes with the 32 digits of the hash as zeros, and <c>checksum</c>, which says that there is one. Reading and mapping compare
/// it; <see cref="SafeTensorsFile.Metadata"/> leaves both out.
/// Cost: the bytes pass once between the tensors' own memory and the file, and once more to compare the hash when it is read; a
/// tensor that is not contiguous or not on the CPU is copied first, one at a time.
/// </remarks>
public static class SafeTensors
{
    /// <summary>Writes a file that is either complete or not there: under a temporary name,
    /// flushed to the disk, then renamed.</summary>
    /// <param name="path">The file; an existing one is replaced at the end.</param>
    /// <param name="tensors">Tensors by name, of any shape and device.</param>
    /// <param name="metadata">Free text by key.</param>
    /// <exception cref="ArgumentException">A tensor's type has no name in the format, a tensor is called <c>__metadata__</c>,
    /// or the metadata holds a hash.</exception>
    public static void Write(
        string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        // As the reference writer: wide elements first, so that every tensor is aligned; then by name.
        var ordered = tensors.OrderByDescending(t => t.Value.ElementSize).ThenBy(t => t.Key, StringComparer.Ordinal).ToArray();
        byte[] header = Header(ordered, metadata);
        string partial = path + ".partial";
        try
        {
            using (var stream = new FileStream(partial, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                var hash = new XxHash128();
                stream.Write(header);
                hash.Append(header);
                foreach (var (_, tensor) in ordered)
                {
                    TensorBytes.ForEachPiece(tensor, piece =>
                    {
                        stream.Write(piece.bytes);
                        hash.Append(piece.bytes);
                    });
                }
                stream.Position = SafeTensorsHeader.HashAt;
                stream.Write(FileHash.BytesOf(hash));
                stream.Flush(flushToDisk: true);
            }
            File.Move(partial, path, overwrite: true);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }

    /// <summary>Reads all tensors of a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>Tensors on the CPU and the metadata; owned by the caller.</returns>
    /// <exception cref="SafeTensorsException">The file breaks a rule of the format, or its hash is not
    /// that of its bytes.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SafeTensorsFile Read(string path) => Read(path, map: false);

    /// <summary>Maps a file into memory: the tensors are its bytes, read from the disk as they are touched.</summary>
    /// <remarks>
    /// For files of which parts are used, or as large as the memory. What is written to a tensor does not reach the file. Copied
    /// all the same are tensors that are widened or lie at an offset that is no multiple of their element's size; this library
    /// and the reference writer make no such offsets.
    /// </remarks>
    /// <param name="path">The file; it must not be shortened or written over in place as long as a tensor of it is used
    /// (<see cref="Write"/> puts another in its place).</param>
    /// <returns>Tensors on the CPU and the metadata; owned by the caller.</returns>
    /// <exception cref="SafeTensorsException">The file breaks a rule of the format, or its hash is not that of its bytes:
    /// compared once, here.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SafeTensorsFile Map(string path) => Read(path, map: true);

    /// <summary>The metadata of a file of which every byte was compared with its hash, where it has one.</summary>
    /// <exception cref="SafeTensorsException">As <see cref="Read(string)"/>.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    internal static IReadOnlyDictionary<string, string> ReadMetadata(string path)
    {
        using FileStream stream = Open(path);
        return SafeTensorsHeader.ReadWhole(stream, path).Metadata;
    }

    private static FileStream Open(string path) => RegularFile.OpenRead(path, bufferSize: 0);

    private static SafeTensorsFile Read(string path, bool map)
    {
        using FileStream stream = Open(path);
        var header = SafeTensorsHeader.ReadWhole(stream, path);
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        using var mapped = new MappedTensors(Path.GetFullPath(path), stream.Length);
        try
        {
            foreach (var entry in header.Entries)
            {
                var tensor = (map ? mapped.View(entry, header.DataOffset + entry.Begin) : null)
                    ?? ReadOne(stream, entry, header, path);
                tensors.Add(entry.Name, tensor);
                CheckTruth(tensor, entry, header, path);
            }
        }
        catch (Exception e)
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
            if (e is EndOfStreamException)
                throw new SafeTensorsException(path, stream.Position, "the file ended while it was read", e);
            throw;
        }
        return new(tensors, header.Metadata);
    }

    private static Tensor ReadOne(FileStream stream, SafeTensorsEntry entry, SafeTensorsHeader header, string path)
    {
        var tensor = empty([.. entry.Shape], dtype: entry.Type, device: CPU).DetachFromDisposeScope();
        try
        {
            stream.Position = header.DataOffset + entry.Begin;
            ReadInto(tensor, stream, entry, header, path);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    private static void CheckTruth(Tensor tensor, SafeTensorsEntry entry, SafeTensorsHeader header, string path)
    {
        if (entry.Type == ScalarType.Bool && TensorBytes.FirstNoBool(tensor) is { } wrong)
        {
            throw new SafeTensorsException(
                path, header.DataOffset + entry.Begin + wrong.Position,
                $"tensor \"{entry.Name}\" is BOOL, but holds the byte {wrong.Value}");
        }
    }

    private static void ReadInto(Tensor tensor, FileStream stream, SafeTensorsEntry entry, SafeTensorsHeader header, string path)
    {
        if (SafeTensorsTypes.Widening(entry.TypeName) is not { } wide)
        {
            TensorBytes.Read(stream, tensor);
            return;
        }
        try
        {
            TensorBytes.ForEachPiece(tensor, piece =>
            {
                byte[] bytes = new byte[piece.numel() * wide.Size];
                stream.ReadExactly(bytes);
                wide.Widen(bytes, piece.bytes);
            });
        }
        catch (OverflowException e)
        {
            throw new SafeTensorsException(path, header.DataOffset + entry.Begin,
                $"tensor \"{entry.Name}\" holds a U64 of 2^63 or more, for which libtorch has no type", e);
        }
    }

    private static byte[] Header(KeyValuePair<string, Tensor>[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        buffer.Write(new byte[8]);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject(SafeTensorsHeader.MetadataKey);
            json.WriteString(FileHash.Name, FileHash.Blank); // first, so that its place is known: SafeTensorsHeader.HashAt
            json.WriteString(SafeTensorsHeader.ChecksumKey, FileHash.Name);
            foreach (var (key, value) in metadata ?? new Dictionary<string, string>())
            {
                if (key is FileHash.Name or SafeTensorsHeader.ChecksumKey)
                    throw new ArgumentException(
                        $"The metadata cannot have an entry \"{key}\": the file's own hash stands there.");
                json.WriteString(key, value);
            }
            json.WriteEndObject();
            long offset = 0;
            foreach (var (name, tensor) in tensors)
            {
                string type = TypeName(name, tensor);
                json.WriteStartObject(name);
                json.WriteString("dtype", type);
                WriteIntegers(json, "shape", tensor.shape);
                WriteIntegers(json, "data_offsets", [offset, offset += tensor.numel() * tensor.ElementSize]);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (buffer.Length % 8 != 0) buffer.WriteByte((byte)' ');
        byte[] header = buffer.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(header, header.Length - 8);
        return header;
    }

    private static string TypeName(string name, Tensor tensor)
    {
        if (name == "__metadata__") throw new ArgumentException("A tensor cannot be called __metadata__: choose another name.");
        return SafeTensorsTypes.TryName(tensor.dtype, out string type)
            ? type
            : throw new ArgumentException(
                $"Tensor \"{name}\" is {tensor.dtype}; safetensors knows {SafeTensorsTypes.WrittenNames}. Convert it first.");
    }

    private static void WriteIntegers(Utf8JsonWriter json, string key, long[] values)
    {
        json.WriteStartArray(key);
        foreach (long value in values) json.WriteNumberValue(value);
        json.WriteEndArray();
    }
}

/// <summary>What a safetensors file holds.</summary>
/// <param name="Tensors">Tensors by name, on the CPU.</param>
/// <param name="Metadata">Free text by key.</param>
public sealed record SafeTensorsFile(IReadOnlyDictionary<string, Tensor> Tensors, IReadOnlyDictionary<string, string> Metadata)
    : IDisposable
{
    /// <summary>Frees all tensors.</summary>
    public void Dispose()
    {
        foreach (var tensor in Tensors.Values) tensor.Dispose();
    }
}

using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace SiamSharp.Files;

/// <summary>Where one tensor lies in a safetensors file.</summary>
/// <param name="Name">Its name, unique in the file.</param>
/// <param name="TypeName">Its element type as the file calls it.</param>
/// <param name="Type">The type that it is read into: the same, or a wider one for U16, U32, U64, F8_E4M3 and F8_E5M2.</param>
/// <param name="Shape">Its dimensions; empty for a scalar.</param>
/// <param name="Begin">Its first byte, counted from the end of the header.</param>
/// <param name="End">The byte after its last.</param>
internal sealed record SafeTensorsEntry(
    string Name, string TypeName, ScalarType Type, IReadOnlyList<long> Shape, long Begin, long End);

/// <summary>The first part of a safetensors file: names, types, shapes, positions, metadata.</summary>
/// <remarks>
/// Definition: 8 bytes, the length N of the JSON in little-endian order; N bytes of JSON; the tensors without gaps.
/// Source: the format description of huggingface/safetensors; the checks are those of its reference reader.
/// </remarks>
internal sealed record SafeTensorsHeader
{
    private const int MaxLength = 100_000_000, MaxDimensions = 64;
    internal const string MetadataKey = "__metadata__", ChecksumKey = "checksum";

    /// <summary>The byte at which the digits of a file's hash stand, behind the header's length and
    /// <c>{"__metadata__":{"xxhash128":"</c>.</summary>
    internal const int HashAt = 8 + 30;

    /// <summary>The tensors in the order of their positions.</summary>
    public required IReadOnlyList<SafeTensorsEntry> Entries { get; init; }

    /// <summary>Free text by key, without the file's hash.</summary>
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    /// <summary>The hash that the file carries, 32 hexadecimal digits, not compared here; null where
    /// <see cref="SafeTensors"/> did not write it.</summary>
    public string? Hash { get; private init; }

    /// <summary>The byte of the file at which the tensors begin.</summary>
    public required long DataOffset { get; init; }

    /// <summary>Reads and checks the header without reading the tensors.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="SafeTensorsException">The file breaks a rule of the format.</exception>
    public static SafeTensorsHeader Read(string path)
    {
        using var stream = RegularFile.OpenRead(path);
        return Read(stream, path);
    }

    /// <summary>Reads the header of a file of which every byte is compared with its hash, where it has one.</summary>
    /// <exception cref="SafeTensorsException">The file breaks a rule of the format, or its hash is not
    /// that of its bytes.</exception>
    internal static SafeTensorsHeader ReadWhole(Stream stream, string path)
    {
        SafeTensorsHeader header = Read(stream, path);
        if (header.Hash is not null && header.Hash != FileHash.Of(stream, HashAt))
            throw new SafeTensorsException(path, -1,
                "was damaged or changed since it was written: its hash does not fit. Copy it again from where it was made");
        return header;
    }

    private static SafeTensorsHeader Read(Stream stream, string path)
    {
        if (stream.Length < 8)
            throw new SafeTensorsException(path, 0, FileKind.Of(stream, asSafeTensors: true)
                ?? $"the file has {stream.Length} bytes, fewer than 8: it was cut short");
        Span<byte> prefix = stackalloc byte[8];
        stream.ReadExactly(prefix);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        ulong limit = (ulong)Math.Min(MaxLength, stream.Length - 8);
        if (length > limit)
            throw new SafeTensorsException(path, 0,
                FileKind.Of(stream, asSafeTensors: true) ?? $"the header's length is {length}, at most {limit} is possible");

        if (length == 0)
            throw new SafeTensorsException(path, 0, FileKind.Of(stream, asSafeTensors: true) ?? "the header is empty");

        byte[] json = new byte[length];
        stream.ReadExactly(json);
        try
        {
            return Parse(json, stream.Length, path);
        }
        catch (JsonException e)
        {
            throw new SafeTensorsException(path, 8 + (e.BytePositionInLine ?? 0), $"the header is not JSON: {e.Message}", e);
        }
        catch (InvalidOperationException e) // text that is no UTF-8, found when a string is read
        {
            throw new SafeTensorsException(path, 8, $"the header is not UTF-8: {e.Message}", e);
        }
    }

    private static SafeTensorsHeader Parse(byte[] json, long fileLength, string path)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
        if (document.RootElement.ValueKind != JsonValueKind.Object)
            throw new SafeTensorsException(path, 8, $"the header is a JSON {document.RootElement.ValueKind}, not an object");

        var metadata = new Dictionary<string, string>();
        var entries = new List<SafeTensorsEntry>();
        foreach (var item in document.RootElement.EnumerateObject())
        {
            if (item.Name == MetadataKey) ReadMetadata(item.Value, metadata, path);
            else entries.Add(ReadEntry(item, path));
        }
        entries.Sort((a, b) => (a.Begin, a.End).CompareTo((b.Begin, b.End)));
        long dataOffset = 8 + json.Length;
        CheckPositions(entries, dataOffset, fileLength, path);
        return new() { Entries = entries, Hash = TakeHash(metadata, path), Metadata = metadata, DataOffset = dataOffset };
    }

    // Two entries say that there is a hash, so that a flipped bit in the name of one is told by the other.
    private static string? TakeHash(Dictionary<string, string> metadata, string path)
    {
        bool announced = metadata.GetValueOrDefault(ChecksumKey) == FileHash.Name;
        if (!announced && !metadata.ContainsKey(FileHash.Name)) return null;
        metadata.Remove(ChecksumKey);
        return metadata.Remove(FileHash.Name, out string? hash) && announced
            ? hash
            : throw new SafeTensorsException(path, 8, "it was written with a hash, "
                + $"but \"{(announced ? FileHash.Name : ChecksumKey)}\" is missing in its metadata: it was damaged or changed");
    }

    private static void ReadMetadata(JsonElement value, Dictionary<string, string> metadata, string path)
    {
        if (value.ValueKind != JsonValueKind.Object) throw new SafeTensorsException(path, 8, $"{MetadataKey} is not an object");
        foreach (var pair in value.EnumerateObject())
        {
            if (pair.Value.ValueKind != JsonValueKind.String)
                throw new SafeTensorsException(path, 8, $"{MetadataKey}.{pair.Name} is a {pair.Value.ValueKind}, not a string");
            metadata.Add(pair.Name, pair.Value.GetString()!);
        }
    }

    private static SafeTensorsEntry ReadEntry(JsonProperty item, string path)
    {
        SafeTensorsException Fault(string problem) => new(path, 8, $"tensor \"{item.Name}\" {problem}");

        if (item.Value.ValueKind != JsonValueKind.Object) throw Fault("is not an object");
        if (!item.Value.TryGetProperty("dtype", out var dtype) || dtype.ValueKind != JsonValueKind.String)
            throw Fault("has no dtype");
        if (!SafeTensorsTypes.TryParse(dtype.GetString()!, out var type, out int elementSize))
            throw Fault($"has the dtype \"{dtype.GetString()}\"; known are {SafeTensorsTypes.Names}");
        long[] shape = Integers(item.Value, "shape", Fault), offsets = Integers(item.Value, "data_offsets", Fault);
        if (shape.Length > MaxDimensions) throw Fault($"has {shape.Length} dimensions, more than {MaxDimensions}");
        if (offsets.Length != 2 || offsets[0] > offsets[1]) throw Fault($"has the offsets [{string.Join(", ", offsets)}]");

        var size = shape.Aggregate((Int128)elementSize, (product, n) => Int128.Min(product * n, long.MaxValue));
        if (size != offsets[1] - offsets[0])
            throw Fault($"takes {offsets[1] - offsets[0]} bytes, but its shape [{string.Join(", ", shape)}] needs {size}: "
                + "the file is damaged or was written wrongly. Download it again, or save it anew, "
                + "in Python with safetensors.torch.save_file");
        return new(item.Name, dtype.GetString()!, type, shape, offsets[0], offsets[1]);
    }

    private static long[] Integers(JsonElement entry, string key, Func<string, SafeTensorsException> fault)
    {
        if (!entry.TryGetProperty(key, out var list) || list.ValueKind != JsonValueKind.Array) throw fault($"has no {key}");
        return
        [
            .. list.EnumerateArray().Select(n =>
                n.ValueKind == JsonValueKind.Number && n.TryGetInt64(out long value) && value >= 0
                    ? value
                    : throw fault($"has {n.GetRawText()} in its {key}, not an integer from 0"))
        ];
    }

    private static void CheckPositions(List<SafeTensorsEntry> entries, long dataOffset, long fileLength, string path)
    {
        long end = 0;
        foreach (var entry in entries)
        {
            if (entry.Begin != end)
            {
                throw new SafeTensorsException(path, dataOffset + end,
                    $"tensor \"{entry.Name}\" begins at byte {entry.Begin} of the data, the one before it ends at {end}");
            }
            end = entry.End;
        }
        if (end != fileLength - dataOffset)
        {
            throw new SafeTensorsException(path, dataOffset + Math.Min(end, fileLength - dataOffset),
                $"the tensors take {end} bytes, the file has {fileLength - dataOffset} for "
                    + $"them{(end > fileLength - dataOffset ? ": it was cut short. Copy it again" : "")}");
        }
    }
}

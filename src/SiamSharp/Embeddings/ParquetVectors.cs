using System.Buffers;
using System.IO.Hashing;
using System.Text;
using System.Text.Json.Nodes;
using Parquet;
using Parquet.Schema;
using SiamSharp.Files;
using SiamSharp.Options;

namespace SiamSharp.Embeddings;

/// <summary>Representations as Parquet: path, label and vector of each image, with their origin and a
/// hash in the metadata.</summary>
internal static class ParquetVectors
{
    private const string MetadataKey = "siamsharp", HashKey = "siamsharp.hash", HashPrefix = "xxh128:",
        NoHash = "00000000000000000000000000000000";
    private const int RowGroup = 16_384, TailBytes = 1 << 20;

    private static readonly DataField<string> s_path = new("path"), s_label = new("label");
    private static readonly ListField s_vector = new("vector", new DataField<float>("element", nullable: false));

    // The hash's key and value as they stand in the file: two texts, each after its type and length (Thrift's compact protocol).
    private static readonly byte[] s_hashMark = [.. Encoding.ASCII.GetBytes(HashKey), 0x18,
        (byte)(HashPrefix.Length + NoHash.Length), .. Encoding.ASCII.GetBytes(HashPrefix)];

    /// <summary>Whether a Parquet file is one of embeddings, damaged or not.</summary>
    internal static bool IsOwn(string path)
    {
        using (var file = RegularFile.OpenRead(path))
            if (Tail(file).IndexOf(s_hashMark) >= 0) return true;
        try
        {
            Read(path).Dispose(); // of the version before
            return true;
        }
        catch (EmbeddingFileException)
        {
            return false;
        }
    }

    /// <summary>Writes vectors, then the hash of all.</summary>
    internal static async Task WriteAsync(string path, EmbeddingTable table)
    {
        await using var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16);
        var element = (DataField)s_vector.Item;
        await using (ParquetWriter writer = await ParquetWriter.CreateAsync(new ParquetSchema(s_path, s_label, s_vector), file))
        {
            writer.CustomMetadata = new Dictionary<string, string>
            {
                [MetadataKey] = StoredOrigin.Write(table.Origin).ToJsonString(),
                [HashKey] = HashPrefix + NoHash
            };
            for (int start = 0; start < table.Count; start += RowGroup)
            {
                int rows = Math.Min(RowGroup, table.Count - start), width = table.Width;
                float[] values = new float[rows * width];
                int[] repetition = new int[rows * width], definition = new int[rows * width];
                Array.Fill(definition, element.MaxDefinitionLevel); // nothing is missing
                for (int i = 0; i < rows; i++)
                {
                    table[start + i].CopyTo(values.AsSpan(i * width));
                    repetition.AsSpan(i * width + 1, width - 1).Fill(1); // 0 begins a row
                }
                using ParquetRowGroupWriter group = writer.CreateRowGroup();
                await group.WriteAsync(s_path, [.. Enumerable.Range(start, rows).Select(row => table.Paths[row])]);
                await group.WriteAsync(s_label, [.. Enumerable.Range(start, rows).Select(row => table.Labels[row]!)]);
                await group.WriteAllPartsAsync<float>(element, values, definition, repetition, CancellationToken.None);
                group.CompleteValidate();
            }
        }
        long at = HashPosition(file) ?? throw new InvalidOperationException($"The hash has no place in {path}.");
        string hash = HashWithZeros(file, at);
        file.Position = at;
        file.Write(Encoding.ASCII.GetBytes(hash));
        file.Flush(flushToDisk: true);
    }

    /// <summary>The last bytes of a file.</summary>
    private static Span<byte> Tail(FileStream file)
    {
        byte[] tail = new byte[Math.Min(file.Length, TailBytes)];
        file.Position = file.Length - tail.Length;
        file.ReadExactly(tail);
        return tail;
    }

    /// <summary>Where the 32 digits of a Parquet file's hash lie; null where it has none.</summary>
    private static long? HashPosition(FileStream file)
    {
        Span<byte> tail = Tail(file);
        int mark = tail.LastIndexOf(s_hashMark);
        return mark < 0 || mark + s_hashMark.Length + NoHash.Length > tail.Length ? null
            : file.Length - tail.Length + mark + s_hashMark.Length;
    }

    /// <summary>The hash of a file in which the digits at a place count as zeros.</summary>
    private static string HashWithZeros(FileStream file, long at)
    {
        var hash = new XxHash128();
        byte[] piece = new byte[1 << 20];
        file.Position = 0;
        for (long start = 0; ;)
        {
            int got = file.ReadAtLeast(piece, piece.Length, throwOnEndOfStream: false);
            if (got == 0) return Convert.ToHexStringLower(hash.GetCurrentHash());
            for (int i = 0; i < NoHash.Length; i++)
                if (at + i - start is >= 0 and var place && place < got) piece[place] = (byte)'0';
            hash.Append(piece.AsSpan(0, got));
            start += got;
        }
    }

    /// <summary>Reads the vectors.</summary>
    internal static EmbeddingTable Read(string path)
    {
        try
        {
            return ReadAsync(path).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not EmbeddingFileException)
        {
            throw new EmbeddingFileException(path, "it is damaged or no Parquet file "
                + $"({e.Message.ReplaceLineEndings(" ").TrimEnd('.')}). Copy it again, or repeat `siam embed`", e);
        }
    }

    private static async Task<EmbeddingTable> ReadAsync(string path)
    {
        await using var file = RegularFile.OpenRead(path);
        long? hash = HashPosition(file);
        if (hash is { } at)
        {
            byte[] kept = new byte[NoHash.Length];
            file.Position = at;
            file.ReadExactly(kept);
            if (HashWithZeros(file, at) != Encoding.ASCII.GetString(kept)) throw EmbeddingFaults.Damaged(path, "the file");
        }
        ParquetFooter.Check(file);
        file.Position = 0;
        await using ParquetReader reader = await ParquetReader.CreateAsync(file);
        JsonObject? about = AboutOf(path, reader.CustomMetadata.GetValueOrDefault(MetadataKey));
        if ((about is null) != (hash is null)) throw EmbeddingFaults.Damaged(path, "the file"); // one of the two is there
        DataField[] fields = reader.Schema.GetDataFields();
        DataField? vector = fields.FirstOrDefault(f =>
            f.Path.ToString().StartsWith("vector/", StringComparison.Ordinal) && f.ClrType == typeof(float));
        DataField? paths = fields.FirstOrDefault(f => f.Path.ToString() == "path"),
            labels = fields.FirstOrDefault(f => f.Path.ToString() == "label");
        if (vector is null || paths is null)
            throw new EmbeddingFileException(path, "it must have the columns path and vector (a list of float), "
                + $"but has {string.Join(", ", fields.Select(f => f.Path.ToString()))}");
        var (blocks, allPaths, allLabels, width) =
            (new List<ReadOnlyMemory<float>>(), new List<string>(), new List<string?>(), 0);
        for (int g = 0; g < reader.RowGroupCount; g++)
        {
            using ParquetRowGroupReader group = reader.OpenRowGroupReader(g);
            int rows = checked((int)group.RowCount), values = checked((int)(group.GetMetadata(vector)?.MetaData?.NumValues ?? 0));
            if (rows == 0) continue;
            if (width == 0) width = values / rows;
            if (width == 0 || values != (long)width * rows)
                throw new EmbeddingFileException(path,
                    $"its vectors differ in length: {rows} of them have {values} numbers, not {width} each");
            float[] block = new float[values];
            int[] repetition = ArrayPool<int>.Shared.Rent(values), definition = ArrayPool<int>.Shared.Rent(values);
            await group.ReadRawAsync<float>(vector, block, definition.AsMemory(0, values), repetition.AsMemory(0, values));
            bool even = true;
            for (int i = 0; i < values; i++)
                even &= repetition[i] == (i % width == 0 ? 0 : 1) && definition[i] == vector.MaxDefinitionLevel;
            ArrayPool<int>.Shared.Return(repetition);
            ArrayPool<int>.Shared.Return(definition);
            if (!even) throw new EmbeddingFileException(path, "its vectors differ in length, or lack numbers");
            blocks.Add(block);
            string?[] text = new string?[rows], names = new string?[rows];
            await group.ReadAsync(paths, text);
            allPaths.AddRange(text.Select(t => t ?? ""));
            if (labels is not null) await group.ReadAsync(labels, names);
            allLabels.AddRange(names);
        }
        var table = new EmbeddingTable(Math.Max(1, width), blocks, allPaths, allLabels, null, StoredOrigin.Of(path, about))
        {
            Notes = about is not null ? [] : [EmbeddingFaults.Unchecked(path, $"Its metadata has no {MetadataKey}")]
        };
        if (about is null) EmbeddingFaults.CheckFinite(path, table);
        return table;
    }

    private static JsonObject? AboutOf(string path, string? text)
    {
        try
        {
            return text is null ? null : OptionsJson.Parse(text, MetadataKey);
        }
        catch (OptionsException e)
        {
            throw new EmbeddingFileException(path,
                $"its metadata are damaged ({e.Message.ReplaceLineEndings(" ").TrimEnd('.')}). Repeat `siam embed`", e);
        }
    }

    /// <summary>What a file says of itself, without its vectors.</summary>
    internal static async Task<JsonObject?> AboutAsync(string path)
    {
        await using var file = RegularFile.OpenRead(path);
        ParquetFooter.Check(file);
        file.Position = 0;
        await using ParquetReader reader = await ParquetReader.CreateAsync(file);
        return AboutOf(path, reader.CustomMetadata.GetValueOrDefault(MetadataKey));
    }
}

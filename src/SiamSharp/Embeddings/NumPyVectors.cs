using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;

namespace SiamSharp.Embeddings;

/// <summary>Representations as a NumPy array, with paths and labels and with their origin in two files beside it.</summary>
internal static class NumPyVectors
{
    private const int BlockBytes = 1 << 28;

    /// <summary>Writes the three files.</summary>
    internal static void Write(string vectors, string names, string origin, EmbeddingTable table) =>
        WriteOrigin(origin, table.Origin, WriteVectors(vectors, table), WriteNames(names, table));

    /// <returns>The hash of the file.</returns>
    private static string WriteVectors(string path, EmbeddingTable table)
    {
        string header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({table.Count}, {table.Width}), }}";
        // 10 bytes ahead of it; the numbers begin at a multiple of 64
        header = header.PadRight((header.Length + 11 + 63) / 64 * 64 - 11) + "\n";
        var hash = new XxHash128();
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        Put([0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, (byte)(header.Length >> 8)]);
        Put(Encoding.Latin1.GetBytes(header));
        for (int row = 0; row < table.Count; row++) Put(MemoryMarshal.AsBytes(table[row]));
        file.Flush(flushToDisk: true);
        return Hex(hash);

        void Put(ReadOnlySpan<byte> bytes)
        {
            file.Write(bytes);
            hash.Append(bytes);
        }
    }

    /// <returns>The hash of the file.</returns>
    private static string WriteNames(string path, EmbeddingTable table)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16);
        using (var text = new StreamWriter(file, leaveOpen: true))
        {
            text.Write("path,label\n");
            for (int row = 0; row < table.Count; row++)
                text.Write($"{CsvRows.Quote(table.Paths[row])},{CsvRows.Quote(table.Labels[row] ?? "")}\n");
        }
        file.Flush(flushToDisk: true);
        file.Position = 0;
        var hash = new XxHash128();
        hash.Append(file);
        return Hex(hash);
    }

    private static void WriteOrigin(string path, EmbeddingOrigin? origin, string vectors, string names)
    {
        JsonObject about = StoredOrigin.Write(origin);
        (about["vectors"], about["names"]) = (vectors, names);
        about["hash"] = HashOf(about);
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None);
        file.Write(Encoding.UTF8.GetBytes(about.ToJsonString(OptionsJson.Serializer) + "\n"));
        file.Flush(flushToDisk: true);
    }

    private static string HashOf(JsonObject about) =>
        Convert.ToHexStringLower(XxHash128.Hash(Encoding.UTF8.GetBytes(about.ToJsonString())));

    private static string Hex(XxHash128 hash) => Convert.ToHexStringLower(hash.GetCurrentHash());

    /// <summary>Reads the vectors and what lies beside them.</summary>
    internal static EmbeddingTable Read(string path)
    {
        JsonObject? about = ReadOrigin(path);
        FileStream file = RegularFile.OpenRead(path);
        MappedFloats? mapped = null;
        try
        {
            if (file.Length > 0) mapped = new MappedFloats(file);
            if (about is not null && mapped?.Hash() != Text(path, about, "vectors")) throw EmbeddingFaults.Damaged(path, path);
            NpyHeader header = NpyHeader.Read(path, file);
            if (header is not { Type: "<f4", FortranOrder: false, Shape: [>= 0, >= 1 and <= 1 << 20] })
                throw new EmbeddingFileException(path, "it must hold float32 of shape (N, D) in C order, "
                    + $"but holds '{header.Type}' of shape "
                    + $"({string.Join(", ", header.Shape)})"
                    + (header.Shape.Length >= 3 ? $", images it seems. {EmbeddingFile.EmbedFirst(path)}" : ""));
            if (header.Shape[0] > int.MaxValue || header.Offset % sizeof(float) != 0
                || header.Offset + header.Shape[0] * header.Shape[1] * sizeof(float) != file.Length)
                throw new EmbeddingFileException(path,
                    $"its header promises {header.Shape[0]} vectors of {header.Shape[1]} numbers, but it has "
                        + $"{Math.Max(0, file.Length - header.Offset)} bytes for them. Copy it again, or repeat `siam embed`");
            int count = (int)header.Shape[0], width = (int)header.Shape[1],
                most = Math.Max(1, BlockBytes / sizeof(float) / width) * width;
            var (paths, labels) = ReadNames(path, count, about);

            List<ReadOnlyMemory<float>> blocks = [];
            for (long at = 0, all = (long)count * width; at < all; at += most)
                blocks.Add(mapped!.Block(header.Offset + at * sizeof(float), (int)Math.Min(most, all - at)));
            var table = new EmbeddingTable(width, blocks, paths, labels, mapped, StoredOrigin.Of(path, about))
            {
                Notes = about is not null ? [] : [.. PartsMissing(path)]
            };
            if (about is null) EmbeddingFaults.CheckFinite(path, table);
            return table;
        }
        catch (Exception e)
        {
            mapped?.Dispose();
            file.Dispose();
            if (e is DataSourceException)
                throw new EmbeddingFileException(path, e.Message.ReplaceLineEndings(" ").TrimEnd('.'), e);
            throw;
        }
    }

    /// <summary>What an index without the file beside it that says how it was made lacks.</summary>
    private static IEnumerable<string> PartsMissing(string path)
    {
        yield return EmbeddingFaults.Unchecked(path, $"It has no {EmbeddingFile.OriginOf(path)} beside it");
        if (!File.Exists(EmbeddingFile.NamesOf(path)))
            yield return $"{EmbeddingFile.NamesOf(path)} with the paths and labels is missing beside it too: "
                + "the images are called by their rows. Copy it to there where you have it.";
    }

    /// <summary>What is said beside a .npy file; null where nothing is.</summary>
    internal static JsonObject? ReadOrigin(string path)
    {
        string file = EmbeddingFile.OriginOf(path);
        if (!File.Exists(file)) return null;
        try
        {
            JsonObject about = OptionsJson.Parse(RegularFile.ReadAllText(file), file);
            if (about["format"] is not JsonValue format || !format.TryGetValue(out string? name) || name != StoredOrigin.Format
                || about["hash"] is not JsonValue kept || !kept.TryGetValue(out string? hash))
                throw EmbeddingFaults.Damaged(path, file);
            about.Remove("hash");
            return HashOf(about) == hash ? about : throw EmbeddingFaults.Damaged(path, file);
        }
        catch (OptionsException e)
        {
            throw new EmbeddingFileException(path, $"{file} beside it is damaged "
                + $"({e.Message.ReplaceLineEndings(" ").TrimEnd('.')}). Copy it again, or repeat `siam embed`", e);
        }
    }

    private static string Text(string path, JsonObject about, string key) =>
        about[key] is JsonValue value && value.TryGetValue(out string? text) ? text : throw new EmbeddingFileException(path,
            $"\"{key}\" is missing in {EmbeddingFile.OriginOf(path)}. Copy it again, or repeat `siam embed`");

    private static (string[] Paths, string?[] Labels) ReadNames(string path, int count, JsonObject? about)
    {
        string names = EmbeddingFile.NamesOf(path);
        if (!File.Exists(names))
        {
            if (about is not null)
                throw new EmbeddingFileException(path,
                    $"{names} with its paths and labels is missing. Copy it to there, or repeat `siam embed`");
            return ([.. Enumerable.Range(0, count).Select(i => $"{path}#{i}")], new string?[count]);
        }
        byte[] bytes = RegularFile.ReadAllBytes(names);
        if (about is not null && Convert.ToHexStringLower(XxHash128.Hash(bytes)) != Text(path, about, "names"))
            throw EmbeddingFaults.Damaged(path, names);
        string[][] rows = [.. CsvRows.Parse(names, Encoding.UTF8.GetString(bytes)).Skip(1).Select(row => row.Fields)];
        if (rows.Length != count || rows.Any(row => row.Length < 2))
            throw new EmbeddingFileException(path, $"{names} beside it must name path and label of each of its "
                + $"{Plural.Of(count, "vector")}, but has {Plural.Of(rows.Length, "row")}");
        return ([.. rows.Select(row => row[0])], [.. rows.Select(row => row[1].Length > 0 ? row[1] : null)]);
    }
}

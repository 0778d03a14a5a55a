using System.Buffers;
using System.IO.Hashing;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Parquet;
using Parquet.Schema;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;

namespace SiamSharp.Embeddings;

/// <summary>Files of representations: Parquet (columns path, label and vector, a list of float), and NumPy (N, D) with a CSV of
/// paths and labels beside it.</summary>
/// <remarks>
/// Both say which encoder made them, and carry XxHash128 of every byte, which is compared when they are read. Parquet: in the
/// file's metadata, under <c>siamsharp</c> (JSON: format, encoder, name, data) and
/// <c>siamsharp.hash</c> (<c>xxh128:</c> and 32 hexadecimal digits, which count as zeros in the hash). NumPy: in NAME.npy.json,
/// with the hashes of the two other files and, as <c>hash</c>, of itself without that.
/// Files without all of this, of versions before or of other programs, are read with a note.
/// Cost of the hash: one pass over the file, at the rate of the memory (several GB/s) where it is cached.
/// </remarks>
public static class EmbeddingFile
{
    private const string Format = "siamsharp-embeddings-1", MetadataKey = "siamsharp", HashKey = "siamsharp.hash",
        HashPrefix = "xxh128:", NoHash = "00000000000000000000000000000000";
    private const int RowGroup = 16_384, BlockBytes = 1 << 28, TailBytes = 1 << 20;

    private static readonly DataField<string> s_path = new("path"), s_label = new("label");
    private static readonly ListField s_vector = new("vector", new DataField<float>("element", nullable: false));

    // The hash's key and value as they stand in the file: two texts, each after its type and length (Thrift's compact protocol).
    private static readonly byte[] s_hashMark = [.. Encoding.ASCII.GetBytes(HashKey), 0x18,
        (byte)(HashPrefix.Length + NoHash.Length), .. Encoding.ASCII.GetBytes(HashPrefix)];

    /// <summary>Whether a path ends as one of the two formats does.</summary>
    public static bool IsKnown(string path) => Extension(path) is ".npy" or ".parquet";

    /// <summary>The paths and labels that belong to a .npy file.</summary>
    public static string NamesOf(string path) => Path.ChangeExtension(path, ".csv");

    /// <summary>What a .npy file's encoder and hashes are kept in.</summary>
    public static string OriginOf(string path) => path + ".json";

    /// <summary>Writes a file, whole or not at all.</summary>
    /// <param name="path">.npy or .parquet.</param>
    /// <param name="table">What it will hold.</param>
    /// <exception cref="ArgumentException">The path ends in neither, or a row holds a number that is not finite.</exception>
    /// <exception cref="EmbeddingFileException">There is something else under that name.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Write(string path, EmbeddingTable table)
    {
        CheckReplaceable(path);
        for (int row = 0; row < table.Count; row++)
            if (!TensorPrimitives.IsFiniteAll(table[row]))
                throw new ArgumentException(
                    $"Row {row}, of {table.Paths[row]}, holds a number that is not finite: leave it out.");
        string[] files = Extension(path) == ".npy" ? [OriginOf(path), NamesOf(path), path] : [path];
        string[] writing = [.. files.Select(file => file + ".writing")];
        try
        {
            if (Extension(path) == ".npy")
            {
                string vectors = WriteNumPy(writing[2], table), names = WriteNames(writing[1], table);
                WriteOrigin(writing[0], table.Origin, vectors, names);
            }
            else WriteParquetAsync(writing[0], table).GetAwaiter().GetResult();
            // The vectors last: where this is stopped in between, the file that says what belongs together is there and does not
            // fit the others.
            foreach (var (from, to) in writing.Zip(files)) File.Move(from, to, overwrite: true);
        }
        finally
        {
            foreach (string file in writing) File.Delete(file);
        }
    }

    /// <summary>How many vectors of images a file holds that are not those of a source; null where there are none,
    /// and where it cannot be read.</summary>
    internal static int? OthersIn(string path, IImageSource source)
    {
        if (!File.Exists(path)) return null;
        try
        {
            using EmbeddingTable table = Read(path);
            HashSet<string> own = [.. Enumerable.Range(0, source.Count).Select(source.PathOf)];
            return table.Paths.Count(image => !own.Contains(image)) is > 0 and var others ? others : null;
        }
        catch (EmbeddingFileException)
        {
            return null; // it is written anew
        }
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">.npy or .parquet.</param>
    /// <exception cref="EmbeddingFileException">It is missing, damaged or holds something else.</exception>
    public static EmbeddingTable Read(string path)
    {
        if (!File.Exists(path))
            throw new EmbeddingFileException(path, File.Exists(Path.Combine(path, "recipe.json"))
                ? "it is the folder of a run: give it as --run, and as --index the .parquet or .npy file that `siam embed` wrote"
                : Directory.Exists(path)
                ? $"it is a folder; give the .parquet or .npy file that `siam embed` wrote. {EmbedFirst(path)}"
                : path.StartsWith("fashion-mnist", StringComparison.Ordinal)
                    || path.StartsWith("cifar10:", StringComparison.Ordinal) || path.Contains('#')
                ? $"it is no file of vectors, but a source of images. {EmbedFirst(path)}"
                : File.Exists(path + ".partial") ? "it is not there yet: a `siam embed` to it was stopped, "
                    + $"and {path}.partial holds what it has. Give the same `siam embed` again; it goes on"
                : "it does not "
                    + "exist"
                    + (Nearest.Path(path) is { Length: > 0 } hint ? $".{hint.TrimEnd('.')}" : $". Make one with {Make}"));
        try
        {
            EmbeddingTable table = Extension(path) switch
            {
                ".npy" => ReadNumPy(path),
                ".parquet" => ReadParquet(path),
                ".csv" or ".json" when Vectors(path) is { } vectors => throw new EmbeddingFileException(path,
                    $"it must end in .npy or .parquet, and this file only belongs to {vectors}. Give that one"),
                _ => throw new EmbeddingFileException(path, "it must end in .npy or "
                    + ".parquet"
                    + (ImageFormats.HasImageEnding(path) ? $", and is an image. {EmbedFirst(path)}" : $". Make one with {Make}")),
            };
            return table;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EmbeddingFileException(path, e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>The .npy file that a file of names or of origins belongs to; null where there is none.</summary>
    private static string? Vectors(string path) =>
        (Extension(path) == ".csv" ? Path.ChangeExtension(path, ".npy") : path[..^".json".Length]) is var vectors
            && Extension(vectors) == ".npy" && File.Exists(vectors) ? vectors : null;

    /// <summary>What to do with images where vectors are wanted, without a full stop.</summary>
    internal static string EmbedFirst(string images) =>
        $"Embed images first: siam embed --run RUN --data {Shell.Word(images)} --out vectors.parquet";

    /// <summary>What made the vectors of a file that stands under a name; null where there is none,
    /// or where that cannot be read.</summary>
    /// <remarks>Cost: none of the vectors are read.</remarks>
    internal static EmbeddingOrigin? OriginIn(string path)
    {
        try
        {
            if (!File.Exists(path)) return null;
            return Origin(path, Extension(path) == ".npy" ? ReadOrigin(path) : AboutAsync().GetAwaiter().GetResult());
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return null; // whatever is there is replaced
        }

        async Task<JsonObject?> AboutAsync()
        {
            await using var file = RegularFile.OpenRead(path);
            ParquetFooter.Check(file);
            file.Position = 0;
            await using ParquetReader reader = await ParquetReader.CreateAsync(file);
            return AboutOf(path, reader.CustomMetadata.GetValueOrDefault(MetadataKey));
        }
    }

    private static string Extension(string path) => Path.GetExtension(path).ToLowerInvariant();

    /// <summary>Refuses a path where there is something else than an earlier file of embeddings, which writing would
    /// replace.</summary>
    /// <param name="path">.npy or .parquet, which need not exist.</param>
    /// <exception cref="ArgumentException">The path ends in neither.</exception>
    /// <exception cref="EmbeddingFileException">There is something else.</exception>
    public static void CheckReplaceable(string path)
    {
        if (!IsKnown(path)) throw new ArgumentException($"{path} must end in .npy or .parquet.");
        if (Directory.Exists(path)) throw Fault("there is a folder of that name");
        try
        {
            if (Extension(path) == ".parquet")
            {
                if (File.Exists(path) && !IsOwnParquet(path))
                    throw Fault("there is a Parquet file of that name that holds no embeddings");
                return;
            }
            string origin = OriginOf(path), names = NamesOf(path);
            if (File.Exists(origin))
            {
                if (!RegularFile.ReadAllText(origin).Contains(Format, StringComparison.Ordinal))
                    throw Fault($"there is {origin}, which would be replaced");
                return; // also where a part of it is missing or damaged
            }
            if (!File.Exists(path))
            {
                if (File.Exists(names)) throw Fault($"its names would replace {names}, which is there without it");
                return;
            }
            // One that the version before wrote.
            using var file = RegularFile.OpenRead(path);
            if (NpyHeader.Read(path, file) is not { Type: "<f4", Shape.Length: 2 } || !File.Exists(names))
                throw Fault("there is an array of that name that holds no embeddings");
            if (RegularFile.ReadLines(names).FirstOrDefault() != "path,label")
                throw Fault($"its names would replace {names}, which is no list of paths and labels");
        }
        catch (DataSourceException)
        {
            throw Fault("there is a file of that name that holds no embeddings");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EmbeddingFileException(path, e.Message.TrimEnd('.'), e, "written");
        }

        EmbeddingFileException Fault(string reason) => new(path, $"{reason}; choose another name", use: "written");
    }

    /// <summary>Whether a Parquet file is one of embeddings, damaged or not.</summary>
    private static bool IsOwnParquet(string path)
    {
        using (var file = RegularFile.OpenRead(path))
            if (Tail(file).IndexOf(s_hashMark) >= 0) return true;
        try
        {
            ReadParquet(path).Dispose(); // of the version before
            return true;
        }
        catch (EmbeddingFileException)
        {
            return false;
        }
    }

    /// <returns>The hash of the file.</returns>
    private static string WriteNumPy(string path, EmbeddingTable table)
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
        JsonObject about = About(origin);
        (about["vectors"], about["names"]) = (vectors, names);
        about["hash"] = HashOf(about);
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None);
        file.Write(Encoding.UTF8.GetBytes(about.ToJsonString(OptionsJson.Serializer) + "\n"));
        file.Flush(flushToDisk: true);
    }

    private static JsonObject About(EmbeddingOrigin? origin)
    {
        JsonObject about = origin?.ToJson() ?? [];
        about["format"] = Format;
        return about;
    }

    private static string HashOf(JsonObject about) =>
        Convert.ToHexStringLower(XxHash128.Hash(Encoding.UTF8.GetBytes(about.ToJsonString())));

    private static string Hex(XxHash128 hash) => Convert.ToHexStringLower(hash.GetCurrentHash());

    private static async Task WriteParquetAsync(string path, EmbeddingTable table)
    {
        await using var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16);
        var element = (DataField)s_vector.Item;
        await using (ParquetWriter writer = await ParquetWriter.CreateAsync(new ParquetSchema(s_path, s_label, s_vector), file))
        {
            writer.CustomMetadata = new Dictionary<string, string>
            {
                [MetadataKey] = About(table.Origin).ToJsonString(),
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
            if (got == 0) return Hex(hash);
            for (int i = 0; i < NoHash.Length; i++)
                if (at + i - start is >= 0 and var place && place < got) piece[place] = (byte)'0';
            hash.Append(piece.AsSpan(0, got));
            start += got;
        }
    }

    private static EmbeddingTable ReadNumPy(string path)
    {
        JsonObject? about = ReadOrigin(path);
        FileStream file = RegularFile.OpenRead(path);
        MappedFloats? mapped = null;
        try
        {
            if (file.Length > 0) mapped = new MappedFloats(file);
            if (about is not null && mapped?.Hash() != Text(path, about, "vectors")) throw Damaged(path, path);
            NpyHeader header = NpyHeader.Read(path, file);
            if (header is not { Type: "<f4", FortranOrder: false, Shape: [>= 0, >= 1 and <= 1 << 20] })
                throw new EmbeddingFileException(path, "it must hold float32 of shape (N, D) in C order, "
                    + $"but holds '{header.Type}' of shape "
                    + $"({string.Join(", ", header.Shape)})"
                    + (header.Shape.Length >= 3 ? $", images it seems. {EmbedFirst(path)}" : ""));
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
            var table = new EmbeddingTable(width, blocks, paths, labels, mapped, Origin(path, about))
            {
                Notes = about is not null ? [] : [.. PartsMissing(path)]
            };
            if (about is null) CheckFinite(path, table);
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
        yield return Unchecked(path, $"It has no {OriginOf(path)} beside it");
        if (!File.Exists(NamesOf(path)))
            yield return $"{NamesOf(path)} with the paths and labels is missing beside it too: "
                + "the images are called by their rows. Copy it to there where you have it.";
    }

    private const string Make = "`siam embed --run RUN --data FOLDER --out vectors.parquet`";

    private static string Unchecked(string path, string reason) =>
        $"{path} was made by an earlier version or another program, or was copied without the files beside it. "
            + $"{reason}, so neither its encoder nor damage can be checked. Repeat `siam embed` to have both.";

    /// <summary>Refuses rows that are like nothing. Those that <see cref="Write"/> wrote it checked then.</summary>
    private static void CheckFinite(string path, EmbeddingTable table)
    {
        for (int row = 0; row < table.Count; row++)
            if (!TensorPrimitives.IsFiniteAll(table[row]))
                throw new EmbeddingFileException(path, $"row {row}, of {table.Paths[row]}, holds a number that is not finite. "
                    + "Leave the row out, or repeat `siam embed`");
    }

    private static EmbeddingFileException Damaged(string path, string part) =>
        new(path, $"{part} is not as it was written (its hash differs): it is damaged, was changed, or belongs to another file. "
            + (Extension(path) == ".npy"
                ? $"Copy {Path.GetFileName(path)}, {Path.GetFileName(NamesOf(path))} and {Path.GetFileName(OriginOf(path))} "
                    + "together again, or repeat `siam embed`"
                : "Copy it again, or repeat `siam embed`"));

    /// <summary>What is said beside a .npy file; null where nothing is.</summary>
    private static JsonObject? ReadOrigin(string path)
    {
        string file = OriginOf(path);
        if (!File.Exists(file)) return null;
        try
        {
            JsonObject about = OptionsJson.Parse(RegularFile.ReadAllText(file), file);
            if (about["format"] is not JsonValue format || !format.TryGetValue(out string? name) || name != Format
                || about["hash"] is not JsonValue kept || !kept.TryGetValue(out string? hash))
                throw Damaged(path, file);
            about.Remove("hash");
            return HashOf(about) == hash ? about : throw Damaged(path, file);
        }
        catch (OptionsException e)
        {
            throw new EmbeddingFileException(path, $"{file} beside it is damaged "
                + $"({e.Message.ReplaceLineEndings(" ").TrimEnd('.')}). Copy it again, or repeat `siam embed`", e);
        }
    }

    private static string Text(string path, JsonObject about, string key) =>
        about[key] is JsonValue value && value.TryGetValue(out string? text) ? text : throw new EmbeddingFileException(path,
            $"\"{key}\" is missing in {OriginOf(path)}. Copy it again, or repeat `siam embed`");

    private static EmbeddingOrigin? Origin(string path, JsonObject? about)
    {
        if (about is null || !about.ContainsKey("encoder")) return null;
        try
        {
            return EmbeddingOrigin.Of(about);
        }
        catch (FormatException e)
        {
            throw new EmbeddingFileException(path,
                $"what it says of its encoder cannot be read: {e.Message}. Repeat `siam embed`", e);
        }
    }

    private static (string[] Paths, string?[] Labels) ReadNames(string path, int count, JsonObject? about)
    {
        string names = NamesOf(path);
        if (!File.Exists(names))
        {
            if (about is not null)
                throw new EmbeddingFileException(path,
                    $"{names} with its paths and labels is missing. Copy it to there, or repeat `siam embed`");
            return ([.. Enumerable.Range(0, count).Select(i => $"{path}#{i}")], new string?[count]);
        }
        byte[] bytes = RegularFile.ReadAllBytes(names);
        if (about is not null && Convert.ToHexStringLower(XxHash128.Hash(bytes)) != Text(path, about, "names"))
            throw Damaged(path, names);
        string[][] rows = [.. CsvRows.Parse(names, Encoding.UTF8.GetString(bytes)).Skip(1).Select(row => row.Fields)];
        if (rows.Length != count || rows.Any(row => row.Length < 2))
            throw new EmbeddingFileException(path, $"{names} beside it must name path and label of each of its "
                + $"{Plural.Of(count, "vector")}, but has {Plural.Of(rows.Length, "row")}");
        return ([.. rows.Select(row => row[0])], [.. rows.Select(row => row[1].Length > 0 ? row[1] : null)]);
    }

    private static EmbeddingTable ReadParquet(string path)
    {
        try
        {
            return ReadParquetAsync(path).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not EmbeddingFileException)
        {
            throw new EmbeddingFileException(path, "it is damaged or no Parquet file "
                + $"({e.Message.ReplaceLineEndings(" ").TrimEnd('.')}). Copy it again, or repeat `siam embed`", e);
        }
    }

    private static async Task<EmbeddingTable> ReadParquetAsync(string path)
    {
        await using var file = RegularFile.OpenRead(path);
        long? hash = HashPosition(file);
        if (hash is { } at)
        {
            byte[] kept = new byte[NoHash.Length];
            file.Position = at;
            file.ReadExactly(kept);
            if (HashWithZeros(file, at) != Encoding.ASCII.GetString(kept)) throw Damaged(path, "the file");
        }
        ParquetFooter.Check(file);
        file.Position = 0;
        await using ParquetReader reader = await ParquetReader.CreateAsync(file);
        JsonObject? about = AboutOf(path, reader.CustomMetadata.GetValueOrDefault(MetadataKey));
        if ((about is null) != (hash is null)) throw Damaged(path, "the file"); // one of the two is there
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
        var table = new EmbeddingTable(Math.Max(1, width), blocks, allPaths, allLabels, null, Origin(path, about))
        {
            Notes = about is not null ? [] : [Unchecked(path, $"Its metadata has no {MetadataKey}")]
        };
        if (about is null) CheckFinite(path, table);
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
}

/// <summary>A file of embeddings that cannot be read, written or used.</summary>
/// <param name="path">The file.</param>
/// <param name="reason">What is wrong with it, and what to do.</param>
/// <param name="inner">What the reason was found by, if anything.</param>
/// <param name="use">What it was to be.</param>
public sealed class EmbeddingFileException(string path, string reason, Exception? inner = null, string use = "read as embeddings")
    : Exception(Shown.Text($"{path} cannot be {use}: {reason}{(reason.EndsWith('?') ? "" : ".")}"), inner)
{
    /// <summary>The file.</summary>
    public string Path { get; } = path;
}

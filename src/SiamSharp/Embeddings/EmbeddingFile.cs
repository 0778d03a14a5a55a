using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Parquet;
using Parquet.Schema;
using SiamSharp.Data;

namespace SiamSharp.Embeddings;

/// <summary>Files of representations: Parquet (columns path, label and vector, a list of float) and NumPy (N, D) with a CSV of paths and labels beside it.</summary>
public static class EmbeddingFile
{
    private const int RowGroup = 16_384, BlockBytes = 1 << 28;

    private static readonly DataField<string> s_path = new("path"), s_label = new("label");
    private static readonly ListField s_vector = new("vector", new DataField<float>("element", nullable: false));

    /// <summary>Whether a path ends as one of the two formats does.</summary>
    public static bool IsKnown(string path) => Extension(path) is ".npy" or ".parquet";

    /// <summary>The paths and labels that belong to a .npy file.</summary>
    public static string NamesOf(string path) => Path.ChangeExtension(path, ".csv");

    /// <summary>Writes a file, whole or not at all.</summary>
    /// <param name="path">.npy or .parquet.</param>
    /// <param name="table">What it will hold.</param>
    /// <exception cref="ArgumentException">The path ends in neither.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Write(string path, EmbeddingTable table)
    {
        string partial = path + ".writing";
        try
        {
            switch (Extension(path))
            {
                case ".npy":
                    CheckNames(path);
                    WriteNumPy(partial, table);
                    WriteNames(NamesOf(path) + ".writing", table);
                    File.Move(NamesOf(path) + ".writing", NamesOf(path), overwrite: true);
                    break;
                case ".parquet":
                    WriteParquetAsync(partial, table).GetAwaiter().GetResult();
                    break;
                default: throw new ArgumentException($"{path} must end in .npy or .parquet.");
            }
            File.Move(partial, path, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">.npy or .parquet.</param>
    /// <exception cref="EmbeddingFileException">It is missing, damaged or holds something else.</exception>
    public static EmbeddingTable Read(string path)
    {
        if (!File.Exists(path)) throw new EmbeddingFileException(path, "it does not exist");
        return Extension(path) switch
        {
            ".npy" => ReadNumPy(path),
            ".parquet" => ReadParquet(path),
            _ => throw new EmbeddingFileException(path, "it must end in .npy or .parquet"),
        };
    }

    private static string Extension(string path) => Path.GetExtension(path).ToLowerInvariant();

    private static void WriteNumPy(string path, EmbeddingTable table)
    {
        string header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({table.Count}, {table.Width}), }}";
        header = header.PadRight((header.Length + 11 + 63) / 64 * 64 - 11) + "\n"; // 10 bytes ahead of it; the numbers begin at a multiple of 64
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        file.Write([0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, (byte)(header.Length >> 8)]);
        file.Write(Encoding.Latin1.GetBytes(header));
        for (int row = 0; row < table.Count; row++) file.Write(MemoryMarshal.AsBytes(table[row]));
        file.Flush(flushToDisk: true);
    }

    /// <summary>Refuses a .npy file whose names would replace a file that is not of an earlier one.</summary>
    /// <exception cref="EmbeddingFileException">There is such a file.</exception>
    public static void CheckNames(string path)
    {
        if (Extension(path) == ".npy" && !File.Exists(path) && File.Exists(NamesOf(path)))
            throw new EmbeddingFileException(path, $"its names would replace {NamesOf(path)}, which is there without it; choose another name", writing: true);
    }

    private static void WriteNames(string path, EmbeddingTable table)
    {
        using var file = new StreamWriter(path);
        file.WriteLine("path,label");
        for (int row = 0; row < table.Count; row++) file.WriteLine($"{CsvRows.Quote(table.Paths[row])},{CsvRows.Quote(table.Labels[row] ?? "")}");
    }

    private static async Task WriteParquetAsync(string path, EmbeddingTable table)
    {
        await using var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16);
        var element = (DataField)s_vector.Item;
        await using (ParquetWriter writer = await ParquetWriter.CreateAsync(new ParquetSchema(s_path, s_label, s_vector), file))
        {
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
        file.Flush(flushToDisk: true);
    }

    private static EmbeddingTable ReadNumPy(string path)
    {
        NpyHeader header;
        long length;
        try
        {
            using var file = RegularFile.OpenRead(path);
            (header, length) = (NpyHeader.Read(path, file), file.Length);
        }
        catch (DataSourceException e)
        {
            throw new EmbeddingFileException(path, e.Message, e);
        }
        if (header is not { Type: "<f4", FortranOrder: false, Shape: [>= 0, >= 1 and <= 1 << 20] })
            throw new EmbeddingFileException(path, $"it must hold float32 of shape (N, D) in C order, but holds '{header.Type}' of shape ({string.Join(", ", header.Shape)})");
        if (header.Shape[0] > int.MaxValue || header.Offset + header.Shape[0] * header.Shape[1] * sizeof(float) != length)
            throw new EmbeddingFileException(path, $"its header promises {header.Shape[0]} vectors of {header.Shape[1]} numbers, but it has {length - header.Offset} bytes for them");
        int count = (int)header.Shape[0], width = (int)header.Shape[1];
        var (paths, labels) = ReadNames(path, count);
        if (count == 0) return new(width, [], paths, labels);
        var mapped = new MappedFloats(path, header.Offset, (long)count * width);
        return new(width, mapped.Blocks(BlockBytes / sizeof(float) / width * width), paths, labels, mapped);
    }

    private static (string[] Paths, string?[] Labels) ReadNames(string path, int count)
    {
        string names = NamesOf(path);
        if (!File.Exists(names)) return ([.. Enumerable.Range(0, count).Select(i => $"{path}#{i}")], new string?[count]);
        string[][] rows = [.. CsvRows.Parse(names, RegularFile.ReadAllText(names)).Skip(1).Select(row => row.Fields)];
        if (rows.Length != count || rows.Any(row => row.Length < 2))
            throw new EmbeddingFileException(path, $"{names} beside it must name path and label of each of its {count} vectors, but has {rows.Length} rows");
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
            throw new EmbeddingFileException(path, $"it is damaged or no Parquet file ({e.Message.TrimEnd('.')})", e);
        }
    }

    private static async Task<EmbeddingTable> ReadParquetAsync(string path)
    {
        await using var file = RegularFile.OpenRead(path);
        ParquetFooter.Check(file);
        await using ParquetReader reader = await ParquetReader.CreateAsync(file);
        DataField[] fields = reader.Schema.GetDataFields();
        DataField? vector = fields.FirstOrDefault(f => f.Path.ToString().StartsWith("vector/", StringComparison.Ordinal) && f.ClrType == typeof(float));
        DataField? paths = fields.FirstOrDefault(f => f.Path.ToString() == "path"), labels = fields.FirstOrDefault(f => f.Path.ToString() == "label");
        if (vector is null || paths is null)
            throw new EmbeddingFileException(path, $"it must have the columns path and vector (a list of float), but has {string.Join(", ", fields.Select(f => f.Path.ToString()))}");
        var (blocks, allPaths, allLabels, width) = (new List<ReadOnlyMemory<float>>(), new List<string>(), new List<string?>(), 0);
        for (int g = 0; g < reader.RowGroupCount; g++)
        {
            using ParquetRowGroupReader group = reader.OpenRowGroupReader(g);
            int rows = checked((int)group.RowCount), values = checked((int)(group.GetMetadata(vector)?.MetaData?.NumValues ?? 0));
            if (rows == 0) continue;
            if ((long)values * sizeof(float) > (64L << 20) + 100 * file.Length) throw new EmbeddingFileException(path, $"its header promises {values} numbers, far more than its {file.Length} bytes hold");
            if (width == 0) width = values / rows;
            if (width == 0 || values != (long)width * rows) throw new EmbeddingFileException(path, $"its vectors differ in length: {rows} of them have {values} numbers, not {width} each");
            float[] block = new float[values];
            int[] repetition = ArrayPool<int>.Shared.Rent(values), definition = ArrayPool<int>.Shared.Rent(values);
            await group.ReadRawAsync<float>(vector, block, definition.AsMemory(0, values), repetition.AsMemory(0, values));
            bool even = true;
            for (int i = 0; i < values; i++) even &= repetition[i] == (i % width == 0 ? 0 : 1) && definition[i] == vector.MaxDefinitionLevel;
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
        return new(Math.Max(1, width), blocks, allPaths, allLabels);
    }
}

/// <summary>A file that holds no embeddings, or cannot be written.</summary>
/// <param name="path">The file.</param>
/// <param name="reason">What is wrong with it.</param>
/// <param name="inner">What the reason was found by, if anything.</param>
/// <param name="writing">Whether it was to be written.</param>
public sealed class EmbeddingFileException(string path, string reason, Exception? inner = null, bool writing = false)
    : Exception(Shown.Text($"{path} cannot be {(writing ? "written" : "read as embeddings")}: {reason}."), inner)
{
    /// <summary>The file.</summary>
    public string Path { get; } = path;
}

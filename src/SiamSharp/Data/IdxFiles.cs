using System.Buffers.Binary;
using System.IO.Compression;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;

namespace SiamSharp.Data;

/// <summary>Reads the IDX format of MNIST and its relatives: unsigned bytes of shape (N, H, W) and labels of shape (N).</summary>
/// <remarks>
/// Definition: two zero bytes, the type (8 = unsigned byte), the number of dimensions, each dimension as a big-endian
/// 32-bit integer, then the values. Source: LeCun, Cortes and Burges, "The MNIST database", section on file formats.
/// </remarks>
internal static class IdxFiles
{
    /// <summary>Opens a file of images with the labels beside it, where there are some.</summary>
    /// <param name="name">How the user named the source.</param>
    /// <param name="path">Path of <c>*-images-idx3-ubyte</c>, plain or <c>.gz</c>.</param>
    /// <param name="options">How images are decoded.</param>
    /// <param name="classNames">Names in label order; null = the numbers themselves.</param>
    /// <param name="notes">What the user should know of the source.</param>
    public static IImageSource Open(string name, string path, DataOptions options,
        IReadOnlyList<string>? classNames = null, IReadOnlyList<string>? notes = null)
    {
        var (shape, values) = Read(path, dimensions: 3);
        var (n, h, w) = (shape[0], shape[1], shape[2]);
        if (h < 1 || w < 1)
            throw new DataSourceException(
                $"'{path}' must hold images of one pixel or more, but its header says {n} images of {w} x {h}.");
        int[]? labels = null;
        if (LabelsBeside(path) is { } labelPath)
        {
            labels = [.. Read(labelPath, dimensions: 1).Values.Select(v => (int)v)];
            ArraySource.CheckLabels(path, n, labels.Length, labelPath);
            classNames ??= ClassLabels.Numbers(labels);
            if (labels.Length > 0 && labels.Max() >= classNames.Count)
                throw new DataSourceException(
                    $"'{labelPath}' holds label {labels.Max()}, but there are {classNames.Count} classes.");
        }
        Pixels Image(int i) => new(values.AsSpan(i * h * w, h * w).ToArray(), 1, h, w);
        return new ArraySource(name, n, new ImageInfo(w, h, 1, 8), Image, options, labels, labels is null ? null : classNames)
        {
            Notes = notes ?? []
        };
    }

    /// <summary>True for a path that ends like an IDX file of images.</summary>
    public static bool IsImagesPath(string path) =>
        path.EndsWith("idx3-ubyte", StringComparison.Ordinal) || path.EndsWith("idx3-ubyte.gz", StringComparison.Ordinal);

    /// <summary>The file of images that a file of labels belongs to; null for a path that is not called like one,
    /// or has no such file beside it.</summary>
    public static string? ImagesOf(string path)
    {
        string images = path.Replace("labels-idx1", "images-idx3", StringComparison.Ordinal)
            .Replace("labels.idx1", "images.idx3", StringComparison.Ordinal);
        string plain = images.EndsWith(".gz", StringComparison.Ordinal) ? images[..^3] : images;
        return images == path ? null : new[] { plain, plain + ".gz" }.FirstOrDefault(File.Exists) ?? images;
    }

    private static string? LabelsBeside(string path)
    {
        string file = Path.GetFileName(path).Replace("images-idx3", "labels-idx1", StringComparison.Ordinal);
        file = file.Replace("images.idx3", "labels.idx1", StringComparison.Ordinal);
        string plain = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, file.EndsWith(".gz") ? file[..^3] : file);
        return new[] { plain, plain + ".gz" }.FirstOrDefault(p => File.Exists(p) && Path.GetFullPath(path) != p);
    }

    private static (int[] Shape, byte[] Values) Read(string path, int dimensions)
    {
        try
        {
            using FileStream file = RegularFile.OpenRead(path, 1 << 16);
            if (!path.EndsWith(".gz", StringComparison.Ordinal)) return Read(path, dimensions, file, file.Length);
            using var packed = new GZipStream(file, CompressionMode.Decompress);
            return Read(path, dimensions, packed, MaxUnpacked * file.Length);
        }
        catch (InvalidDataException)
        {
            using FileStream again = RegularFile.OpenRead(path);
            throw new DataSourceException(again.ReadByte() == 0 && again.ReadByte() == 0 && again.ReadByte() == 8
                ? $"'{path}' ends in .gz, but is not compressed. Take .gz off its name."
                : $"'{path}' is not a whole gzip file. Download it again.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataSourceException($"'{path}' cannot be read: {e.Message}");
        }
    }

    /// <summary>Reads header and values; nothing is allocated that the file cannot hold, and unpacking ends
    /// where the header says.</summary>
    /// <param name="path">For messages.</param>
    /// <param name="dimensions">Wanted.</param>
    /// <param name="stream">From its start.</param>
    /// <param name="most">Bytes that may follow at most.</param>
    private static (int[] Shape, byte[] Values) Read(string path, int dimensions, Stream stream, long most)
    {
        int start = 4 + 4 * dimensions;
        byte[] header = new byte[start];
        int got = stream.ReadAtLeast(header, start, throwOnEndOfStream: false);
        if (got < start || header[0] != 0 || header[1] != 0 || header[2] != 8 || header[3] != dimensions)
            throw header is [3 or 1, 8, 0, 0, ..] && got == start
                ? new DataSourceException($"'{path}' has its numbers with the last byte first; "
                    + "IDX files have the first byte first. Write its header with big-endian integers ('>i4' in NumPy).")
                : new DataSourceException(
                $"'{path}' is not an IDX file of unsigned bytes with {dimensions} dimensions: it must start with the bytes 0 0 8 "
                + $"{dimensions}, but starts with "
                + $"{string.Join(' ', header.Take(Math.Min(got, 4)))}{(got >= 4 && got < start ? ", and then ends" : "")}. "
                + "Download or unpack it again.");
        int[] shape = [.. Enumerable.Range(0, dimensions)
            .Select(d => BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4 + 4 * d)))];
        Int128 count = shape.Aggregate((Int128)1, (product, d) => product * d); // at most 2^93
        DataSourceException Damaged(string found) =>
            new($"'{path}' is cut short or damaged: its header promises {string.Join(" x ", shape)} values, "
                + $"but {found}. Download or unpack it again.");
        if (shape.Any(d => d < 0) || count > most - start)
            throw Damaged($"at most {Plural.Of(Math.Max(0, most - start), "byte")} can follow");
        if (count > Array.MaxLength)
            throw new DataSourceException(
                $"'{path}' holds {count} values; at most {Array.MaxLength} are read from one file. Divide it.");
        byte[] values = new byte[(int)count];
        got = stream.ReadAtLeast(values, values.Length, throwOnEndOfStream: false);
        if (got < values.Length) throw Damaged($"{Plural.Of(got, "byte")} {(got == 1 ? "follows" : "follow")}");
        return stream.ReadByte() < 0 ? (shape, values) : throw Damaged("more follow");
    }

    // Deflate makes 258 bytes of two bits at most.
    private const long MaxUnpacked = 1032;
}

/// <summary>Images in an IDX file, with the labels beside it.</summary>
[Kind("idx")]
internal sealed class IdxFormat : SourceFormat
{
    /// <inheritdoc/>
    public override string Form => "an IDX file *-images-idx3-ubyte[.gz]";

    /// <inheritdoc/>
    public override bool Takes(string name) => File.Exists(name) && IdxFiles.IsImagesPath(name);

    /// <inheritdoc/>
    public override IImageSource Open(string name, DataOptions options) => IdxFiles.Open(name, name, options);
}

using System.Buffers.Binary;
using System.IO.Compression;

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
    public static IImageSource Open(string name, string path, DataOptions options, IReadOnlyList<string>? classNames = null)
    {
        var (shape, values) = Read(path, dimensions: 3);
        var (n, h, w) = (shape[0], shape[1], shape[2]);
        int[]? labels = null;
        if (LabelsBeside(path) is { } labelPath)
        {
            labels = [.. Read(labelPath, dimensions: 1).Values.Select(v => (int)v)];
            classNames ??= ClassLabels.Numbers(labels);
            if (labels.Length > 0 && labels.Max() >= classNames.Count)
                throw new DataSourceException(
                    $"'{labelPath}' holds label {labels.Max()}, but there are {classNames.Count} classes.");
        }
        Pixels Image(int i) => new(values.AsSpan(i * h * w, h * w).ToArray(), 1, h, w);
        return new ArraySource(name, n, new ImageInfo(w, h, 1, 8), Image, options, labels, labels is null ? null : classNames);
    }

    /// <summary>True for a path that ends like an IDX file of images.</summary>
    public static bool IsImagesPath(string path) =>
        path.EndsWith("idx3-ubyte", StringComparison.Ordinal) || path.EndsWith("idx3-ubyte.gz", StringComparison.Ordinal);

    private static string? LabelsBeside(string path)
    {
        string file = Path.GetFileName(path).Replace("images-idx3", "labels-idx1", StringComparison.Ordinal);
        file = file.Replace("images.idx3", "labels.idx1", StringComparison.Ordinal);
        string plain = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, file.EndsWith(".gz") ? file[..^3] : file);
        return new[] { plain, plain + ".gz" }.FirstOrDefault(p => File.Exists(p) && Path.GetFullPath(path) != p);
    }

    private static (int[] Shape, byte[] Values) Read(string path, int dimensions)
    {
        byte[] bytes = ReadAll(path);
        if (bytes.Length < 4 + 4 * dimensions || bytes[0] != 0 || bytes[1] != 0 || bytes[2] != 8 || bytes[3] != dimensions)
            throw new DataSourceException(
                $"'{path}' is not an IDX file of unsigned bytes with {dimensions} dimensions: it must start with the bytes 0 0 8 "
                + $"{dimensions}, but starts with {string.Join(' ', bytes.Take(4))}. Download or unpack it again.");
        int[] shape = [.. Enumerable.Range(0, dimensions)
            .Select(d => BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(4 + 4 * d)))];
        long count = shape.Aggregate(1L, (product, d) => product * d);
        int start = 4 + 4 * dimensions;
        if (shape.Any(d => d < 0) || count != bytes.Length - start)
            throw new DataSourceException(
                $"'{path}' is cut short or damaged: its header promises {string.Join(" x ", shape)} values, "
                + $"but {bytes.Length - start} bytes follow. Download or unpack it again.");
        return (shape, bytes[start..]);
    }

    private static byte[] ReadAll(string path)
    {
        try
        {
            if (!path.EndsWith(".gz", StringComparison.Ordinal)) return File.ReadAllBytes(path);
            using var packed = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
            using var memory = new MemoryStream();
            packed.CopyTo(memory);
            return memory.ToArray();
        }
        catch (InvalidDataException)
        {
            throw new DataSourceException($"'{path}' is not a whole gzip file. Download it again.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataSourceException($"'{path}' cannot be read: {e.Message}");
        }
    }
}

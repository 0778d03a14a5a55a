using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;

namespace SiamSharp.Data;

/// <summary>Images in a NumPy array of shape (N, H, W) or (N, C, H, W), read from the file one by one.</summary>
internal static class NpyFile
{
    private const string Needed = "uint8, uint16, float32 or float64, little endian";

    /// <summary>
    /// Opens an array; integer labels of shape (N) are taken from <c>NAME.labels.npy</c> where it exists, -1 = none.
    /// </summary>
    /// <exception cref="DataSourceException">Not an array of images.</exception>
    public static IImageSource Open(string name, string path, DataOptions options)
    {
        var (handle, header) = OpenArray(path);
        var (type, shape) = (header.Type, header.Shape);
        if (shape.Length == 1 && type is not [_, 'O' or 'S' or 'U', ..])
            throw new DataSourceException($"'{path}' has one dimension, ({shape[0]}), as labels have. Give the array "
                + "of the images, of shape (N, H, W) or (N, C, H, W); labels lie beside it, images.labels.npy for images.npy.");
        int width = type switch
        {
            "|u1" => 1,
            "<u2" => 2,
            "<f4" => 4,
            "<f8" => 8,
            _ => throw new DataSourceException($"'{path}' must hold {Needed}, but holds {Described(type)}."),
        };
        if (header.FortranOrder)
            throw new DataSourceException(
                $"'{path}' must be in C order, but is in Fortran order: save numpy.ascontiguousarray(x).");
        CheckLength(path, handle, header, width);
        if (shape.Length is not (3 or 4) || shape.Any(d => d is < 1 or > int.MaxValue))
            throw new DataSourceException(
                $"'{path}' must have the shape (N, H, W) or (N, C, H, W), number of images, channels, height and width, "
                + $"but has {Tuple(shape)}{(shape.Contains(0) ? ", which holds nothing" : "")}. "
                + (shape.Contains(0) ? "Save an array with one image or more."
                    : shape.Length > 4 ? "Save x.reshape(-1, *x.shape[-3:]) where the last three are channels, height and width."
                    : "Where each row is one flattened image, save x.reshape(len(x), HEIGHT, WIDTH); "
                        + "where all is one image, x[None]."));
        if (shape.Length == 4 && shape[3] <= 4 && shape[1] > 16)
            throw new DataSourceException(
                $"'{path}' must have the shape (N, C, H, W), but ({string.Join(", ", shape)}) looks like "
                + "(N, H, W, C): save numpy.ascontiguousarray(x.transpose(0, 3, 1, 2)).");
        var (n, c, h, w) = ((int)shape[0], shape.Length == 4 ? (int)shape[1] : 1, (int)shape[^2], (int)shape[^1]);
        int values = (Int128)c * h * w <= Array.MaxLength / sizeof(double) ? c * h * w
            : throw new DataSourceException($"'{path}' holds images of {c} x {h} x {w} values; "
                + $"at most {Array.MaxLength / sizeof(double)} are read as one image.");
        long bytes = (long)values * width;

        Pixels Image(int i)
        {
            try
            {
                return new(ReadValues(handle, header.Offset + i * bytes, type, values), c, h, w);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new UnreadableImageException($"{name}#{i}", $"cannot be read any more ({e.Message.TrimEnd('.')})");
            }
        }
        var info = new ImageInfo(w, h, c, width switch { 1 => 8, 2 => 16, _ => 32 });
        var (labels, classNames) = LabelsBeside(path);
        if (labels is not null) ArraySource.CheckLabels(path, n, labels.Length, LabelPath(path));
        return new ArraySource(name, n, info, Image, options, labels, classNames)
        {
            Notes = [.. shape.Length == 3 ? OneImageNotes(path, n, h, w) : []]
        };
    }

    /// <summary>What else an array of three dimensions may be meant as.</summary>
    private static IEnumerable<string> OneImageNotes(string path, int n, int h, int w)
    {
        const int fewChannels = 4, manyRows = 16;
        string taken = $"'{path}' is taken as {Plural.Of(n, "grey image")} of {w} x {h} pixels.";
        if (w <= fewChannels && h > manyRows)
            yield return $"{taken} If it is one image whose last dimension is the channels, save x.transpose(2, 0, 1)[None].";
        else if (n <= fewChannels && h > manyRows && w > manyRows)
            yield return $"{taken} If it is one image of {Plural.Of(n, "channel")}, save x[None].";
    }

    /// <summary>A shape as Python writes it.</summary>
    private static string Tuple(long[] shape) => shape is [var one] ? $"({one},)" : $"({string.Join(", ", shape)})";

    /// <summary>What is in an array of a type that holds no pixels, and what to save instead.</summary>
    private static string Described(string type) => (type.Length < 2 ? ' ' : type[1]) switch
    {
        _ when type[0] == '>' => $"numbers with the first byte first ('{type}'): save x.astype('<{type[1..]}')",
        'O' => $"Python objects ('{type}'), such as images of unequal sizes: make them one size and save numpy.stack(images), "
            + "or give a folder of image files",
        'c' => $"complex numbers ('{type}'): save what shall be the image of them, such as numpy.abs(x).astype('float32')",
        'i' or 'u' =>
            $"integers of {(int.TryParse(type[2..], out int bytes) ? $"{8 * bytes} bits" : "another kind")} ('{type}'): "
                + "save x.astype('uint8') where the values are 0 to 255, or x.astype('uint16') where they reach 65535"
                + (type[1] == 'i' ? "; where some are below 0, (x.astype('int64') - x.min()).astype('uint16')" : ""),
        'b' => $"true and false ('{type}'): save x.astype('uint8') * 255",
        'f' => $"fractions of another size ('{type}'): save x.astype('float32')",
        'S' or 'U' => $"text ('{type}'): for a list of files save it as .csv with a column path",
        _ => $"'{type}': save it as one of those, such as x.astype('float32')",
    };

    /// <summary>Refuses a file that is shorter than its header says.</summary>
    private static void CheckLength(string path, SafeFileHandle handle, NpyHeader header, int width)
    {
        // lengths from 0
        Int128 needed = header.Shape.Aggregate((Int128)width, (product, d) => Int128.Min(product * d, long.MaxValue));
        long there = Math.Max(0, RandomAccess.GetLength(handle) - header.Offset);
        if (there < needed)
            throw new DataSourceException($"'{path}' is cut short: "
                + $"its header promises ({string.Join(", ", header.Shape)}) numbers of {width} bytes, "
                + $"but {Plural.Of(there, "byte")} {(there == 1 ? "follows" : "follow")}. Save it again.");
    }

    private static Array ReadValues(SafeFileHandle handle, long offset, string type, int count)
    {
        return type switch
        {
            "|u1" => Read<byte>(),
            "<u2" => Read<ushort>(),
            "<f4" => Read<float>(),
            _ => Array.ConvertAll(Read<double>(), v => (float)v),
        };
        T[] Read<T>() where T : unmanaged
        {
            var values = new T[count];
            var bytes = MemoryMarshal.AsBytes(values.AsSpan());
            for (int done = 0; done < bytes.Length;)
            {
                int got = RandomAccess.Read(handle, bytes[done..], offset + done);
                if (got == 0) throw new EndOfStreamException();
                done += got;
            }
            return values;
        }
    }

    private static string LabelPath(string path) => Path.ChangeExtension(path, ".labels.npy");

    private static (int[]?, IReadOnlyList<string>?) LabelsBeside(string path)
    {
        string file = LabelPath(path);
        if (!File.Exists(file)) return (null, null);
        var (handle, header) = OpenArray(file);
        using var opened = handle;
        int width = header.Type switch
        {
            "|u1" or "|i1" => 1,
            "<u2" or "<i2" => 2,
            "<u4" or "<i4" => 4,
            "<u8" or "<i8" => 8,
            _ => 0,
        };
        if (width == 0 || header.Shape.Length != 1)
            throw new DataSourceException(
                $"'{file}' must hold integers of shape (N), little endian, but holds '{header.Type}' of shape "
                + $"{Tuple(header.Shape)}" + (header.Shape.Length == 2 && header.Shape[1] > 1
                    ? ": where each row has a 1 for its class, save y.argmax(1).astype('int64')" : "") + ".");
        CheckLength(file, handle, header, width);
        if (header.Shape[0] > Array.MaxLength / sizeof(long))
            throw new DataSourceException(
                $"'{file}' holds {header.Shape[0]} labels; at most {Array.MaxLength / sizeof(long)} are read.");
        byte[] bytes = (byte[])ReadValues(handle, header.Offset, "|u1", (int)header.Shape[0] * width);
        long[] values = [.. bytes.Chunk(width).Select(b => Integer(b, signed: header.Type[1] == 'i'))];
        if (values.Length > 0 && (values.Min() < -1 || values.Max() >= 1_000_000))
            throw new DataSourceException(
                $"'{file}' must hold class numbers from 0 (-1 = no label), but holds {values.Min()} to {values.Max()}.");
        int[] labels = [.. values.Select(v => (int)v)];
        return (labels, ClassLabels.Numbers(labels));
    }

    private static long Integer(byte[] little, bool signed)
    {
        long value = signed && little[^1] >= 128 ? -1 : 0;
        for (int i = little.Length - 1; i >= 0; i--) value = (value << 8) | little[i];
        return value;
    }

    private static (SafeFileHandle, NpyHeader) OpenArray(string path)
    {
        try
        {
            using var file = RegularFile.OpenRead(path);
            return (File.OpenHandle(path, options: FileOptions.RandomAccess), NpyHeader.Read(path, file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataSourceException($"'{path}' cannot be read: {e.Message}");
        }
    }
}

/// <summary>Images in a NumPy array.</summary>
[Kind("npy")]
internal sealed class NpyFormat : SourceFormat
{
    /// <inheritdoc/>
    public override string Form => "an array .npy";

    /// <inheritdoc/>
    public override bool Takes(string name) =>
        File.Exists(name) && Path.GetExtension(name).Equals(".npy", StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override IImageSource Open(string name, DataOptions options) => NpyFile.Open(name, name, options);
}

using System.Buffers.Binary;
using System.Text;

namespace SiamSharp.Files;

/// <summary>Names what lies in the place of a file of weights, so that the reader knows what to do.</summary>
internal static class FileKind
{
    /// <summary>What a file is, in words that follow "cannot be read: "; null where it is none of the usual mistakes.</summary>
    /// <param name="file">Read from its start; left there.</param>
    /// <param name="asSafeTensors">Whether it is read as a safetensors file, and not as one of torch.save.</param>
    public static string? Of(Stream file, bool asSafeTensors = false)
    {
        byte[] bytes = new byte[512];
        file.Position = 0;
        int got = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        file.Position = 0;
        return Of(bytes.AsSpan(0, got), file.Length, asSafeTensors);
    }

    private static string? Of(ReadOnlySpan<byte> start, long length, bool asSafeTensors)
    {
        if (start.Length == 0) return "it is empty (0 bytes): copy or download it again";
        if (start.IndexOfAnyExcept((byte)0) < 0)
            return $"it begins with {start.Length} zero bytes: it was never written whole. Copy or download it again";
        if (start.StartsWith("version https://git-lfs"u8))
            return "it is a pointer of Git LFS, not the file that it stands for: run `git lfs pull`, or download the file itself";
        ReadOnlySpan<byte> text = start.StartsWith("\uFEFF"u8) ? start[3..] : start;
        text = text.TrimStart(" \t\r\n"u8);
        if (text.StartsWith("<"u8)) return "it is a web page or XML, not weights: the download needs another address, or a login";
        if (start.StartsWith("\u0089HDF"u8) || start.StartsWith((byte[])[0x89, .. "HDF"u8]))
            return "it is an HDF5 file, as Keras writes: load it in Python and save the weights as safetensors";
        if (start.StartsWith((byte[])[0x93, .. "NUMPY"u8])) return "it is a NumPy array: save a dict of arrays as safetensors";
        if (start.StartsWith("GGUF"u8)) return "it is a GGUF file of a language model";
        if (start.Length >= 8 && start[4..].StartsWith("TFL3"u8))
            return "it is a TensorFlow Lite model: save the weights as safetensors";
        if (start.StartsWith((byte[])[0x1f, 0x8b]) || start.StartsWith("BZh"u8) || start.StartsWith((byte[])[0xfd, .. "7zXZ"u8])
            || start.StartsWith((byte[])[0x28, 0xb5, 0x2f, 0xfd]))
            return "it is compressed: unpack it first";
        if (start.StartsWith((byte[])[.. "7z"u8, 0xbc, 0xaf]) || start.StartsWith("Rar!"u8)
            || (start.Length > 262 && start[257..].StartsWith("ustar"u8)))
            return "it is an archive: unpack it and give the file of weights in it";
        if (start.StartsWith("PK"u8) && start.IndexOf("data.pkl"u8) < 0 && start.IndexOf("byteorder"u8) < 0)
            return "it is a zip archive, but not one that torch.save has written: unpack it and give the file of weights in it";
        if (start.StartsWith("PK"u8)) return "it is a zip archive, as torch.save writes: give it the ending .pth";
        if (start[0] == 0x80 && start.Length > 1 && start[1] <= 5)
            return "it is a pickle, as torch.save writes: give it the ending .pth";
        if (IsOnnx(start)) return "it is an ONNX model: give the weights that it was made from";
        if (start.Length > 8 && start[8] == '{' && start[7] == 0)
        {
            if (!asSafeTensors) return "it begins as a safetensors file: give it the ending .safetensors";
            ulong header = BinaryPrimitives.ReadUInt64LittleEndian(start);
            return header > (ulong)length - 8
                ? $"it was cut short: its header alone takes {header} bytes, and the file has {length}" : null;
        }
        if (start.IndexOf("\"weight_map\""u8) >= 0)
            return "it lists the parts in which large weights were saved: put them together in Python, "
                + "with safetensors.torch.load_file of each part and save_file of all, and give that one file";
        return IsText(start)
            ? "it is text that begins with "
                + $"'{Encoding.UTF8.GetString(start[..Math.Min(start.Length, 40)]).ReplaceLineEndings(" ").Trim()}'" : null;
    }

    /// <summary>What a zip archive is that torch.save has not written.</summary>
    /// <param name="names">Of the files in it.</param>
    public static string OfArchive(IReadOnlyCollection<string> names)
    {
        if (names.Count == 0) return "it is an empty zip archive";
        if (names.All(name => name.EndsWith(".npy", StringComparison.Ordinal)))
            return "it is an .npz file of NumPy arrays: save them as safetensors";
        if (names.Any(name => name.EndsWith(".weights.h5", StringComparison.Ordinal)))
            return "it is a .keras model: load it in Python and save the weights as safetensors";
        string some = string.Join(", ", names.Take(3)) + (names.Count > 3 ? ", ..." : "");
        return $"it is a zip archive that torch.save has not written, of {names.Count} files ({some}): "
            + "unpack it and give the file of weights in it";
    }

    // ir_version, then the producer's name or the graph: fields 1, 2 and 7 of ModelProto.
    private static bool IsOnnx(ReadOnlySpan<byte> start) =>
        start.Length > 3 && start[0] == 0x08 && start[1] is > 0 and < 32 && start[2] is 0x12 or 0x3a;

    private static bool IsText(ReadOnlySpan<byte> start) =>
        start[..Math.Min(start.Length, 40)].IndexOfAnyExceptInRange((byte)9, (byte)126) < 0;
}

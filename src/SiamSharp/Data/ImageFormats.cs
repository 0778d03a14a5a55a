using System.Text;

namespace SiamSharp.Data;

/// <summary>The image formats that are read: known by their first bytes, whatever a file is called.</summary>
internal static class ImageFormats
{
    /// <summary>Endings of files that are taken for images in a folder, in lower case.</summary>
    public static readonly IReadOnlyList<string> Endings = [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".gif", ".tif", ".tiff", ".bmp"];

    /// <summary>Whether a path ends like an image, in upper or lower case.</summary>
    public static bool HasImageEnding(string path) => Endings.Contains(Path.GetExtension(path).ToLowerInvariant());

    /// <summary>Endings of images that are not read, in lower case.</summary>
    public static readonly IReadOnlyList<string> OtherEndings =
    [
        ".heic", ".heif", ".jxl", ".jp2", ".j2k", ".jpx", ".svg", ".svgz", ".psd", ".psb", ".tga", ".ico", ".dds", ".exr", ".hdr", ".pbm", ".pgm", ".ppm", ".pnm", ".pfm", ".pcx", ".xcf",
        ".eps", ".ai", ".pdf", ".dcm", ".dicom", ".nii", ".fits", ".fit", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw", ".raw", ".svs", ".ndpi", ".czi",
        ".lif", ".nd2", ".apng", ".mng", ".jng", ".dib", ".wbmp", ".qoi", ".flif", ".bpg", ".jxr", ".wdp", ".wmf", ".emf", ".cur", ".sgi", ".ras", ".xbm", ".xpm", ".jif", ".jfi",
    ];

    /// <summary>Number of bytes that tell the formats apart.</summary>
    public const int SignatureLength = 12;

    /// <summary>Name of the format, or null when it is none of ours.</summary>
    /// <param name="start">The first bytes of a file; <see cref="SignatureLength"/> of them where it has as many.</param>
    public static string? Recognise(ReadOnlySpan<byte> start)
    {
        if (start.StartsWith((byte[])[0xFF, 0xD8, 0xFF])) return "JPEG";
        if (start.StartsWith((byte[])[0x89, (byte)'P', (byte)'N', (byte)'G'])) return "PNG";
        if (start.StartsWith("GIF8"u8)) return "GIF";
        if (start.StartsWith("BM"u8)) return "BMP";
        if (start.StartsWith((byte[])[0x49, 0x49, 42, 0]) || start.StartsWith((byte[])[0x4D, 0x4D, 0, 42])) return "TIFF";
        if (start.StartsWith((byte[])[0x49, 0x49, 43, 0]) || start.StartsWith((byte[])[0x4D, 0x4D, 0, 43])) return "TIFF";
        if (start.Length < SignatureLength) return null;
        if (start.StartsWith("RIFF"u8) && start[8..].StartsWith("WEBP"u8)) return "WebP";
        if (start[4..].StartsWith("ftypavi"u8)) return "AVIF";
        return null;
    }

    /// <summary>The first bytes of a file as text for a message, without control characters.</summary>
    public static string Describe(ReadOnlySpan<byte> start)
    {
        var text = new StringBuilder();
        foreach (byte b in start) text.Append(b is >= 0x20 and < 0x7F ? (char)b : '.');
        return text.ToString();
    }
}

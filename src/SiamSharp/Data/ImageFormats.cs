using System.Text;
using SiamSharp.Files;

namespace SiamSharp.Data;

/// <summary>The image formats that are read: known by their first bytes, whatever a file is called.</summary>
internal static class ImageFormats
{
    /// <summary>Endings of files that are taken for images in a folder, in lower case.</summary>
    public static readonly IReadOnlyList<string> Endings = [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif",
        ".gif", ".tif", ".tiff", ".bmp"];

    /// <summary>Whether a path ends like an image, in upper or lower case.</summary>
    public static bool HasImageEnding(string path) => Endings.Contains(Path.GetExtension(path).ToLowerInvariant());

    /// <summary>Endings of archives and packed files, in lower case.</summary>
    private static readonly string[] s_packed = [".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar"];

    /// <summary>Whether a path ends like an archive or a packed file.</summary>
    public static bool IsPacked(string path) => s_packed.Contains(Path.GetExtension(path).ToLowerInvariant());

    /// <summary>What a file is by its first bytes, such as PNG; null where it is no image that is read,
    /// or cannot be opened.</summary>
    public static string? OfContent(string path)
    {
        try
        {
            using var file = RegularFile.OpenRead(path);
            Span<byte> start = stackalloc byte[SignatureLength];
            return Recognise(start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Endings of images that are not read, in lower case.</summary>
    public static readonly IReadOnlyList<string> OtherEndings =
    [
        ".heic", ".heif", ".jxl", ".jp2", ".j2k", ".jpx", ".svg", ".svgz", ".psd", ".psb", ".tga", ".ico", ".dds", ".exr", ".hdr",
        ".pbm", ".pgm", ".ppm", ".pnm", ".pfm", ".pcx", ".xcf", ".eps", ".ai", ".pdf", ".dcm", ".dicom", ".nii", ".fits", ".fit",
        ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw", ".raw", ".svs", ".ndpi", ".czi", ".lif",
        ".nd2", ".apng", ".mng", ".jng", ".dib", ".wbmp", ".qoi", ".flif", ".bpg", ".jxr", ".wdp", ".wmf", ".emf", ".cur", ".sgi",
        ".ras", ".xbm", ".xpm", ".jif", ".jfi",
    ];

    /// <summary>Number of bytes that tell the formats apart.</summary>
    public const int SignatureLength = 12;

    /// <summary>Number of bytes that tell what else a file is.</summary>
    public const int LookedAt = 256;

    /// <summary>Why a file is no image that is read and what to do, in words that follow its name.</summary>
    /// <param name="start">Its first bytes; <see cref="LookedAt"/> of them where it has as many.</param>
    public static string Other(ReadOnlySpan<byte> start)
    {
        if (start.IndexOfAnyExcept((byte)0) < 0)
            return "begins with zero bytes and was never written whole: copy or download it again";
        if (start.StartsWith("version https://git-lfs"u8))
            return "is a pointer of Git LFS, not the image that it stands for: run `git lfs pull`";
        ReadOnlySpan<byte> text = (start.StartsWith("\uFEFF"u8) ? start[3..] : start).TrimStart(" \t\r\n"u8);
        string word = Encoding.Latin1.GetString(text[..Math.Min(text.Length, 14)]).ToLowerInvariant();
        if (word.StartsWith("<!doctype html", StringComparison.Ordinal) || word.StartsWith("<html", StringComparison.Ordinal)
            || word.StartsWith("<head", StringComparison.Ordinal))
            return "is a web page, not an image: download it again, from another address or with a login";
        if (text.StartsWith("<svg"u8) || (text.StartsWith("<?xml"u8) && text.IndexOf("<svg"u8) > 0))
            return "is an SVG drawing, which is not read: convert it to PNG";
        ReadOnlySpan<byte> brand = start[Math.Min(4, start.Length)..];
        string? kind = start.StartsWith("8BPS"u8) ? "a Photoshop file" : start.StartsWith("%PDF"u8) ? "a PDF document"
            : start.StartsWith((byte[])[0xFF, 0x0A]) || start.StartsWith("\0\0\0\fJXL "u8) ? "a JPEG XL image"
            : start.StartsWith("\0\0\0\fjP  "u8) ? "a JPEG 2000 image"
            : brand.StartsWith("ftyphe"u8) || brand.StartsWith("ftypmif1"u8) ? "a HEIC image" : null;
        return kind is not null ? $"is {kind}, which is not read: convert it to PNG or TIFF"
            : $"is not an image in a known format: it starts with {Describe(start[..Math.Min(start.Length, SignatureLength)])}. "
                + "Download it again, or convert it to PNG or TIFF";
    }

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
        if (!start.ContainsAnyInRange((byte)0x20, (byte)0x7E))
            return $"the bytes {string.Join(' ', start.ToArray().Select(b => $"{b:X2}"))}";
        var text = new StringBuilder();
        foreach (byte b in start) text.Append(b is >= 0x20 and < 0x7F ? (char)b : '.');
        return $"'{text}'";
    }
}

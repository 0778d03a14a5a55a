using NetVips;
using SiamSharp.Files;

namespace SiamSharp.Data;

/// <summary>A file of an image that is known by its first bytes.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Format">Such as JPEG.</param>
/// <param name="Pages">Of a TIFF; otherwise none.</param>
internal sealed record RecognisedFile(string Path, string Format, IReadOnlyList<TiffPage> Pages)
{
    private const int MaxPages = 256; // as many as there may be channels

    /// <summary>Refuses a file whose pixels are not all there.</summary>
    public void CheckWhole(DataOptions options)
    {
        IEnumerable<TiffPage> pages = options.Pages == Data.Pages.First ? Pages.Take(1)
            : Pages.Where(page => !page.IsReduced);
        if (pages.FirstOrDefault(page => page.MissingPieces > 0) is { } broken)
            throw new UnreadableImageException(Path, "is a TIFF file without all of its pixels: "
                + (broken.Index > 0 ? $"of page {broken.Index + 1} " : "")
                + $"{broken.MissingPieces} of {broken.Pieces} strips or tiles are empty, "
                + "too short, or beyond the end of the file");
        using var stream = RegularFile.OpenRead(Path);
        WholeFile.Check(stream, Format, allFrames: options.Pages == Data.Pages.Channels);
    }

    /// <summary>The pages that are read, and how many are not.</summary>
    public (int[] Read, int Unread) PagesToRead(Image first, DataOptions options)
    {
        int count = first.Contains("n-pages") ? (int)first.Get("n-pages") : 1;
        int[] pages = Format == "TIFF"
            ? [.. Pages.Where(page => !page.IsReduced || page.Index == 0).Select(page => page.Index)]
            : [.. Enumerable.Range(0, count)];
        if (options.Pages == Data.Pages.First) return ([0], pages.Length - 1);
        return pages.Length <= MaxPages ? (pages, 0)
            : throw new UnreadableImageException(Path,
                $"has {pages.Length} pages, but data.pages=channels takes {MaxPages} at most");
    }

    /// <summary>Whether the last band of an image is alpha that is taken off.</summary>
    public bool HasAlpha(Image image, DataOptions options)
    {
        int colours = image.Interpretation == Enums.Interpretation.Cmyk ? 4 : image.Bands <= 2 ? 1 : 3;
        if (!image.HasAlpha() || image.Bands != colours + 1 || image.Bands == options.Channels) return false;
        return Format != "TIFF" || Pages[0].FirstExtraIsAlpha;
    }

    /// <summary>Does something with a file; what goes wrong is told as what is wrong with the file.</summary>
    /// <exception cref="UnreadableImageException">It is missing, damaged or no image.</exception>
    public static T Use<T>(string path, DataOptions options, Func<RecognisedFile, T> read)
    {
        string? format = null;
        try
        {
            format = FormatOf(path);
            return read(new RecognisedFile(path, format, format == "TIFF" ? PagesOf(path, options) : []));
        }
        // Their text is of no use: it collects what other threads ran into.
        catch (Exception e) when (e is VipsException or EndOfStreamException or InvalidDataException)
        {
            throw new UnreadableImageException(path, $"is a damaged, cut-short or unsupported {format} file");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UnreadableImageException(path, path.Contains('\uFFFD')
                ? "cannot be opened: its name is not UTF-8. Rename it, with mv or for many with convmv"
                : RepeatedImages.LeadsNowhere(path) is { } target ? $"is a link to {target}, which does not exist"
                : path.Contains("://", StringComparison.Ordinal)
                    ? "is an address, and nothing is downloaded: fetch the file first" : "does not exist");
        }
        catch (UnauthorizedAccessException)
        {
            throw new UnreadableImageException(path, "may not be read by you: permission denied. "
                + "Where it is yours, chmod u+r gives the right; else its owner must give it, such as with chmod o+r");
        }
        catch (IOException e)
        {
            if (e.Message.StartsWith("Too many levels of symbolic links", StringComparison.Ordinal))
                throw new UnreadableImageException(path, "is a link that leads back to itself");
            throw new UnreadableImageException(path, $"cannot be read: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    private static List<TiffPage> PagesOf(string path, DataOptions options)
    {
        using var file = RegularFile.OpenRead(path);
        return TiffFile.Pages(file, all: options.Pages == Data.Pages.Channels);
    }

    private static string FormatOf(string path)
    {
        using var file = RegularFile.OpenRead(path);
        Span<byte> bytes = stackalloc byte[ImageFormats.LookedAt];
        var start = bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
        if (start.Length == 0) throw new UnreadableImageException(path, "is empty (0 bytes)");
        return ImageFormats.Recognise(start) ?? throw new UnreadableImageException(path, ImageFormats.Other(start));
    }
}

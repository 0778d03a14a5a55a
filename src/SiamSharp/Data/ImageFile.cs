using NetVips;

namespace SiamSharp.Data;

/// <summary>Decodes one image file of any supported format, depth and number of bands.</summary>
/// <remarks>
/// Of files with several pages or frames the first is read. Palettes become grey or RGB, 1-bit images 8-bit ones; 8- and 16-bit
/// unsigned values keep their depth, everything else becomes float32 as it is. JPEG files at least four times as large as needed
/// are shrunk while they are decoded.
/// </remarks>
internal static class ImageFile
{
    /// <summary>Reads the header.</summary>
    /// <exception cref="UnreadableImageException">The header cannot be read, or the image is too large.</exception>
    public static ImageInfo Info(string path, DataOptions options) => Guard(path, format =>
    {
        using var image = Open(path, format, options);
        bool turned = Orientation(image) >= 5, plain = ImageColours.IsPlain(image.Interpretation);
        bool alpha = HasAlpha(image, path, format, options);
        int channels = options.Channels != 0 ? options.Channels : ImageColours.ChannelsOf(image, alpha);
        return new ImageInfo(turned ? image.Height : image.Width, turned ? image.Width : image.Height, channels,
            plain ? VipsPixels.BitDepthOf(image) : 8);
    });

    /// <summary>Decodes to a square.</summary>
    /// <exception cref="UnreadableImageException">The file is missing, empty, damaged, too large or no image.</exception>
    public static Pixels Decode(string path, int size, DataOptions options) => Guard(path, format =>
    {
        using var image = OpenShrunk(path, format, size, options);
        using var colours = ImageColours.Plain(image, HasAlpha(image, path, format, options), options.Alpha);
        using var square = SquareFit.Apply(colours, size, options.Fit);
        if (Orientation(image) <= 1) return PixelChecks.Complete(VipsPixels.FromImage(square), options, path);
        // The square is read from top to bottom only once: turning needs it in memory.
        using var whole = square.CopyMemory();
        using var upright = whole.Autorot();
        return PixelChecks.Complete(VipsPixels.FromImage(upright), options, path);
    });

    private static Image OpenShrunk(string path, string format, int size, DataOptions options)
    {
        var image = Open(path, format, options);
        int side = Math.Min(image.Width, image.Height);
        int shrink = format != "JPEG" ? 1 : side >= 16 * size ? 8 : side >= 8 * size ? 4 : side >= 4 * size ? 2 : 1;
        if (shrink == 1) return image;
        image.Dispose();
        return Load(path, new VOption { { "shrink", shrink } });
    }

    private static Image Open(string path, string format, DataOptions options)
    {
        void CheckSize(int width, int height)
        {
            double megapixels = (double)width * height / 1e6;
            if (megapixels <= options.MaxMegapixels) return;
            throw new UnreadableImageException(path, $"is a {format} image of {width} x {height} = {megapixels:0.#} megapixels, "
                + $"more than data.maxMegapixels = {options.MaxMegapixels}");
        }

        if (format == "BMP") return BmpFile.Load(path, CheckSize);
        var image = Load(path, []);
        try
        {
            CheckSize(image.Width, image.Height);
            return image;
        }
        catch (UnreadableImageException)
        {
            image.Dispose();
            throw;
        }
    }

    // By way of a source, since a plain file name may end in [options] for libvips.
    private static Image Load(string path, VOption loaderOptions)
    {
        VipsPixels.SetUp();
        using var source = Source.NewFromFile(path);
        return Image.NewFromSource(source, access: Enums.Access.Sequential, failOn: Enums.FailOn.Truncated,
            kwargs: loaderOptions);
    }

    private static bool HasAlpha(Image image, string path, string format, DataOptions options)
    {
        int colours = image.Interpretation == Enums.Interpretation.Cmyk ? 4 : image.Bands <= 2 ? 1 : 3;
        if (!image.HasAlpha() || image.Bands != colours + 1 || image.Bands == options.Channels) return false;
        if (format != "TIFF") return true;
        using var file = RegularFile.OpenRead(path);
        return TiffTags.FirstExtraIsAlpha(file);
    }

    private static int Orientation(Image image) => image.Contains("orientation") ? (int)image.Get("orientation") : 1;

    private static T Guard<T>(string path, Func<string, T> read)
    {
        string? format = null;
        try
        {
            format = FormatOf(path);
            return read(format);
        }
        // Their text is of no use: it collects what other threads ran into.
        catch (Exception e) when (e is VipsException or EndOfStreamException or InvalidDataException)
        {
            throw new UnreadableImageException(path, $"is a damaged, cut-short or unsupported {format} file");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UnreadableImageException(path, path.Contains('\uFFFD') ? "cannot be opened: its name is not UTF-8" : "does not exist");
        }
        catch (UnauthorizedAccessException)
        {
            throw new UnreadableImageException(path, "must not be read: permission denied");
        }
        catch (IOException e)
        {
            throw new UnreadableImageException(path, $"cannot be read: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    private static string FormatOf(string path)
    {
        using var file = RegularFile.OpenRead(path);
        Span<byte> bytes = stackalloc byte[ImageFormats.SignatureLength];
        var start = bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
        if (start.Length == 0) throw new UnreadableImageException(path, "is empty (0 bytes)");
        return ImageFormats.Recognise(start) ?? throw new UnreadableImageException(path,
            $"is not an image in a known format: it starts with '{ImageFormats.Describe(start)}'");
    }
}

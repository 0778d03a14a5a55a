using NetVips;

namespace SiamSharp.Data;

/// <summary>Decodes one image file of any supported format, depth and number of bands.</summary>
/// <remarks>
/// Of files with several pages or frames the first is read, or all as channels (<see cref="DataOptions.Pages"/>). Palettes become
/// grey or RGB, 1-bit images 8-bit ones; 8- and 16-bit unsigned values keep their depth, everything else becomes float32 as it
/// is. JPEG files at least four times as large as needed are shrunk while they are decoded. A file whose pixels are not all there
/// is unreadable: what decoders fill in would pass for an image.
/// </remarks>
internal static class ImageFile
{
    private const long MaxCopied = 64 << 20; // bytes

    private const int MaxAv1Side = 65536; // AV1 specification, 5.5.1: frame_width_bits_minus_1 of four bits

    private static readonly Lock s_oneAtATime = new();

    /// <summary>Reads the header.</summary>
    /// <exception cref="UnreadableImageException">The header cannot be read, or the image is too large.</exception>
    public static ImageInfo Info(string path, DataOptions options) => Header(path, options).Info;

    /// <summary>Reads the header, and whether there is alpha that is taken off.</summary>
    /// <exception cref="UnreadableImageException">The header cannot be read, or the image is too large.</exception>
    public static (ImageInfo Info, bool HasAlpha) Header(string path, DataOptions options) =>
        RecognisedFile.Use(path, options, file =>
        {
            using var image = Open(file, page: 0, options);
            bool turned = Orientation(image) >= 5, plain = ImageColours.IsPlain(image.Interpretation),
                alpha = file.HasAlpha(image, options);
            int channels = options.Channels;
            if (channels == 0) channels = file.PagesToRead(image, options).Read.Sum(page => ChannelsOf(file, page, options));
            return (new ImageInfo(turned ? image.Height : image.Width, turned ? image.Width : image.Height, channels,
                plain ? VipsPixels.BitDepthOf(image) : 8), alpha);
        });

    /// <summary>Decodes to a square.</summary>
    /// <exception cref="UnreadableImageException">The file is missing, empty, damaged, too large or no image.</exception>
    public static Pixels Decode(string path, int size, DataOptions options) => RecognisedFile.Use(path, options, file =>
    {
        file.CheckWhole(options);
        using var bitmap = BitmapRoom(file, options);
        using var first = Open(file, page: 0, options);
        using var room = bitmap is null ? DecodingMemory.Take(path, BytesFor(first, file, size)) : null;
        var (pages, unread) = file.PagesToRead(first, options);
        Pixels[] read = [.. pages.Select(page => DecodePage(file, page, size, options))];
        Pixels pixels = read.Length == 1 ? read[0] : Stack(read, path);
        return PixelChecks.Complete(pixels with { Origin = pixels.Origin! with { UnreadPages = unread } }, options, path);
    });

    /// <summary>What the transparency of an image is like; null where none of it is transparent.</summary>
    /// <exception cref="UnreadableImageException">As <see cref="Decode"/>.</exception>
    public static Transparency? TransparencyOf(string path, DataOptions options) => RecognisedFile.Use(path, options, file =>
    {
        file.CheckWhole(options);
        using var bitmap = BitmapRoom(file, options);
        using var image = Open(file, page: 0, options);
        using var room = bitmap is null ? DecodingMemory.Take(path, BytesFor(image, file, size: 1)) : null;
        return file.HasAlpha(image, options) ? Transparency.Of(image) : null;
    });

    // A bitmap is decoded when it is opened, twice in a call; what is taken is taken at once,
    // since two that wait for more would wait for ever.
    private static IDisposable? BitmapRoom(RecognisedFile file, DataOptions options) => file.Format != "BMP" ? null
        : BmpFile.PixelsOf(file.Path) is var pixels && pixels / 1e6 <= options.MaxMegapixels
        ? DecodingMemory.Take(file.Path, 12 * pixels) : null; // too many are told of by their number

    /// <summary>What decoding holds in memory at most: rows of formats that are decoded from top to bottom,
    /// otherwise the image twice, as the decoder has it and as libvips does.</summary>
    private static long BytesFor(Image image, RecognisedFile file, int size)
    {
        const int rows = 512;
        long bytes = image.Bands * image.Format switch
        {
            Enums.BandFormat.Uchar or Enums.BandFormat.Char => 1,
            Enums.BandFormat.Ushort or Enums.BandFormat.Short => 2,
            _ => 8L
        };
        long some = image.Width * bytes * Math.Min(image.Height, rows), whole = (long)image.Width * image.Height * bytes;
        bool interlaced = image.Contains("interlaced");
        if (file.Format == "JPEG") // of a progressive one all coefficients are kept, 16 bits each, whatever it is shrunk to
            return interlaced ? 2 * whole + whole / Shrink(Math.Min(image.Width, image.Height), size) : some;
        // transparent pixels are looked at twice
        if (file.Format == "PNG" && !interlaced) return image.HasAlpha() ? some + whole : some;
        // a strip, or a row of tiles
        if (file.Format == "TIFF")
            return some + (VipsPixels.BitDepthOf(image) == 32 && whole / 2 <= MaxCopied ? 2 * whole : 0)
                + (image.HasAlpha() ? whole : 0) + (long)(2 * whole / Math.Sqrt(Math.Max(1, file.Pages[0].Pieces)));
        return 2 * whole;
    }

    // A JPEG file, a tile and a fax strip that cannot be decoded become grey or black unless libvips is to fail at
    // warnings. Most warnings are of no consequence, such as bytes too many behind the pixels, or a directory of odd
    // values; others mean that pixels are made up. libvips collects the text of all threads, so that it is asked again
    // where no other such file is being read.
    private static Pixels DecodePage(RecognisedFile file, int page, int size, DataOptions options)
    {
        if (file.Format != "JPEG" && !(file.Format == "TIFF" && file.Pages[page].IsFilledSilently))
            return DecodePage(file, page, size, options, Enums.FailOn.Error);
        try
        {
            return DecodePage(file, page, size, options, Enums.FailOn.Warning);
        }
        catch (VipsException)
        {
            lock (s_oneAtATime)
            {
                try
                {
                    return DecodePage(file, page, size, options, Enums.FailOn.Warning);
                }
                catch (VipsException e) when (!MakesUpPixels(file.Format, e.Message))
                {
                    return DecodePage(file, page, size, options,
                        file.Format == "JPEG" ? Enums.FailOn.Truncated : Enums.FailOn.Error);
                }
            }
        }
    }

    private static readonly string[] s_harmlessInJpeg = ["extraneous bytes", "Adobe", "JFIF"];
    private static readonly string[] s_harmfulInOthers = ["Decode", "ZLib", "Not enough", "not enough",
        "read error", "remature", "orrupt"];

    private static bool MakesUpPixels(string format, string warnings) => format == "JPEG"
        ? !s_harmlessInJpeg.Any(harmless => warnings.Contains(harmless, StringComparison.Ordinal))
        : s_harmfulInOthers.Any(harmful => warnings.Contains(harmful, StringComparison.Ordinal));

    private static Pixels DecodePage(RecognisedFile file, int page, int size, DataOptions options, Enums.FailOn failOn)
    {
        using var image = OpenShrunk(file, page, size, options, failOn);
        using var colours = ImageColours.Plain(image, file.HasAlpha(image, options), options.Alpha, out Visible visible);
        using var square = SquareFit.Apply(colours, size, options.Fit);
        var origin = new PixelOrigin(colours.Bands, Background: visible == Visible.All ? null : options.Alpha,
            Side: Math.Min(image.Width, image.Height),
            Converted: !ImageColours.IsPlain(image.Interpretation), Invisible: visible == Visible.None,
            CutOff: SquareFit.CutOff(image.Width, image.Height, options.Fit));
        if (Orientation(image) <= 1) return WithStored(VipsPixels.FromImage(square) with { Origin = origin });
        // The square is read from top to bottom only once: turning needs it in memory.
        using var whole = square.CopyMemory();
        using var upright = whole.Autorot();
        return WithStored(VipsPixels.FromImage(upright) with { Origin = origin });

        // Resizing goes beyond the values of a file and spreads those that are not finite. Where that shows,
        // the file is read once more for what is stored.
        Pixels WithStored(Pixels pixels)
        {
            if (pixels.Values is not float[] values || StoredRange.IsUnit(values)
                || 4L * image.Width * image.Height * image.Bands > MaxCopied)
                return pixels;
            using var again = OpenShrunk(file, page, size, options, failOn);
            using var stored = ImageColours.Plain(again, file.HasAlpha(again, options), options.Alpha, out _);
            return pixels with { Origin = origin with { Stored = StoredRange.Of(VipsPixels.FloatsOf(stored)) } };
        }
    }

    /// <summary>Puts the channels of pages behind each other.</summary>
    private static Pixels Stack(Pixels[] pages, string path)
    {
        if (pages.Any(page => page.BitDepth != pages[0].BitDepth))
            throw new UnreadableImageException(path,
                $"has pages of {string.Join(" and ", pages.Select(page => page.BitDepth).Distinct())} bits, "
                    + "which data.pages=channels cannot put into one image");
        var values = Array.CreateInstance(pages[0].Values.GetType().GetElementType()!, pages.Sum(page => page.Values.Length));
        int at = 0;
        foreach (Pixels page in pages)
        {
            Array.Copy(page.Values, 0, values, at, page.Values.Length);
            at += page.Values.Length;
        }
        return pages[0] with { Values = values, Channels = pages.Sum(page => page.Channels) };
    }

    private static int Shrink(int side, int size) => side >= 16 * size ? 8 : side >= 8 * size ? 4 : side >= 4 * size ? 2 : 1;

    private static Image OpenShrunk(RecognisedFile file, int page, int size, DataOptions options, Enums.FailOn failOn)
    {
        var image = Open(file, page, options, failOn);
        int side = Math.Min(image.Width, image.Height);
        int shrink = file.Format == "JPEG" ? Shrink(side, size) : 1;
        if (shrink == 1) return image;
        image.Dispose();
        return Load(file.Path, failOn, new VOption { { "shrink", shrink } });
    }

    private static Image Open(RecognisedFile file, int page, DataOptions options, Enums.FailOn failOn = Enums.FailOn.Truncated)
    {
        void CheckSize(int width, int height)
        {
            // A damaged number in its container would be believed, and so much memory taken.
            if (file.Format == "AVIF" && Math.Max(width, height) > MaxAv1Side)
                throw new UnreadableImageException(file.Path, $"is damaged: it says that it has {width} x {height} pixels, "
                    + $"but an AVIF image has at most {MaxAv1Side} on a side");
            double megapixels = (double)width * height / 1e6;
            if (megapixels <= options.MaxMegapixels) return;
            throw new UnreadableImageException(file.Path,
                $"is a {file.Format} image of {width} x {height} = {megapixels:0.#} megapixels, "
                    + $"more than data.maxMegapixels = {options.MaxMegapixels}");
        }

        if (file.Format == "BMP") return BmpFile.Load(file.Path, CheckSize);
        var image = Load(file.Path, failOn, page == 0 ? [] : new VOption { { "page", page } });
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
    private static Image Load(string path, Enums.FailOn failOn, VOption loaderOptions)
    {
        VipsPixels.SetUp();
        using var source = Source.NewFromFile(path);
        return Image.NewFromSource(source, access: Enums.Access.Sequential, failOn: failOn, kwargs: loaderOptions);
    }

    private static int ChannelsOf(RecognisedFile file, int page, DataOptions options)
    {
        using var image = Open(file, page, options);
        return ImageColours.ChannelsOf(image, file.HasAlpha(image, options));
    }

    private static int Orientation(Image image) => image.Contains("orientation") ? (int)image.Get("orientation") : 1;
}

using NetVips;

namespace SiamSharp.Data;

/// <summary>Between libvips' interleaved images and planes of pixels.</summary>
internal static class VipsPixels
{
    private static readonly Lazy<uint> Ready = new(() =>
    {
        // Images are decoded side by side on our own threads, each once: neither libvips' threads nor its cache are of use.
        NetVips.NetVips.Concurrency = 1;
        NetVips.NetVips.BlockUntrusted = true; // loaders that libvips does not vouch for: none of ours is among them
        Cache.Max = 0;
        // Its warnings would go to standard error; what matters of them comes as an exception.
        _ = Log.SetLogHandler("GLib-GObject", Enums.LogLevelFlags.Warning | Enums.LogLevelFlags.Critical, (_, _, _) => { });
        return Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning, (_, _, _) => { });
    });

    /// <summary>Sets libvips up for decoding, once for the process.</summary>
    public static void SetUp() => _ = Ready.Value;

    /// <summary>Copies planes into a libvips image, owned by the caller.</summary>
    public static Image ToImage(Pixels pixels)
    {
        SetUp();
        var (c, h, w) = (pixels.Channels, pixels.Height, pixels.Width);
        return pixels.Values switch
        {
            byte[] v => Image.NewFromMemory(Interleave(v, c, h * w), w, h, c, Enums.BandFormat.Uchar),
            ushort[] v => Image.NewFromMemory(Interleave(v, c, h * w), w, h, c, Enums.BandFormat.Ushort),
            _ => Image.NewFromMemory(Interleave((float[])pixels.Values, c, h * w), w, h, c, Enums.BandFormat.Float),
        };
    }

    /// <summary>Computes a libvips image: 8- and 16-bit unsigned integers stay, all else becomes float32.</summary>
    /// <exception cref="VipsException">The pixels cannot be computed.</exception>
    public static Pixels FromImage(Image image)
    {
        var (c, h, w) = (image.Bands, image.Height, image.Width);
        Array values;
        if (image.Format == Enums.BandFormat.Uchar) values = Planes(image.WriteToMemory<byte>(), c, h * w);
        else if (image.Format == Enums.BandFormat.Ushort) values = Planes(image.WriteToMemory<ushort>(), c, h * w);
        else
        {
            values = Planes(FloatsOf(image), c, h * w);
        }
        return new Pixels(values, c, h, w);
    }

    /// <summary>All values as float32, the channels of a pixel side by side.</summary>
    public static float[] FloatsOf(Image image)
    {
        using var floats = image.Cast(Enums.BandFormat.Float);
        return floats.WriteToMemory<float>();
    }

    /// <summary>Bits of one value once decoded: 8, 16 or 32.</summary>
    public static int BitDepthOf(Image image) =>
        image.Format == Enums.BandFormat.Uchar ? 8 : image.Format == Enums.BandFormat.Ushort ? 16 : 32;

    // (C, A) to (A, C)
    private static T[] Interleave<T>(T[] planes, int channels, int area)
    {
        if (channels == 1) return planes;
        var values = new T[planes.Length];
        for (int c = 0; c < channels; c++)
            for (int i = 0; i < area; i++) values[i * channels + c] = planes[c * area + i];
        return values;
    }

    // (A, C) to (C, A)
    private static T[] Planes<T>(T[] interleaved, int channels, int area)
    {
        if (channels == 1) return interleaved;
        var planes = new T[interleaved.Length];
        for (int c = 0; c < channels; c++)
            for (int i = 0; i < area; i++) planes[c * area + i] = interleaved[i * channels + c];
        return planes;
    }
}

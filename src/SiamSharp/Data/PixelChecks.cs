using SiamSharp.Messages;

namespace SiamSharp.Data;

/// <summary>The last step of every decoding: the number of channels asked for, and finite values.</summary>
internal static class PixelChecks
{
    /// <summary>Converts to the number of channels asked for, says which value is white, and refuses values
    /// that are not finite.</summary>
    /// <param name="pixels">As stored, cropped and scaled.</param>
    /// <param name="options">Channels and bits.</param>
    /// <param name="path">For the message.</param>
    /// <exception cref="UnreadableImageException">No such conversion, or a value that is not finite.</exception>
    public static Pixels Complete(Pixels pixels, DataOptions options, string path)
    {
        int channels = options.Channels;
        pixels = pixels with
        {
            White = pixels.BitDepth == 16 && options.Bits < 16 ? (1 << options.Bits) - 1 : 0,
            Origin = (pixels.Origin ?? new(0)) with { Channels = pixels.Channels }
        };

        if (pixels.Values is float[] values)
        {
            int bad = values.Count(v => !float.IsFinite(v));
            if (bad > 0 && pixels.Origin?.Stored?.NotFinite is > 0 and var stored) bad = stored; // resizing spreads them
            if (bad > 0)
                throw new UnreadableImageException(path,
                    $"holds {(bad == 1 ? "1 value that is not a finite number" : $"{bad} values that are not finite numbers")} "
                        + $"(NaN or infinite): replace {(bad == 1 ? "it" : "them")}, such as with numpy.nan_to_num");
        }
        return (pixels.Channels, channels) switch
        {
            var (from, to) when to == 0 || from == to => pixels,
            (1, 3) => GreyToRgb(pixels),
            (3, 1) => RgbToGrey(pixels),
            _ => throw new UnreadableImageException(path,
                $"has {Plural.Of(pixels.Channels, "channel")}, but data.channels is {channels}: "
                + "only 1 and 3 convert into each other"
                + $". Leave data.channels out{(pixels.Channels is 1 or 3 ? " or set it to 1 or 3" : "")}, "
                + $"unless an encoder needs {channels}"),
        };
    }

    private static Pixels GreyToRgb(Pixels grey)
    {
        int area = grey.Values.Length;
        var values = Array.CreateInstance(grey.Values.GetType().GetElementType()!, 3 * area);
        for (int c = 0; c < 3; c++) Array.Copy(grey.Values, 0, values, c * area, area);
        return grey with { Values = values, Channels = 3 };
    }

    // Luma of ITU-R BT.601, on the values as stored, rounded to the nearest.
    private static Pixels RgbToGrey(Pixels rgb)
    {
        int area = rgb.Height * rgb.Width;
        Array grey = rgb.Values switch
        {
            byte[] v => Map(i => (byte)(Luma(v[i], v[area + i], v[2 * area + i]) + 0.5)),
            ushort[] v => Map(i => (ushort)(Luma(v[i], v[area + i], v[2 * area + i]) + 0.5)),
            var v when v is float[] f => Map(i => (float)Luma(f[i], f[area + i], f[2 * area + i])),
            var v => throw new ArgumentException($"Pixels are byte, ushort or float, but found {v.GetType()}."),
        };
        return rgb with { Values = grey, Channels = 1 };

        T[] Map<T>(Func<int, T> value)
        {
            var plane = new T[area];
            for (int i = 0; i < area; i++) plane[i] = value(i);
            return plane;
        }
    }

    private static double Luma(double red, double green, double blue) => 0.299 * red + 0.587 * green + 0.114 * blue;
}

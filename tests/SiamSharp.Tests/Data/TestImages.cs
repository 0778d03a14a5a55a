using System.Buffers.Binary;
using NetVips;
using SiamSharp.Data;

namespace SiamSharp.Tests.Data;

/// <summary>Makes image files of all kinds.</summary>
internal static class TestImages
{
    /// <summary>A smooth 8-bit RGB image, different in each quarter.</summary>
    public static Pixels Rgb(int width, int height) => Make<byte>(3, width, height,
        (c, y, x) => (byte)(c switch { 0 => 20 + 200 * x / width, 1 => 20 + 200 * y / height, _ => 90 }));

    public static Pixels Make<T>(int channels, int width, int height, Func<int, int, int, T> value)
    {
        var values = new T[channels * height * width];
        for (int c = 0; c < channels; c++)
            for (int y = 0; y < height; y++)
                for (int x = 0; x < width; x++) values[(c * height + y) * width + x] = value(c, y, x);
        return new Pixels(values, channels, height, width);
    }

    /// <summary>Saves in the format that the ending names.</summary>
    public static string Save(Pixels pixels, string path, Enums.Interpretation? interpretation = null, int orientation = 0,
        VOption? options = null)
    {
        using var image = VipsPixels.ToImage(pixels);
        using var typed = image.Copy(interpretation: interpretation ?? (pixels.Channels, pixels.BitDepth) switch
        {
            ( <= 2, 16) => Enums.Interpretation.Grey16,
            ( <= 2, _) => Enums.Interpretation.Bw,
            (_, 16) => Enums.Interpretation.Rgb16,
            _ => Enums.Interpretation.Srgb,
        });
        using var turned = typed.Mutate(m =>
        {
            if (orientation > 0) m.Set(GValue.GIntType, "orientation", orientation);
        });
        turned.WriteToFile(path, options);
        return path;
    }

    /// <summary>An uncompressed Windows bitmap, written field by field: 24 bits, or 8 with a palette of greys.</summary>
    public static byte[] Bmp(Pixels pixels)
    {
        var (c, h, w) = (pixels.Channels, pixels.Height, pixels.Width);
        byte[] v = (byte[])pixels.Values;
        int row = (w * c + 3) / 4 * 4, palette = c == 1 ? 1024 : 0, data = 54 + palette;
        byte[] file = new byte[data + row * h];
        "BM"u8.CopyTo(file);
        foreach (var (at, value) in new[] { (2, file.Length), (10, data), (14, 40), (18, w), (22, h), (26, 1 + ((8 * c) << 16)) })
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at), value);
        for (int i = 0; i < palette; i++) file[54 + i] = (byte)(i % 4 == 3 ? 0 : i / 4);
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                for (int k = 0; k < c; k++)
                    file[data + (h - 1 - y) * row + x * c + k] = v[((c - 1 - k) * h + y) * w + x];
        return file;
    }

    /// <summary>A plain little-endian TIFF file, written tag by tag: interleaved, one strip, 8 or 16 bits.</summary>
    public static byte[] Tiff(Pixels pixels, int photometric, int? extraSamples)
    {
        var (c, h, w, bits) = (pixels.Channels, pixels.Height, pixels.Width, pixels.BitDepth);
        int extra = c - (photometric == 2 ? 3 : 1);
        var tags = new List<(int Tag, int[] Values)>
        {
            (256, [w]), (257, [h]), (258, [.. Enumerable.Repeat(bits, c)]), (259, [1]), (262, [photometric]), (273, [0]),
                (277, [c]),
            (278, [h]), (279, [c * h * w * bits / 8]), (284, [1]),
        };
        if (extra > 0 && extraSamples is { } meaning) tags.Add((338, [meaning, .. Enumerable.Repeat(0, extra - 1)]));
        int end = 8 + 2 + 12 * tags.Count + 4, data = end + tags.Sum(t => t.Values.Length > 2 ? 2 * t.Values.Length : 0);
        byte[] file = new byte[data + c * h * w * bits / 8];
        "II*\0"u8.CopyTo(file);
        Put32(4, 8);
        Put16(8, tags.Count);
        foreach (var (i, (tag, values)) in tags.Index())
        {
            int at = 10 + 12 * i;
            bool isLong = values.Length == 1;
            Put16(at, tag);
            Put16(at + 2, isLong ? 4 : 3);
            Put32(at + 4, values.Length);
            if (isLong) Put32(at + 8, tag == 273 ? data : values[0]);
            else
            {
                int place = values.Length > 2 ? end : at + 8;
                if (values.Length > 2)
                {
                    Put32(at + 8, end);
                    end += 2 * values.Length;
                }
                for (int k = 0; k < values.Length; k++) Put16(place + 2 * k, values[k]);
            }
        }
        for (int i = 0; i < h * w; i++)
            for (int k = 0; k < c; k++)
                if (bits == 8) file[data + i * c + k] = ((byte[])pixels.Values)[k * h * w + i];
                else Put16(data + 2 * (i * c + k), ((ushort[])pixels.Values)[k * h * w + i]);
        return file;

        void Put16(int at, int value) => BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(at), (ushort)value);
        void Put32(int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at), value);
    }
}

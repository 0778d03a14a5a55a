using System.Buffers.Binary;
using NetVips;
using SiamSharp.Files;
using SkiaSharp;

namespace SiamSharp.Data;

/// <summary>Windows bitmaps, which libvips does not read; Skia does.</summary>
internal static class BmpFile
{
    private const int FileHeader = 14, ShortestHeader = 40;

    /// <summary>Decodes a bitmap: grey when it has a palette of greys, otherwise RGB, with alpha when it has some.</summary>
    /// <param name="path">A file that starts like a bitmap.</param>
    /// <param name="checkSize">Told width and height before anything is decoded.</param>
    /// <returns>An 8-bit image, owned by the caller.</returns>
    /// <exception cref="InvalidDataException">The file is damaged, cut short or of a kind that Skia does not read.</exception>
    public static Image Load(string path, Action<int, int> checkSize)
    {
        using SKCodec codec = SKCodec.Create(path) ?? throw new InvalidDataException();
        checkSize(codec.Info.Width, codec.Info.Height);
        CheckLength(path, codec.Info.Width, codec.Info.Height);
        bool opaque = codec.Info.AlphaType == SKAlphaType.Opaque;
        var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888,
            opaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul);
        if (codec.GetPixels(info, out byte[] pixels) != SKCodecResult.Success) throw new InvalidDataException();

        VipsPixels.SetUp();
        using var rgba = Image.NewFromMemory(pixels, info.Width, info.Height, bands: 4, Enums.BandFormat.Uchar);
        bool grey = HasGreyPalette(path);
        using var bands = grey ? rgba[0] : opaque ? rgba.ExtractBand(0, n: 3) : rgba.Copy();
        return bands.Copy(interpretation: grey ? Enums.Interpretation.Bw : Enums.Interpretation.Srgb);
    }

    /// <summary>Width times height; 0 where the header cannot be read, which <see cref="Load"/> tells.</summary>
    public static long PixelsOf(string path)
    {
        using SKCodec? codec = SKCodec.Create(path);
        return codec is null ? 0 : (long)codec.Info.Width * codec.Info.Height;
    }

    /// <summary>Refuses a bitmap that is not compressed and shorter than its pixels, before room is made for them.</summary>
    private static void CheckLength(string path, int width, int height)
    {
        using var file = RegularFile.OpenRead(path);
        byte[] header = new byte[FileHeader + ShortestHeader];
        if (file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length) return;
        int compression = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(30)),
            bits = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(28));
        if (BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(14)) < ShortestHeader) return;
        if (compression is 0 or 3 && ((long)width * bits + 31) / 32 * 4 * height > file.Length) throw new InvalidDataException();
    }

    private static bool HasGreyPalette(string path)
    {
        using var file = new BinaryReader(RegularFile.OpenRead(path));
        byte[] header = file.ReadBytes(FileHeader + ShortestHeader);
        if (header.Length < FileHeader + ShortestHeader) return false;
        int size = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(14)),
            bits = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(28));
        int used = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(46));
        if (size < ShortestHeader || bits is 0 or > 8) return false;
        file.BaseStream.Position = FileHeader + (long)size;
        byte[] palette = file.ReadBytes(4 * (used is > 0 and <= 256 ? used : 1 << bits)); // blue, green, red, unused
        return palette.Chunk(4).All(c => c.Length < 4 || (c[0] == c[1] && c[1] == c[2]));
    }
}

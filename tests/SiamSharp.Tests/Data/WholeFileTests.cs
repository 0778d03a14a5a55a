using System.Buffers.Binary;
using NetVips;
using SiamSharp.Data;
using Xunit;

namespace SiamSharp.Tests.Data;

/// <summary>A file whose pixels are not all there is unreadable: never an image with other pixels.</summary>
public sealed class WholeFileTests : IDisposable
{
    private const int Side = 40, Cuts = 60;
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static Pixels Noise =>
        TestImages.Make(3, Side, Side, (c, y, x) => (byte)(40 + c * 50 + ((y * 31 + x * 17 + x * y * 7) % 90)));

    private static Pixels? Read(string path, DataOptions? options = null)
    {
        try
        {
            return ImageFile.Decode(path, Side, options ?? new DataOptions { Alpha = AlphaBackground.Mean });
        }
        catch (UnreadableImageException e)
        {
            Assert.DoesNotContain('\n', e.Reason);
            return null;
        }
    }

    private static VOption? OptionsOf(string kind) => kind switch
    {
        "prog.jpg" or "inter.png" or "inter.gif" => new VOption { { "interlace", true } },
        "pal.png" => new VOption { { "palette", true } },
        "ll.webp" => new VOption { { "lossless", true } },
        "lzw.tif" => Tiff(Enums.ForeignTiffCompression.Lzw),
        "deflate.tif" => Tiff(Enums.ForeignTiffCompression.Deflate),
        "packbits.tif" => Tiff(Enums.ForeignTiffCompression.Packbits),
        "jpeg.tif" => Tiff(Enums.ForeignTiffCompression.Jpeg),
        "tiles-lzw.tif" => Tiff(Enums.ForeignTiffCompression.Lzw, tiles: true),
        "tiles-deflate.tif" => Tiff(Enums.ForeignTiffCompression.Deflate, tiles: true),
        "tiles-jpeg.tif" => Tiff(Enums.ForeignTiffCompression.Jpeg, tiles: true),
        "tiles.tif" => Tiff(Enums.ForeignTiffCompression.None, tiles: true),
        "big.tif" => new VOption { { "bigtiff", true } },
        _ => null,
    };

    private static VOption Tiff(Enums.ForeignTiffCompression compression, bool tiles = false)
    {
        var options = new VOption { { "compression", compression } };
        if (!tiles) return options;
        options.Add("tile", true);
        options.Add("tile_width", 16);
        options.Add("tile_height", 16);
        return options;
    }

    [Theory]
    [InlineData("a.jpg")]
    [InlineData("prog.jpg")]
    [InlineData("a.png")]
    [InlineData("inter.png")]
    [InlineData("pal.png")]
    [InlineData("a.gif")]
    [InlineData("inter.gif")]
    [InlineData("a.webp")]
    [InlineData("ll.webp")]
    [InlineData("a.avif")]
    [InlineData("a.tif")]
    [InlineData("lzw.tif")]
    [InlineData("deflate.tif")]
    [InlineData("jpeg.tif")]
    [InlineData("tiles.tif")]
    [InlineData("tiles-lzw.tif")]
    [InlineData("tiles-jpeg.tif")]
    [InlineData("big.tif")]
    [InlineData("first.tif")]
    [InlineData("a.bmp")]
    public void Decode_CutAnywhere_IsUnreadableOrTheSame(string kind)
    {
        string path = _folder.At(kind);
        if (kind == "a.bmp") File.WriteAllBytes(path, TestImages.Bmp(Noise));
        else if (kind == "first.tif")
            File.WriteAllBytes(path, TestImages.Tiff(Noise, photometric: 2, null)); // the directory ahead of the pixels
        else TestImages.Save(Noise, path, options: OptionsOf(kind));
        byte[] whole = File.ReadAllBytes(path);
        Pixels expected = Read(path)!;
        int unreadable = 0;
        for (int k = 1; k < Cuts; k++)
        {
            Pixels? cut = Read(_folder.Write("cut" + Path.GetExtension(kind), whole[..(int)((long)whole.Length * k / Cuts)]));
            if (cut is null) unreadable++;
            else Assert.Equal(expected.Values, cut.Values);
        }
        Assert.InRange(unreadable, Cuts / 2, Cuts);
    }

    [Theory]
    [InlineData("lzw.tif")]
    [InlineData("deflate.tif")]
    [InlineData("packbits.tif")]
    [InlineData("jpeg.tif")]
    [InlineData("tiles-lzw.tif")]
    [InlineData("tiles-deflate.tif")]
    [InlineData("tiles-jpeg.tif")]
    [InlineData("tiles.tif")]
    [InlineData("a.tif")]
    [InlineData("first.tif")]
    public void Decode_TiffPieceOfTooFewBytesOrNowhere_IsUnreadable(string kind)
    {
        string path = _folder.At(kind);
        if (kind == "first.tif") File.WriteAllBytes(path, TestImages.Tiff(Noise, photometric: 2, null));
        else TestImages.Save(Noise, path, options: OptionsOf(kind));
        byte[] whole = File.ReadAllBytes(path);
        Assert.NotNull(Read(path));
        foreach (var (offsets, counts) in new[] { (273, 279), (324, 325) })
        {
            if (Place(whole, counts) is not { } count || Place(whole, offsets) is not { } offset) continue;
            foreach (double share in new[] { 0, 0.3, 0.6 })
                Assert.Null(Read(_folder.Write("x.tif", With(count, v => (long)(v * share)))));
            Assert.Null(Read(_folder.Write("x.tif", With(offset, _ => 0))));
            Assert.Null(Read(_folder.Write("x.tif", With(offset, _ => whole.Length - 1))));
        }

        byte[] With((int At, int Bytes) value, Func<long, long> change)
        {
            byte[] file = [.. whole];
            long old = value.Bytes == 2 ? BitConverter.ToUInt16(file, value.At) : BitConverter.ToUInt32(file, value.At),
                now = change(old);
            for (int i = 0; i < value.Bytes; i++) file[value.At + i] = (byte)(now >> (8 * i));
            return file;
        }

        // The middle one of a tag's values.
        static (int At, int Bytes)? Place(byte[] file, int wanted)
        {
            int directory = BitConverter.ToInt32(file, 4), entries = BitConverter.ToUInt16(file, directory);
            for (int at = directory + 2; at < directory + 2 + 12 * entries; at += 12)
            {
                if (BitConverter.ToUInt16(file, at) != wanted) continue;
                int bytes = BitConverter.ToUInt16(file, at + 2) == 3 ? 2 : 4, count = BitConverter.ToInt32(file, at + 4);
                return ((count * bytes > 4 ? BitConverter.ToInt32(file, at + 8) : at + 8) + count / 2 * bytes, bytes);
            }
            return null;
        }
    }

    [Fact]
    public void Decode_TiffWithoutItsPixels_SaysHowMuchIsMissing()
    {
        byte[] file = TestImages.Tiff(Noise, photometric: 2, null);
        string path = _folder.Write("none.tif", file[..(file.Length - Side * Side * 3)]);
        string reason = Assert.Throws<UnreadableImageException>(() => ImageFile.Decode(path, Side, new DataOptions())).Reason;
        Assert.Equal("is a TIFF file without all of its pixels: 1 of 1 strips or tiles are empty, "
            + "too short, or beyond the end of the file", reason);
    }

    [Fact]
    public void Decode_TiffWithAPrivateTag_IsRead()
    {
        byte[] file = TestImages.Tiff(Noise, photometric: 2, null);
        int last = 8 + 2 + 12 * 9; // PlanarConfiguration, which has its default
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(last), 65_000);
        Assert.NotNull(Read(_folder.Write("private.tif", file)));
    }

    [Theory]
    [InlineData("a.png")]
    [InlineData("pal.png")]
    public void Decode_PngWithAFlippedBit_IsUnreadableOrTheSame(string kind)
    {
        string path = TestImages.Save(Noise, _folder.At(kind), options: OptionsOf(kind));
        byte[] whole = File.ReadAllBytes(path);
        Pixels expected = Read(path)!;
        for (int at = 8; at < whole.Length; at += 37)
        {
            byte[] flipped = [.. whole];
            flipped[at] ^= 4;
            if (Read(_folder.Write("x.png", flipped)) is { } other) Assert.Equal(expected.Values, other.Values);
        }
    }

    [Theory]
    [InlineData("a.jpg")]
    [InlineData("prog.jpg")]
    [InlineData("a.gif")]
    public void Decode_EndOfZeros_IsUnreadable(string kind)
    {
        byte[] whole = File.ReadAllBytes(TestImages.Save(Noise, _folder.At(kind), options: OptionsOf(kind)));
        for (int k = 5; k < 9; k++)
        {
            byte[] zeros = [.. whole];
            Array.Clear(zeros, whole.Length * k / 10, whole.Length - whole.Length * k / 10);
            Assert.Null(Read(_folder.Write("z" + Path.GetExtension(kind), zeros)));
        }
    }

    [Fact]
    public void Decode_JpegWithBytesToSpare_IsRead()
    {
        byte[] whole = File.ReadAllBytes(TestImages.Save(Noise, _folder.At("a.jpg")));
        Pixels expected = Read(_folder.At("a.jpg"))!;
        Assert.Equal(expected.Values, Read(_folder.Write("behind.jpg", [.. whole, 1, 2, 3]))!.Values);
        Assert.Equal(expected.Values, Read(_folder.Write("between.jpg", [.. whole[..^2], 7, 7, 7, .. whole[^2..]]))!.Values);
        Assert.Equal(expected.Values,
            Read(_folder.Write("ahead.jpg", [.. whole[..2], 0xFF, 0xFE, 0, 4, 65, 66, .. whole[2..]]))!.Values);
    }

    [Fact]
    public void Decode_GifWithoutItsTrailer_IsRead()
    {
        byte[] whole = File.ReadAllBytes(TestImages.Save(Noise, _folder.At("a.gif")));
        Assert.Equal(Read(_folder.At("a.gif"))!.Values, Read(_folder.Write("b.gif", whole[..^1]))!.Values);
    }
}

using NetVips;
using SiamSharp.Data;
using Xunit;

namespace SiamSharp.Tests.Data;

public sealed class ImageFileTests : IDisposable
{
    private static readonly DataOptions Options = new();
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static double MeanDifference(Pixels a, Pixels b)
    {
        float[] x = new float[a.Values.Length], y = new float[b.Values.Length];
        a.CopyTo(x);
        b.CopyTo(y);
        return x.Zip(y, (p, q) => Math.Abs(p - q)).Average();
    }

    [Theory]
    [InlineData("a.png", 0)]
    [InlineData("a.tif", 0)]
    [InlineData("A.TIFF", 0)]
    [InlineData("a.jpg", 0.02)]
    [InlineData("a.JPEG", 0.02)]
    [InlineData("a.webp", 0.03)]
    [InlineData("a.avif", 0.03)]
    [InlineData("a.gif", 0.03)]
    public void Decode_EachFormat_GivesThePixelsBack(string file, double tolerance)
    {
        var image = TestImages.Rgb(24, 24);
        string path = _folder.At(file);
        File.Move(TestImages.Save(image, _folder.At("x" + Path.GetExtension(file).ToLowerInvariant())), path);
        var decoded = ImageFile.Decode(path, 24, Options);
        Assert.Equal((3, 24, 24, 8), (decoded.Channels, decoded.Height, decoded.Width, decoded.BitDepth));
        Assert.InRange(MeanDifference(image, decoded), 0, tolerance);
        Assert.Equal(new ImageInfo(24, 24, 3, 8), ImageFile.Info(path, Options));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Decode_Bitmap_GivesThePixelsBack(int channels)
    {
        var image = channels == 3 ? TestImages.Rgb(13, 13) : TestImages.Make(1, 13, 13, (_, y, x) => (byte)(y * 13 + x));
        File.WriteAllBytes(_folder.At("a.BMP"), TestImages.Bmp(image));
        var decoded = ImageFile.Decode(_folder.At("a.BMP"), 13, Options);
        Assert.Equal((byte[])image.Values, (byte[])decoded.Values);
        Assert.Equal(new ImageInfo(13, 13, channels, 8), ImageFile.Info(_folder.At("a.BMP"), Options));
    }

    [Theory]
    [InlineData("g.png", 1)]
    [InlineData("rgb.png", 3)]
    [InlineData("g.tif", 1)]
    [InlineData("five.tif", 5)]
    [InlineData("thirteen.tif", 13)]
    public void Decode_SixteenBits_KeepsEveryValue(string file, int channels)
    {
        var image = TestImages.Make(channels, 9, 9, (c, y, x) => (ushort)(c * 5000 + y * 257 + x * 3 + 1));
        string path = TestImages.Save(image, _folder.At(file));
        var decoded = ImageFile.Decode(path, 9, Options);
        Assert.Equal((ushort[])image.Values, (ushort[])decoded.Values);
        Assert.Equal(channels, decoded.Channels);
        Assert.Equal(new ImageInfo(9, 9, channels, 16), ImageFile.Info(path, Options));
    }

    [Fact]
    public void Decode_FloatTiff_KeepsValuesOutsideZeroToOne()
    {
        var image = TestImages.Make(1, 8, 8, (_, y, x) => y * 100f - x * 0.25f);
        var decoded = ImageFile.Decode(TestImages.Save(image, _folder.At("f.tif")), 8, Options);
        Assert.Equal((float[])image.Values, (float[])decoded.Values);
    }

    [Fact]
    public void Decode_FloatTiffWithNaN_IsUnreadable()
    {
        var image = TestImages.Make(1, 8, 8, (_, y, x) => y == 2 ? float.NaN : x);
        string path = TestImages.Save(image, _folder.At("f.tif"));
        Assert.Equal("holds 8 values that are not finite numbers (NaN or infinite): replace them, such as with numpy.nan_to_num",
            Assert.Throws<UnreadableImageException>(() => ImageFile.Decode(path, 8, Options)).Reason);
    }

    [Fact]
    public void Decode_SeveralPages_ReadsTheFirst()
    {
        using var one = VipsPixels.ToImage(TestImages.Make(1, 8, 8, (_, _, _) => (byte)10));
        using var two = VipsPixels.ToImage(TestImages.Make(1, 8, 8, (_, _, _) => (byte)200));
        using var stack = Image.Arrayjoin([one, two], across: 1);
        using var pages = stack.Mutate(m => m.Set(GValue.GIntType, "page-height", 8));
        pages.WriteToFile(_folder.At("p.tif"));
        Assert.All((byte[])ImageFile.Decode(_folder.At("p.tif"), 8, Options).Values, v => Assert.Equal(10, v));
    }

    [Fact]
    public void Decode_Palette_IsExpanded()
    {
        var image = TestImages.Make(3, 8, 8, (c, y, _) => (byte)(y < 4 ? 40 * c : 200 - 30 * c));
        string path = TestImages.Save(image, _folder.At("p.png"), options: new VOption { { "palette", true } });
        Assert.Equal(3, File.ReadAllBytes(path)[25]); // the header's colour type: palette
        Assert.InRange(MeanDifference(image, ImageFile.Decode(path, 8, Options)), 0, 0.01);
    }

    [Fact]
    public void Decode_OneBit_IsBlackAndWhiteGrey()
    {
        var image = TestImages.Make(1, 8, 8, (_, y, x) => (byte)((x + y) % 2 * 255));
        string path = TestImages.Save(image, _folder.At("b.png"), options: new VOption { { "bitdepth", 1 } });
        Assert.Equal((byte[])image.Values, (byte[])ImageFile.Decode(path, 8, Options).Values);
    }

    [Theory]
    [InlineData("c.jpg")]
    [InlineData("c.tif")]
    public void Decode_Cmyk_BecomesRgb(string file)
    {
        var image = TestImages.Rgb(16, 16);
        using var rgb = VipsPixels.ToImage(image).Copy(interpretation: Enums.Interpretation.Srgb);
        using var cmyk = rgb.Colourspace(Enums.Interpretation.Cmyk);
        cmyk.WriteToFile(_folder.At(file));
        var decoded = ImageFile.Decode(_folder.At(file), 16, Options);
        Assert.Equal((3, 8), (decoded.Channels, decoded.BitDepth));
        Assert.InRange(MeanDifference(image, decoded), 0, 0.06); // print cannot show every colour
        Assert.Equal(3, ImageFile.Info(_folder.At(file), Options).Channels);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Decode_ExifOrientation_EqualsTheNaiveTurn(int orientation)
    {
        const int n = 8;
        var stored = TestImages.Make(1, n, n, (_, y, x) => (byte)(y * 30 + x));
        // Where the upright image's (y, x) lies in the stored one: EXIF 2.3, tag 274.
        (int, int) From(int y, int x) => orientation switch
        {
            2 => (y, n - 1 - x),
            3 => (n - 1 - y, n - 1 - x),
            4 => (n - 1 - y, x),
            5 => (x, y),
            6 => (n - 1 - x, y),
            7 => (n - 1 - x, n - 1 - y),
            8 => (x, n - 1 - y),
            _ => (y, x),
        };
        var upright = TestImages.Make(1, n, n, (_, y, x) => From(y, x) is var (v, u) ? (byte)(v * 30 + u) : default);
        string path = TestImages.Save(stored, _folder.At("o.tif"), orientation: orientation);
        Assert.Equal((byte[])upright.Values, (byte[])ImageFile.Decode(path, n, Options).Values);
    }

    [Fact]
    public void Info_TurnedByExif_HasTheSidesSwapped()
    {
        string path = TestImages.Save(TestImages.Rgb(30, 20), _folder.At("o.jpg"), orientation: 6);
        Assert.Equal(new ImageInfo(20, 30, 3, 8), ImageFile.Info(path, Options));
    }

    [Fact]
    public void Decode_LargeJpeg_ShrunkOnLoadLooksLikeTheFullOne()
    {
        var image = TestImages.Rgb(1024, 768);
        var jpeg = ImageFile.Decode(TestImages.Save(image, _folder.At("big.jpg")), 32, Options);
        var png = ImageFile.Decode(TestImages.Save(image, _folder.At("big.png")), 32, Options);
        Assert.InRange(MeanDifference(jpeg, png), 0, 0.01);
    }

    [Fact]
    public void Decode_Crop_TakesTheCentreAndStretchTakesAll()
    {
        // Left and right thirds black, the middle white.
        var image = TestImages.Make(1, 96, 32, (_, _, x) => (byte)(x is >= 32 and < 64 ? 255 : 0));
        string path = TestImages.Save(image, _folder.At("w.png"));
        Assert.All((byte[])ImageFile.Decode(path, 32, Options).Values, v => Assert.Equal(255, v));
        var stretched = ImageFile.Decode(path, 32, Options with { Fit = Fit.Stretch });
        Assert.InRange(((byte[])stretched.Values).Average(v => v / 255.0), 0.32, 0.35);
    }

    [Fact]
    public void Decode_BracketsInTheName_AreNoOptions()
    {
        string path = _folder.At("scan[1].png");
        File.Move(TestImages.Save(TestImages.Rgb(8, 8), _folder.At("x.png")), path);
        Assert.Equal(3, ImageFile.Decode(path, 8, Options).Channels);
    }

    [Theory]
    [InlineData(3, 1)]
    [InlineData(1, 3)]
    public void Decode_ChannelsAsked_Converts(int stored, int asked)
    {
        var image = stored == 3 ? TestImages.Rgb(8, 8) : TestImages.Make(1, 8, 8, (_, y, x) => (byte)(y * 8 + x));
        var decoded = ImageFile.Decode(TestImages.Save(image, _folder.At("c.png")), 8, Options with { Channels = asked });
        var from = (byte[])image.Values;
        byte[] expected = stored == 1 ? [.. from, .. from, .. from]
            : [.. Enumerable.Range(0,
                64).Select(i => (byte)Math.Round(0.299 * from[i] + 0.587 * from[64 + i] + 0.114 * from[128 + i]))];
        Assert.Equal(asked, decoded.Channels);
        Assert.Equal(expected, (byte[])decoded.Values);
    }
}

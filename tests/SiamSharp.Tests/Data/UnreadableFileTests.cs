using SiamSharp.Data;
using Xunit;

namespace SiamSharp.Tests.Data;

public sealed class UnreadableFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static string Reason(string path, DataOptions? options = null)
    {
        var e = Assert.Throws<UnreadableImageException>(() => ImageFile.Decode(path, 16, options ?? new DataOptions()));
        Assert.Equal(path, e.Path);
        Assert.DoesNotContain('\n', e.Reason);
        return e.Reason;
    }

    [Theory]
    [InlineData("jpg", "JPEG")]
    [InlineData("png", "PNG")]
    [InlineData("webp", "WebP")]
    [InlineData("avif", "AVIF")]
    [InlineData("gif", "GIF")]
    [InlineData("tif", "TIFF")]
    public void Decode_CutShort_SaysSo(string ending, string format)
    {
        var noise = TestImages.Make(3, 48, 48, (c, y, x) => (byte)(c * 71 + y * 3571 + x * y * 7919 >> 3));
        byte[] whole = File.ReadAllBytes(TestImages.Save(noise, _folder.At("x." + ending)));
        string path = _folder.Write("cut." + ending, whole[..(whole.Length * 6 / 10)]);
        Assert.Equal($"is a damaged, cut-short or unsupported {format} file", Reason(path));
    }

    [Theory]
    [InlineData(30)]
    [InlineData(500)]
    public void Decode_BitmapCutShort_SaysSo(int bytes) => Assert.Equal("is a damaged, cut-short or unsupported BMP file",
        Reason(_folder.Write("cut.bmp", TestImages.Bmp(TestImages.Rgb(48, 48))[..bytes])));

    [Fact]
    public void Decode_TooLargeBitmap_IsRefusedByItsHeader()
    {
        byte[] file = TestImages.Bmp(TestImages.Rgb(16, 16));
        BitConverter.GetBytes(30_000).CopyTo(file, 18);
        BitConverter.GetBytes(30_000).CopyTo(file, 22);
        Assert.Equal("is a BMP image of 30000 x 30000 = 900 megapixels, more than data.maxMegapixels = 100",
            Reason(_folder.Write("big.bmp", file), new DataOptions { MaxMegapixels = 100 }));
    }

    [Fact]
    public void Decode_Empty_SaysSo() => Assert.Equal("is empty (0 bytes)", Reason(_folder.Write("e.jpg", "")));

    [Fact]
    public void Decode_OtherContent_ShowsHowItStarts() =>
        Assert.Equal("is not an image in a known format: it starts with '<!DOCTYPE ht'",
            Reason(_folder.Write("w.jpg", "<!DOCTYPE html><p>404")));

    [Fact]
    public void Decode_Missing_SaysSo() => Assert.Equal("does not exist", Reason(_folder.At("none.png")));

    [Fact]
    public void Decode_TooLarge_IsRefusedByItsHeader()
    {
        string path = TestImages.Save(TestImages.Make<byte>(1, 1500, 1000, (_, _, _) => 0), _folder.At("big.png"));
        Assert.Equal("is a PNG image of 1500 x 1000 = 1.5 megapixels, more than data.maxMegapixels = 1",
            Reason(path, new DataOptions { MaxMegapixels = 1 }));
    }

    [Fact]
    public void Decode_DamagedFilesOnManyThreads_LeaveTheOthersAlone()
    {
        string good = TestImages.Save(TestImages.Rgb(40, 30), _folder.At("good.png"));
        byte[] bytes = File.ReadAllBytes(good);
        string bad = _folder.Write("bad.png", bytes[..(bytes.Length / 2)]);
        var expected = (byte[])ImageFile.Decode(good, 16, new DataOptions()).Values;
        DecodingThreads.Run(8, 200, i =>
        {
            if (i % 2 == 0) Reason(bad);
            else Assert.Equal(expected, (byte[])ImageFile.Decode(good, 16, new DataOptions()).Values);
        }, CancellationToken.None);
    }
}

using SiamSharp.Data;
using SiamSharp.Messages;
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
    public void Decode_BitmapThatPromisesMoreThanItHas_MakesNoRoomForIt()
    {
        byte[] file = TestImages.Bmp(TestImages.Rgb(16, 16));
        BitConverter.GetBytes(20_000).CopyTo(file, 18);
        BitConverter.GetBytes(20_000).CopyTo(file, 22);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal("is a damaged, cut-short or unsupported BMP file", Reason(_folder.Write("cut.bmp", file)));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

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

    [Theory]
    [InlineData("<!DOCTYPE html><p>404", "is a web page, not an image: download it again")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "run `git lfs pull`")]
    [InlineData("\0\0\0\u0018ftypheic\0\0\0\0", "is a HEIC image, which is not read: convert it")]
    [InlineData("<svg/>", "is an SVG drawing")]
    [InlineData("\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "never written whole")]
    [InlineData("hello", "is not an image in a known format: it starts with 'hello'")]
    [InlineData("x", "it starts with 'x'")]
    public void Decode_OtherContent_SaysWhatItIs(string content, string expected) =>
        Assert.Contains(expected, Reason(_folder.Write("w.jpg", content)));

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

    [Fact]
    public void Decode_AvifThatSaysItIsWiderThanAnyCanBe_IsRefusedBeforeMemoryIsTaken()
    {
        string file = TestImages.Save(TestImages.Rgb(24, 20), _folder.At("x.avif"));
        byte[] bytes = File.ReadAllBytes(file);
        int width = bytes.AsSpan().IndexOf("ispe"u8) + 8;
        bytes[width] = 1; // 2^24 more
        File.WriteAllBytes(file, bytes);
        Assert.Contains("but an AVIF image has at most 65536 on a side", Reason(file));
    }

    [Fact]
    public void Open_NotAFile_IsRefusedWithoutWaiting()
    {
        if (!OperatingSystem.IsLinux()) return;
        string pipe = _folder.At("x.png");
        using (var made = System.Diagnostics.Process.Start("mkfifo", [pipe])) made.WaitForExit();
        Assert.Contains("is a named pipe, not a file", Reason(pipe));
        foreach (string ending in new[] { ".csv", ".jsonl", ".npy", "-images-idx3-ubyte", "-images-idx3-ubyte.gz" })
        {
            string link = _folder.At("link" + ending);
            File.CreateSymbolicLink(link, ending == ".npy" ? "/dev/zero" : pipe);
            Assert.Contains("not a file",
                Assert.Throws<DataSourceException>(() => ImageSources.Open(link, new DataOptions())).Message);
        }
        Assert.Throws<SiamSharp.Options.OptionsException>(() => SiamSharp.Options.OptionsJson.ParseFile(pipe));
        Assert.Throws<IOException>(() => SiamSharp.Backbones.WeightsFile.Read(pipe));
        Assert.Throws<IOException>(() => SiamSharp.Files.SafeTensors.Read(pipe));
        Assert.Throws<IOException>(() => SiamSharp.Files.PyTorchFile.Read(pipe));

        string image = TestImages.Save(TestImages.Rgb(16, 16), _folder.At("whole.png"));
        File.CreateSymbolicLink(_folder.At("to-image.png"), image);
        Assert.Equal(16, ImageFile.Decode(_folder.At("to-image.png"), 16, new DataOptions()).Width);
    }

    [Fact]
    public void Open_NameThatIsNotUtf8_IsOneImageThatCannotBeRead()
    {
        if (!OperatingSystem.IsLinux()) return;
        TestImages.Save(TestImages.Rgb(16, 16), _folder.At("images/a.png"));
        string script =
            """cd "$1" && cp a.png "$(printf 'caf\351.png')" && mkdir "$(printf 'sub\351')" && cp a.png "$(printf 'sub\351')" """;
        using (var made = System.Diagnostics.Process.Start("sh", ["-c", script, "sh", _folder.At("images")])) made.WaitForExit();
        IImageSource source = ImageSources.Open(_folder.At("images"), new DataOptions());
        Assert.Equal(2, source.Count);
        Assert.Equal(16, source.Decode(0, 16).Width);
        Assert.StartsWith("cannot be opened: its name is not UTF-8. Rename it",
            Assert.Throws<UnreadableImageException>(() => source.Decode(1, 16)).Reason);
        Assert.Contains("its name is not UTF-8. Rename it", Assert.Single(source.Notes));
        using var gone = System.Diagnostics.Process.Start("rm", ["-r", _folder.At("images")]); // .NET cannot
        gone.WaitForExit();
    }

    [Theory]
    [InlineData("a\u001b[2Jb\n\0\u202e\r\t", "a\\u001b[2Jb\\n\\u0000\\u202e\\r\\t")]
    [InlineData("caf\u00e9 \ud83d\ude00", "caf\u00e9 \ud83d\ude00")]
    public void Text_OfStrangers_IsShownEscaped(string text, string shown)
    {
        Assert.Equal("\\ud800a", Shown.Text("\ud800a"));
        Assert.Equal(shown, Shown.Text(text));
        Assert.EndsWith(shown, new DataSourceException(text).Message);
    }
}

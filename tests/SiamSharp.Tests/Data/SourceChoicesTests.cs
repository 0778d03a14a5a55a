using NetVips;
using SiamSharp.Data;
using SiamSharp.Recipes;
using Xunit;

namespace SiamSharp.Tests.Data;

/// <summary>What a source of files decides for all of its images: channels, background, pages,
/// and which files are images.</summary>
public sealed class SourceChoicesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private ImageDataset Load(DataOptions? options = null, string labels = "")
    {
        DataOptions given = (options ?? new DataOptions()) with { Size = 8 };
        return ImageDataset.Load(ImageSources.Open(_folder.Root + labels, given), given);
    }

    private static Pixels Grey(int seed, int depth = 8) => depth == 8
        ? TestImages.Make(1, 8, 8, (_, y, x) => (byte)(seed * 11 + y * 8 + x))
        : TestImages.Make(1, 8, 8, (_, y, x) => (ushort)(seed * 1111 + 1000 * y + 90 * x + 9000));

    [Fact]
    public void Load_GreyAmongColour_BecomesRgbWithANote()
    {
        // Grey, grey with alpha, 16-bit grey; RGB, RGBA, 16-bit RGB.
        TestImages.Save(Grey(1), _folder.At("1.png"));
        TestImages.Save(TestImages.Make(2, 8, 8, (c, y, x) => (byte)(c == 1 ? 255 : y * 8 + x)), _folder.At("2.png"));
        TestImages.Save(Grey(2, 16), _folder.At("3.png"));
        TestImages.Save(TestImages.Rgb(8, 8), _folder.At("4.png"));
        TestImages.Save(TestImages.Make(4, 8, 8, (c, y, x) => (byte)(c == 3 ? 255 : 60 * c + y * 8 + x)), _folder.At("5.png"));
        TestImages.Save(TestImages.Make(3, 8, 8, (c, y, x) => (ushort)(9000 * c + y * 3000 + x)), _folder.At("6.png"));
        ImageDataset data = Load();
        Assert.Equal((6, 3), (data.Count, data.Channels));
        Assert.Contains(data.Notes,
            note => note.StartsWith("3 of 6 images are grey and become RGB (such as '", StringComparison.Ordinal));
        float[] first = new float[3 * 64];
        data.Read(0, first);
        Assert.Equal(first[..64], first[128..]);

        Recipe recipe = Recipe.Resolve([], ["data.size=8"], options => ImageSources.Open(_folder.Root, options));
        Assert.Equal(3, recipe.Data.Channels);
    }

    [Fact]
    public void Load_TwoAndThreeChannels_IsRefusedWithBothCounts()
    {
        _folder.Write("two.tif", TestImages.Tiff(TestImages.Make(2, 8, 8, (c, y, x) => (byte)(c + y + x)), photometric: 1, 0));
        TestImages.Save(TestImages.Rgb(8, 8), _folder.At("three.png"));
        string message = Assert.Throws<DataSourceException>(() => Load()).Message;
        Assert.Contains("1 with 2 (such as '", message);
        Assert.Contains("put each kind into a source of its own", message);
    }

    private void Drawing(string name, byte red, byte green, byte blue) => TestImages.Save(TestImages.Make(4, 16, 16,
        (c, y, x) => c switch
        {
            0 => red,
            1 => green,
            2 => blue,
            _ => (byte)((x - 8) * (x - 8) + (y - 8) * (y - 8) < 36 ? 255 : 0)
        }), _folder.At(name));

    [Fact]
    public void Load_BlackDrawingsOnTransparency_AreOnWhite()
    {
        for (int i = 0; i < 4; i++) Drawing($"{i}.png", 0, 0, (byte)(i == 3 ? 200 : 0));
        ImageDataset data = Load();
        Assert.Equal(0, data.BlankCount);
        Assert.Contains(data.Notes,
            note => note.StartsWith("4 of 4 images are transparent in places: white shows through", StringComparison.Ordinal));
        Assert.Equal(AlphaBackground.White,
            Recipe.Resolve([], ["data.size=8"], options => ImageSources.Open(_folder.Root, options)).Data.Alpha);
        // as recipes of earlier versions have it
        Assert.Equal(4, Load(new DataOptions { Alpha = AlphaBackground.Mean }).BlankCount);
    }

    [Fact]
    public void Load_WhiteDrawingsOnTransparency_AreOnBlack()
    {
        for (int i = 0; i < 4; i++) Drawing($"{i}.png", 255, 255, 255);
        Assert.Contains(Load().Notes, note => note.Contains("black shows through", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_PhotographsWithTransparency_ShowTheMean()
    {
        for (int i = 0; i < 3; i++)
            TestImages.Save(TestImages.Make(4, 16, 16,
                (c, y, x) => (byte)(c == 3 ? (x > 3 ? 255 : 0) : (i * 40 + y * 31 + x * 17 + x * y * 7 + c * 50) % 251)),
                _folder.At($"{i}.png"));
        TestImages.Save(TestImages.Rgb(16, 16), _folder.At("opaque.png"));
        Assert.Contains(Load().Notes, note => note.StartsWith(
            "3 of 4 images are transparent in places: the mean of their visible pixels shows through", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_AFewSilhouettesAmongPhotographs_AreOnWhite()
    {
        for (int i = 0; i < 9; i++)
            TestImages.Save(TestImages.Make(4, 16, 16,
                (c, y, x) => (byte)(c == 3 ? (x > 3 ? 255 : 0) : (i * 40 + y * 31 + x * 17 + x * y * 7 + c * 50) % 251)),
                _folder.At($"{i}.png"));
        Drawing("black.png", 0, 0, 0);
        ImageDataset data = Load();
        Assert.Equal(0, data.BlankCount);
        Assert.Contains(data.Notes, note => note.Contains("white shows through", StringComparison.Ordinal));
    }

    [Fact]
    public void Resolve_AutoOfImagesInAnArray_IsTheMean() =>
        Assert.Equal(AlphaBackground.Mean,
            Recipe.Resolve([], [], options => ImageSources.Open("fashion-mnist:sample#..8", options)).Data.Alpha);

    [Fact]
    public void Load_SeveralPages_TellsAndReadsThemAsChannels()
    {
        for (int i = 0; i < 3; i++) SavePages($"{i}.tif", i);
        ImageDataset first = Load();
        Assert.Equal(1, first.Channels);
        Assert.Contains(first.Notes,
            note => note.StartsWith("3 of 3 images have further pages or frames (such as '", StringComparison.Ordinal)
                && note.Contains("--set data.pages=channels", StringComparison.Ordinal));

        ImageDataset all = Load(new DataOptions { Pages = Pages.Channels });
        Assert.Equal(3, all.Channels);
        Assert.Empty(all.Notes);
        float[] pixels = new float[3 * 64];
        all.Read(1, pixels);
        for (int page = 0; page < 3; page++)
            for (int i = 0; i < 64; i++) Assert.Equal((10 + page * 70 + i % 60) / 255f, pixels[page * 64 + i]);

        void SavePages(string name, int seed)
        {
            Image[] pages = [.. Enumerable.Range(0, 3).Select(page => VipsPixels.ToImage(TestImages.Make(1, 8, 8,
                (_, y, x) => (byte)(page == 0 && seed != 1 ? seed * 20 + y : 10 + page * 70 + (y * 8 + x) % 60))))];
            using var stack = Image.Arrayjoin(pages, across: 1);
            using var saved = stack.Mutate(m => m.Set(GValue.GIntType, "page-height", 8));
            saved.WriteToFile(_folder.At(name));
        }
    }

    [Fact]
    public void Load_TwelveBitsWithDataBits_ScalesThemToOne()
    {
        TestImages.Save(TestImages.Make(1, 8, 8, (_, y, x) => (ushort)(65 * (y * 8 + x))), _folder.At("a.png"));
        ImageDataset data = Load(new DataOptions { Bits = 12 });
        Assert.Equal((1f, 4095.0), (data.Range.Max, data.White));
        Assert.Empty(data.Notes);
        string above = Assert.Single(Load(new DataOptions { Bits = 10 }).Notes);
        Assert.Contains("above 1023, the white of data.bits", above);
        Assert.EndsWith("they become more than 1. --set data.bits=12 makes 4095 white.", above);
    }

    [Theory]
    [InlineData(".jfif")]
    [InlineData(".JPE")]
    [InlineData(".JPG")]
    public void Open_OtherEndingsOfJpeg_AreRead(string ending)
    {
        TestImages.Save(TestImages.Rgb(8, 8), _folder.At("x.jpg"));
        File.Move(_folder.At("x.jpg"), _folder.At("y" + ending));
        Assert.Equal(1, Load().Count);
    }

    [Fact]
    public void Open_ImagesOfKindsThatAreNotRead_AreCountedByEnding()
    {
        TestImages.Save(TestImages.Rgb(8, 8), _folder.At("a.png"));
        foreach (string name in new[] { "b.heic", "c.HEIC", "d.svg", "notes.txt" }) _folder.Write(name, "x");
        Assert.StartsWith($"3 files of '{_folder.Root}' look like images of kinds that are not read (.heic: 2, .svg: 1)",
            Assert.Single(Load().Notes));
    }

    [Fact]
    public void Open_LabelListThatNamesAnImageTwice_IsRefusedWithBothLabels()
    {
        TestImages.Save(Grey(1), _folder.At("a.png"));
        TestImages.Save(Grey(2), _folder.At("b.png"));
        _folder.Write("labels.csv", "path,label\na.png,cat\nb.png,dog\n./a.png,dog\n");
        string message = Assert.Throws<DataSourceException>(() => Load(labels: "@labels.csv")).Message;
        Assert.Contains("'a.png' is 'cat', and './a.png', the same image, and 'dog'", message);
        message = Assert.Throws<DataSourceException>(() => Load(labels: "/labels.csv")).Message;
        Assert.Contains("a.png' is 'cat', and '", message);
        Assert.Contains("a.png', the same file, and 'dog'", message);
    }

    [Fact]
    public void Open_ManifestThatNamesAnImageTwiceWithOneLabel_UsesItOnce()
    {
        TestImages.Save(Grey(1), _folder.At("a.png"));
        TestImages.Save(Grey(2), _folder.At("b.png"));
        _folder.Write("list.csv", "path,label\na.png,cat\nb.png,dog\na.png,cat\n");
        ImageDataset data = Load(labels: "/list.csv");
        Assert.Equal(2, data.Count);
        Assert.Contains("1 of 3 images of", Assert.Single(data.Notes));
        Assert.EndsWith("a.png', listed twice: each is used once.", data.Notes[0]);
    }

    [Fact]
    public void Open_LinkIntoAnotherClass_IsRefused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a privilege there.");
        TestImages.Save(Grey(1), _folder.At("cat/a.png"));
        TestImages.Save(Grey(2), _folder.At("dog/b.png"));
        File.CreateSymbolicLink(_folder.At("dog/c.png"), _folder.At("cat/a.png"));
        string message = Assert.Throws<DataSourceException>(() => Load()).Message;
        Assert.Contains("'cat/a.png' is 'cat', and 'dog/c.png', the same file, and 'dog'", message);
    }

    [Fact]
    public void Load_CopyInAnotherClass_IsTold()
    {
        TestImages.Save(Grey(1), _folder.At("cat/a.png"));
        TestImages.Save(Grey(3), _folder.At("cat/d.png"));
        TestImages.Save(Grey(2), _folder.At("dog/b.png"));
        File.Copy(_folder.At("cat/a.png"), _folder.At("dog/c.png"));
        Assert.Contains(Load().Notes,
            note => note.StartsWith("2 images are equal to one of another class, such as '", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("caf\u00e9.png", "cafe\u0301.png")]
    [InlineData("cafe\u0301.png", "caf\u00e9.png")]
    [InlineData("\u1eb7.png", "a\u0306\u0323.png")] // two marks, out of order
    [InlineData("\ud55c.png", "\u1112\u1161\u11ab.png")]
    public void Open_NamesInAnotherNormalisation_AreFound(string onDisk, string inList)
    {
        TestImages.Save(Grey(1), _folder.At("x.png"));
        File.Move(_folder.At("x.png"), _folder.At(onDisk));
        TestImages.Save(Grey(2), _folder.At("b.png"));
        _folder.Write("labels.csv", $"path,label\n{inList},cat\nb.png,dog\n");
        foreach (string labels in new[] { "@labels.csv", "/labels.csv" })
        {
            ImageDataset data = Load(labels: labels);
            Assert.Equal(["cat", "dog"], data.ClassNames);
            Assert.Equal((2, 2), (data.Count, data.Labels!.Count(label => label >= 0)));
        }
    }
}

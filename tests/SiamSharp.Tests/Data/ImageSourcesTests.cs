using SiamSharp.Data;
using Xunit;

namespace SiamSharp.Tests.Data;

public class ImageSourcesTests
{
    private static string Message(string source) =>
        Assert.Throws<DataSourceException>(() => ImageSources.Open(source, new DataOptions())).Message;

    [Fact]
    public void Open_FolderBelowDev_IsAFolder()
    {
        if (!Directory.Exists("/dev/shm")) return;
        string folder = Directory.CreateDirectory($"/dev/shm/siam-test-{Environment.ProcessId}").FullName;
        try
        {
            TestImages.Save(TestImages.Make(1, 8, 8, (_, y, x) => (byte)(y * 8 + x)), Path.Combine(folder, "a.png"));
            Assert.Equal(1, ImageSources.Open(folder, new DataOptions()).Count);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Open_MissingPath_NamesTheNearestFolderAndTheForms()
    {
        using var folder = new TempFolder();
        string message = Message(Path.Combine(folder.Root, "typo", "images"));
        Assert.Contains($"the nearest folder that does is '{folder.Root}'", message);
        Assert.Contains("FOLDER@labels.csv", message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Open_FileOfAnotherKind_ListsTheForms()
    {
        using var folder = new TempFolder();
        Assert.Contains("of a kind that is not read", Message(folder.Write("data.doc", "PK")));
    }

    [Fact]
    public void Open_LabelFileMissing_SaysWhereItWasLookedFor()
    {
        using var folder = new TempFolder();
        Assert.Contains($"neither 'l.csv' nor '{Path.Combine(folder.Root, "l.csv")}' does", Message($"{folder.Root}@l.csv"));
    }

    [Fact]
    public void Open_FolderWithAnAtSign_IsAFolder()
    {
        using var folder = new TempFolder();
        folder.Write("a@b/1.jpg", "x");
        Assert.Equal(1, ImageSources.Open(folder.At("a@b"), new DataOptions()).Count);
    }

    [Fact]
    public void Open_TrainAndTest_DivideEveryClassWithoutOverlap()
    {
        IImageSource whole = ImageSources.Open("fashion-mnist:sample#..500", new DataOptions()),
            train = ImageSources.Open("fashion-mnist:sample#..500#train", new DataOptions()),
            test = ImageSources.Open("fashion-mnist:sample#..500#test", new DataOptions());
        Assert.Equal((400, 100, "fashion-mnist:sample#..500#test"), (train.Count, test.Count, test.Name));
        static IEnumerable<string> Paths(IImageSource source) => Enumerable.Range(0, source.Count).Select(source.PathOf);
        Assert.Equal(Paths(whole).Order(), Paths(train).Concat(Paths(test)).Order());
        static int[] PerClass(IImageSource source) =>
            [.. Enumerable.Range(0, 10).Select(k => Enumerable.Range(0, source.Count).Count(i => source.LabelOf(i) == k))];
        Assert.All(PerClass(whole).Zip(PerClass(test)), pair => Assert.InRange(pair.Second, pair.First / 5, pair.First / 5 + 1));
        Assert.Equal(Paths(test), Paths(ImageSources.Open("fashion-mnist:sample#..500#test", new DataOptions())));
    }

    [Fact]
    public void Open_AtSignAhead_SaysWhereItStands() =>
        Assert.Contains("write FOLDER@labels.csv",
            Assert.Throws<DataSourceException>(() => ImageSources.Open("@labels.csv", new DataOptions())).Message);

    [Theory]
    [InlineData("fashion-mnist:sample#50")]
    [InlineData("fashion-mnist:sample#1-5")]
    [InlineData("/tmp#x")]
    public void Open_UnknownPart_SaysHowToWriteIt(string source) =>
        Assert.Contains("behind # write FIRST..END",
            Assert.Throws<DataSourceException>(() => ImageSources.Open(source, new DataOptions())).Message);

    [Theory]
    [InlineData("#..3", 0, 3)]
    [InlineData("#9990..", 9990, 10)]
    [InlineData("#5..7", 5, 2)]
    [InlineData("#..", 0, 10_000)]
    public void Open_Part_TakesItsImages(string part, int first, int count)
    {
        IImageSource whole = ImageSources.Open("fashion-mnist:sample", new DataOptions()),
            taken = ImageSources.Open("fashion-mnist:sample" + part, new DataOptions());
        Assert.Equal((count, "fashion-mnist:sample" + part, whole.PathOf(first)), (taken.Count, taken.Name, taken.PathOf(0)));
        Assert.Equal((byte[])whole.Decode(first + count - 1, 28).Values, (byte[])taken.Decode(count - 1, 28).Values);
        Assert.Equal(whole.ClassNames, taken.ClassNames);
    }

    [Theory]
    [InlineData("#3..3")]
    [InlineData("#7..5")]
    [InlineData("#..10001")]
    [InlineData("#99999999999999999999..")]
    public void Open_PartThatIsNone_SaysHowManyThereAre(string part) =>
        Assert.Contains("0 <= FIRST < END <= 10000", Message("fashion-mnist:sample" + part));

    [Fact]
    public void Open_FolderNamedLikeAPart_IsAFolder()
    {
        using var folder = new TempFolder();
        folder.Write("a#1..2/1.jpg", "x");
        Assert.Equal(1, ImageSources.Open(folder.At("a#1..2"), new DataOptions()).Count);
    }

    [Theory]
    [InlineData("pics.zip")]
    [InlineData("pics.tar")]
    [InlineData("pics.tar.gz")]
    [InlineData("list.csv.gz")]
    [InlineData("pics.7z")]
    [InlineData("PICS.RAR")]
    public void Open_PackedFile_SaysToUnpackIt(string name)
    {
        using var folder = new TempFolder();
        Assert.Contains("is packed. Unpack it first, and give the folder or file that comes out of it.",
            Message(folder.Write(name, "PK")));
    }

    [Theory]
    [InlineData("https://example.com/images.zip",
        "nothing is downloaded: fetch the files first, and give their paths. Unpack what is packed.")]
    [InlineData("s3://bucket/images#train", "nothing is downloaded")]
    [InlineData("file:///home/me/images", "Write the path alone, without file://, as in /home/me/images.")]
    public void Open_Address_SaysToDownloadItFirst(string source, string expected) => Assert.Contains(expected, Message(source));

    [Theory]
    [InlineData("flat/*.png", "flat")]
    [InlineData("**/*.png", "")]
    [InlineData("flat/00?.png", "flat")]
    public void Open_Wildcard_NamesTheFolder(string pattern, string expected)
    {
        using var folder = new TempFolder();
        Assert.EndsWith("Give the folder, whose images are all taken, also those of its sub-folders: "
            + $"{Path.TrimEndingDirectorySeparator(Path.Combine(folder.Root, expected))}",
            Message(Path.Combine(folder.Root, pattern)));
    }
}

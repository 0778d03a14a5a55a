using SiamSharp.Data;
using Xunit;

namespace SiamSharp.Tests.Data;

public class ImageSourcesTests
{
    private static string Message(string source) =>
        Assert.Throws<DataSourceException>(() => ImageSources.Open(source, new DataOptions())).Message;

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
        Assert.Contains("of a kind that is not read", Message(folder.Write("data.zip", "PK")));
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
}

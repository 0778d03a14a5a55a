using SiamSharp.Data;
using Xunit;

namespace SiamSharp.Tests.Data;

public sealed class ImageFolderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private IImageSource Open() => ImageSources.Open(_folder.Root, new DataOptions());

    private void Touch(params string[] files)
    {
        foreach (string file in files) _folder.Write(file, "x");
    }

    private string[] Paths(IImageSource source) =>
        [.. Enumerable.Range(0, source.Count).Select(i => Path.GetRelativePath(_folder.Root, source.PathOf(i)))];

    private static string?[] Labels(IImageSource source) =>
        [.. Enumerable.Range(0, source.Count).Select(i => source.LabelOf(i) is >= 0 and var l ? source.ClassNames![l] : null)];

    [Fact]
    public void Open_SubFolders_AreTheLabelsAtTheFirstLevel()
    {
        Touch("dog/a.jpg", "cat/2020/b.PNG", "cat/2021/deep/c.webp", "Zebra/d.tif", "dog/e.TIFF", "cat/notes.txt");
        var source = Open();
        Assert.Equal(["Zebra/d.tif", "cat/2020/b.PNG", "cat/2021/deep/c.webp", "dog/a.jpg", "dog/e.TIFF"], Paths(source));
        Assert.Equal(["Zebra", "cat", "dog"], source.ClassNames!);
        Assert.Equal(["Zebra", "cat", "cat", "dog", "dog"], Labels(source));
        Assert.Empty(source.Notes);
    }

    [Fact]
    public void Open_SubFoldersThatAreNoClasses_AreTold()
    {
        Touch("cat/a.jpg", "cat/b.jpg", "dog/c.jpg", ".owl/d.jpg", ".ipynb_checkpoints/e.jpg", "fox/readme.txt");
        Assert.Equal(
            [
                $"The sub-folder '.owl' of '{_folder.Root}' begins with a dot, as hidden ones do, and is left out, "
                    + "with the images in it: to have it as a class, take the dot off.",
                $"The sub-folder 'fox' of '{_folder.Root}' holds no image that is read, and is no class.",
            ],
            Open().Notes);
    }

    [Fact]
    public void Open_FolderOfAProgram_NamesThatOfTheImages()
    {
        Touch("Images/a.jpg", "Images/b.jpg", "bin/Debug/a.jpg", "bin/Debug/b.jpg", "App.csproj");
        Assert.Equal($"'{_folder.Root}' is the folder of a program, and bin and obj hold copies of its files: "
            + $"name the folder of the images in it, such as {Path.Combine(_folder.Root, "Images")}.",
            Assert.Single(Open().Notes));
    }

    [Fact]
    public void Open_FolderOfARunInside_IsLeftOut()
    {
        Touch("a.png", "runs/old/recipe.json", "runs/old/metrics.jsonl", "runs/old/views.png");
        Assert.Equal(["a.png"], Paths(Open()));
        Assert.Equal($"'runs/old' of '{_folder.Root}' is the folder of a run, and is left out with the pictures in it.",
            Assert.Single(Open().Notes));
    }

    [Fact]
    public void Open_FlatFolder_HasNoLabels()
    {
        Touch("b.jpg", "a.gif", "c.avif", "empty/readme.md");
        var source = Open();
        Assert.Equal(["a.gif", "b.jpg", "c.avif"], Paths(source));
        Assert.Null(source.ClassNames);
        Assert.All(Labels(source), Assert.Null);
    }

    [Fact]
    public void Open_ImagesBesideSubFolders_HaveNoLabelAndANoteSaysSo()
    {
        Touch("top.jpg", "a/1.jpg", "a/2.jpg");
        var source = Open();
        Assert.Equal(["a", "a", null], Labels(source));
        Assert.Contains("1 of 3 images has no label", Assert.Single(source.Notes));
    }

    [Fact]
    public void Open_OneImagePerSubFolder_IsUnlabelledWithANote()
    {
        Touch("p1/scan.jpg", "p2/scan.jpg", "p3/scan.jpg");
        var source = Open();
        Assert.Equal(3, source.Count);
        Assert.Null(source.ClassNames);
        Assert.Contains("Each of the 3 sub-folders", Assert.Single(source.Notes));
    }

    [Fact]
    public void Open_TrainAndTest_AreClassesButANoteWarns()
    {
        Touch("train/a/1.jpg", "train/b/2.jpg", "test/a/3.jpg");
        Assert.Contains("look like parts of a data set", Assert.Single(Open().Notes));
    }

    [Fact]
    public void Open_HiddenNames_AreLeftOut()
    {
        Touch("a.jpg", "._a.jpg", ".ipynb_checkpoints/b.jpg", "__MACOSX/c.jpg");
        Assert.Equal(["a.jpg"], Paths(Open()));
    }

    [Fact]
    public void Open_NoImage_ListsTheEndingsAndCountsTheRest()
    {
        Touch("a.txt", "b/c.doc");
        string message = Assert.Throws<DataSourceException>(Open).Message;
        Assert.Contains(
            "none of its 2 files ends in .jpg, .jpeg, .jpe, .jfif, .png, .webp, .avif, .gif, .tif, .tiff, .bmp", message);
    }

    [Fact]
    public void Open_SymbolicLinks_AreFollowedButNotInCircles()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a privilege there.");
        Touch("real/1.jpg", "real/2.jpg", "other/3.jpg");
        using var outside = new TempFolder();
        outside.Write("1.jpg", "");
        outside.Write("9.jpg", "");
        Directory.CreateSymbolicLink(_folder.At("linked"), outside.Root);
        Directory.CreateSymbolicLink(_folder.At("real/up"), _folder.Root);
        Directory.CreateSymbolicLink(_folder.At("other/self"), _folder.At("other"));
        File.CreateSymbolicLink(_folder.At("other/link.jpg"), _folder.At("other/3.jpg"));
        File.CreateSymbolicLink(_folder.At("other/file.jpg"), outside.At("sub/7.jpg"));
        string[] paths = Paths(Open());
        Assert.Contains("linked/1.jpg", paths);
        Assert.Contains("other/file.jpg", paths);
        Assert.DoesNotContain("other/link.jpg", paths); // the same file as other/3.jpg
        Assert.DoesNotContain(paths, p => p.StartsWith("other/self") || p.StartsWith("real/up/real"));
    }

    [Fact]
    public void Open_ThousandsOfFiles_AreOrdinallySorted()
    {
        for (int i = 0; i < 3000; i++) Touch($"f{i * 7919 % 3000}.jpg");
        string[] paths = Paths(Open());
        Assert.Equal(3000, paths.Length);
        Assert.Equal(paths.Order(StringComparer.Ordinal), paths);
    }

    [Fact]
    public void Load_FolderWithDamagedFiles_ReportsThemAndGoesOn()
    {
        for (int i = 0; i < 4; i++)
        {
            var image = TestImages.Make(3, 20, 30, (c, y, x) => (byte)(i * 40 + c + y + x));
            TestImages.Save(image, _folder.At($"{(i < 2 ? "a" : "b")}/{i}.png"));
        }
        _folder.Write("a/empty.jpg", "");
        _folder.Write("b/text.png", "no image");
        var set = ImageDataset.Load(Open(), new DataOptions { Size = 16 });
        Assert.Equal((4, 16, 3), (set.Count, set.Size, set.Channels));
        Assert.Equal([0, 0, 1, 1], set.Labels!);
        Assert.Equal([0, 1, 3, 4], Enumerable.Range(0, 4).Select(set.SourceIndexOf));
        Assert.Equal(["is empty (0 bytes)",
            "is not an image in a known format: it starts with 'no image'. Download it again, or convert it to PNG or TIFF"],
            set.Skipped.Select(s => s.Reason));
        SkippedFile.Write(_folder.At("skipped.jsonl"), set.Skipped);
        string[] lines = File.ReadAllLines(_folder.At("skipped.jsonl"));
        Assert.Equal($$"""{"path":"{{_folder.Root}}/a/empty.jpg","reason":"is empty (0 bytes)"}""", lines[0]);
        Assert.Equal(2, lines.Length);
    }

    [Fact]
    public void Open_ImagesWithoutEnding_AreKnownByTheirContent()
    {
        TestImages.Save(TestImages.Rgb(8, 8), _folder.At("a.png"));
        File.Move(_folder.At("a.png"), _folder.At("img0"));
        Touch("notes.txt");
        Assert.Contains("'img0' is a PNG image by its content: rename such files so that they end in .png.",
            Assert.Throws<DataSourceException>(Open).Message);
        Assert.Contains("is a PNG image by its content, but does not end like one. Rename it",
            Assert.Throws<DataSourceException>(() => ImageSources.Open(_folder.At("img0"), new DataOptions())).Message);
        Touch("b.jpg");
        Assert.StartsWith("'img0' of '", Assert.Single(Open().Notes));
    }

    [Fact]
    public void Open_FolderOfAnArchive_SaysToUnpackIt()
    {
        Touch("pics.tar.gz");
        Assert.EndsWith("'pics.tar.gz' is packed: unpack it first.", Assert.Throws<DataSourceException>(Open).Message);
    }

    [Fact]
    public void Open_LinksThatLeadNowhere_SayWhere()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a privilege there.");
        Touch("a.jpg", "b.jpg");
        File.CreateSymbolicLink(_folder.At("dangling.png"), "/nowhere/x.png");
        Directory.CreateSymbolicLink(_folder.At("more"), "/nowhere");
        File.CreateSymbolicLink(_folder.At("self.png"), "self.png");
        File.CreateSymbolicLink(_folder.At("twice.jpg"), _folder.At("a.jpg"));
        var source = Open();
        Assert.Equal("is a link to /nowhere/x.png, which does not exist",
            Assert.Throws<UnreadableImageException>(() => source.Decode(2, 8)).Reason);
        Assert.Equal("is a link that leads back to itself",
            Assert.Throws<UnreadableImageException>(() => source.Decode(3, 8)).Reason);
        Assert.Collection(source.Notes,
            note =>
                Assert.Equal($"'more' of '{_folder.Root}' is a link to /nowhere, which does not exist, and is left out.", note),
            note => Assert.Contains(
                "is there a second time, such as 'twice.jpg', the same file as 'a.jpg': each is used once.", note));
        Assert.Contains("is a link to /nowhere, which does not exist",
            Assert.Throws<DataSourceException>(() => ImageSources.Open(_folder.At("more"), new DataOptions())).Message);
    }
}

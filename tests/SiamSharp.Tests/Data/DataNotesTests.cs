using SiamSharp.Data;
using SiamSharp.Training;
using Xunit;

namespace SiamSharp.Tests.Data;

public sealed class DataNotesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private ImageDataset Load(DataOptions? options = null)
    {
        DataOptions given = (options ?? new DataOptions()) with { Size = 8 };
        return ImageDataset.Load(ImageSources.Open(_folder.Root, given), given);
    }

    [Fact]
    public void Load_OrdinaryImages_HasNothingToSay()
    {
        for (int i = 0; i < 3; i++) TestImages.Save(TestImages.Make(3, 8, 8, (c, y, x) => (byte)(50 * i + c * 20 + y * 8 + x)), _folder.At($"{i}.png"));
        Assert.Empty(Load().Notes);
    }

    [Fact]
    public void Load_ImagesEnlargedMuch_SaysSo()
    {
        TestImages.Save(TestImages.Make(3, 2, 1, (c, y, x) => (byte)(c * 20 + y * 8)), _folder.At("a.png"));
        Assert.Contains(Load().Notes, note => note.Contains("the median of their shorter sides is 1 pixel, and they are enlarged to 8 (data.size)", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_FloatsOfAnotherRangeBesideBytes_IsRefusedWithBothCounts()
    {
        for (int i = 0; i < 4; i++) TestImages.Save(TestImages.Make(1, 8, 8, (_, y, x) => (byte)(20 * i + y * 8 + x)), _folder.At($"{i}.png"));
        TestImages.Save(TestImages.Make(1, 8, 8, (_, y, x) => 3f * (y * 8 + x)), _folder.At("f.tif"));
        string message = Assert.Throws<DataSourceException>(() => Load()).Message;
        Assert.Contains("4 hold integers of 8 or 16 bits", message);
        Assert.Contains("1 hold values of 32 bits from 0 to 189", message);
        Assert.Contains("f.tif", message);
        var seen = DataInspection.Inspect(ImageSources.Open(_folder.Root, new DataOptions()), new DataOptions { Size = 8 });
        Assert.Contains(message, seen.Notes);
    }

    [Fact]
    public void Load_FloatsFromZeroToOneBesideBytes_AreTold()
    {
        TestImages.Save(TestImages.Make(1, 8, 8, (_, y, x) => (byte)(y * 8 + x)), _folder.At("a.png"));
        TestImages.Save(TestImages.Make(1, 8, 8, (_, y, x) => (y * 8 + x) / 64f), _folder.At("f.tif"));
        Assert.StartsWith("Depths differ: 1 of 8 bits (such as '", Assert.Single(Load().Notes));
    }

    [Fact]
    public void Load_TwelveBitsStoredAsSixteen_SaysWhatToSet()
    {
        TestImages.Save(TestImages.Make(1, 8, 8, (_, y, x) => (ushort)(65 * (y * 8 + x))), _folder.At("a.png")); // to 4095
        Assert.Contains("about 4095 of 65535: 12 bits stored as 16", Assert.Single(Load().Notes));
        Assert.Contains("--set data.bits=12 makes 4095 white", Load().Notes[0]);
    }

    [Fact]
    public void Load_BlankAndEqualImages_AreCounted()
    {
        TestImages.Save(TestImages.Make(1, 8, 8, (_, _, _) => (byte)9), _folder.At("a.png"));
        TestImages.Save(TestImages.Make(1, 8, 8, (_, _, _) => (byte)9), _folder.At("b.png"));
        TestImages.Save(TestImages.Make(1, 8, 8, (_, y, _) => (byte)y), _folder.At("c.png"));
        Assert.Collection(Load().Notes,
            note => Assert.StartsWith("2 of 3 images are blank, of one colour only (such as '", note),
            note => Assert.StartsWith("1 of 3 images is equal to another one", note));
    }

    [Fact]
    public void Load_OneImageRepeated_SaysThatNothingCanBeLearned()
    {
        for (int i = 0; i < 3; i++) TestImages.Save(TestImages.Make(1, 8, 8, (_, y, _) => (byte)(y * 9)), _folder.At($"{i}.png"));
        Assert.StartsWith("All 3 images are equal", Assert.Single(Load().Notes));
    }

    [Fact]
    public void ReadNotes_WhatWasWritten_ComesBack()
    {
        var run = new RunFolder(_folder.At("run"));
        Assert.Empty(run.ReadNotes());
        run.Create();
        run.WriteNotes(["one", "two \u00e9"]);
        Assert.Equal(["one", "two \u00e9"], run.ReadNotes());
    }
}

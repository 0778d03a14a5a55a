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
        for (int i = 0; i < 3; i++)
            TestImages.Save(TestImages.Make(3, 8, 8, (c, y, x) => (byte)(50 * i + c * 20 + y * 8 + x)), _folder.At($"{i}.png"));
        Assert.Empty(Load().Notes);
    }

    [Fact]
    public void Load_ImagesEnlargedMuch_SaysSo()
    {
        TestImages.Save(TestImages.Make(3, 2, 1, (c, y, x) => (byte)(c * 20 + y * 8)), _folder.At("a.png"));
        Assert.Contains(Load().Notes, note => note.Contains(
            "the median of their shorter sides is 1 pixel, and they are enlarged to 8 (data.size)", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_FloatsOfAnotherRangeBesideBytes_IsRefusedWithBothCounts()
    {
        for (int i = 0; i < 4; i++)
            TestImages.Save(TestImages.Make(1, 8, 8, (_, y, x) => (byte)(20 * i + y * 8 + x)), _folder.At($"{i}.png"));
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
        TestImages.Save(TestImages.Make(1, 8, 8, (_, y, _) => (byte)(30 * y)), _folder.At("c.png"));
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

    [Fact]
    public void Load_DataBitsForBytes_SaysThatItHasNoEffect()
    {
        TestImages.Save(TestImages.Rgb(8, 8), _folder.At("a.png"));
        Assert.Equal("data.bits=12 has no effect: it is for images of 16 bits, and there are none here.",
            Assert.Single(Load(new DataOptions { Bits = 12 }).Notes));
    }

    [Theory]
    [InlineData(0, 3, "go from 0 to 189, and are not scaled. Views that change colours need 0 to 1. "
        + "For those, divide them by 255, or save them as 8-bit integers.")]
    [InlineData(-63, 2,
        "go from -63 to 63, and are not scaled. Views that change colours need 0 to 1. For those, add 63 and divide by 126.")]
    public void Load_FloatsOfAnotherRange_SaysHowToScaleThem(int first, int step, string expected)
    {
        TestImages.Save(TestImages.Make(1, 8, 8, (_, y, x) => (float)(first + step * (y * 8 + x))), _folder.At("a.tif"));
        Assert.Contains(expected, Assert.Single(Load().Notes));
    }

    [Fact]
    public void Load_MarksOfNoDataAndBytesOfZeroAndOne_AreTold()
    {
        TestImages.Save(TestImages.Make(1, 8, 8, (_, y, x) => x == 0 ? -9999f : y / 8f), _folder.At("a.tif"));
        Assert.Contains("Where the lowest stands for no data, as -9999 and -32768 do, put another value in its place first.",
            Assert.Single(Load().Notes));
        File.Delete(_folder.At("a.tif"));
        TestImages.Save(TestImages.Make(1, 8, 8, (_, y, x) => (byte)(x % 2)), _folder.At("a.png"));
        Assert.Contains("is 1 of 255, nearly black. If the values were fractions from 0 to 1, save (x * 255).astype('uint8')",
            Assert.Single(Load().Notes));
    }

    [Fact]
    public void Load_FloatsThatAreResized_TellsOfThoseStored()
    {
        // A checkerboard, which bicubic enlarging overshoots on both sides.
        TestImages.Save(TestImages.Make(1, 4, 4, (_, y, x) => (x + y) % 2 == 0 ? -9999f : 1f), _folder.At("a.tif"));
        ImageDataset data = Load();
        Assert.True(data.Range.Min < -9999.5 && data.Range.Max > 1.5);
        Assert.Equal((-9999f, 1f), data.StoredRange);
        Assert.Contains("go from -9999 to 1, and are not scaled",
            Assert.Single(data.Notes, note => note.Contains("not scaled", StringComparison.Ordinal)));
        TestImages.Save(TestImages.Make(1, 4, 4, (_, y, x) => x == 1 && y == 1 ? float.NaN : 0.5f), _folder.At("b.tif"));
        Assert.StartsWith("holds 1 value that is not a finite number", Assert.Single(Load().Skipped).Reason);
    }

    [Theory]
    [InlineData(-0.04f, 1.03f, "save them as 16-bit integers, which do not go beyond when they are resized")]
    [InlineData(-1f, 1f, "add 1 and divide by 2")]
    [InlineData(0f, 255f, "divide them by 255, or save them as 8-bit integers")]
    [InlineData(0f, 4095f, "divide them by 65535, or save them as 16-bit integers")]
    [InlineData(1f, 69999f, "divide them by 69999")]
    [InlineData(0f, 1e6f, "divide them by 1000000")]
    [InlineData(-5f, 15f, "add 5 and divide by 20")]
    public void ToUnit_Ranges_SaysWhatToDo(float least, float most, string expected) =>
        Assert.Equal(expected, DataNotes.ToUnit(least, most));

    [Fact]
    public void Load_CentreSquareOfLongImages_SaysHowMuchIsCutOff()
    {
        for (int i = 0; i < 3; i++) TestImages.Save(TestImages.Rgb(160 + 40 * i, 8), _folder.At($"{i}.png"));
        string note = Assert.Single(Load().Notes);
        Assert.StartsWith(
            "Only the centre square of each image is kept (data.fit=crop): of the median image 96 % are cut off.", note);
        Assert.Contains("--set data.fit=stretch keeps all of it", note);
        Assert.DoesNotContain(Load(new DataOptions { Fit = Fit.Stretch }).Notes,
            other => other.Contains("cut off", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_CentreSquareOfAnArray_SaysHowMuchIsCutOff()
    {
        var info = new ImageInfo(28, 20, 1, 8);
        var source = new ArraySource("x.npy", 2, info,
            i => TestImages.Make(1, 28, 20, (_, y, x) => (byte)(i + y * 8 + x)), new DataOptions());
        Assert.Contains("of the median image 28 % are cut off",
            Assert.Single(ImageDataset.Load(source, new DataOptions()).Notes));
    }

    [Fact]
    public void Load_FullyTransparent_SaysThatNothingIsVisible()
    {
        for (int i = 0; i < 2; i++)
            TestImages.Save(TestImages.Make(4, 8, 8, (c, y, x) => (byte)(c == 3 ? 0 : 90 * i + y * 8 + x)),
                _folder.At($"{i}.png"));
        ImageDataset data = Load();
        Assert.StartsWith("2 of 2 images are fully transparent (such as '", data.Notes[0]);
        Assert.Contains("no pixel is visible, whatever data.alpha is", data.Notes[0]);
        Assert.DoesNotContain(data.Notes, note => note.Contains("another data.alpha", StringComparison.Ordinal)
            || note.Contains("blank", StringComparison.Ordinal));
        Assert.Equal(2, data.BlankCount);
    }

    [Fact]
    public void Load_ChannelsThatCannotBeMade_SaysWhatToSet()
    {
        TestImages.Save(TestImages.Rgb(8, 8), _folder.At("a.png"));
        Assert.Contains("Leave data.channels out or set it to 1 or 3, unless an encoder needs 2.",
            Assert.Throws<DataSourceException>(() => Load(new DataOptions { Channels = 2 })).Message);
    }
}

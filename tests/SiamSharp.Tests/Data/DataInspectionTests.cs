using SiamSharp.Data;
using Xunit;

namespace SiamSharp.Tests.Data;

public class DataInspectionTests
{
    [Fact]
    public void Inspect_Folder_SumsUpWhatIsThere()
    {
        using var folder = new TempFolder();
        TestImages.Save(TestImages.Rgb(40, 30), folder.At("a/1.png"));
        TestImages.Save(TestImages.Rgb(60, 20), folder.At("a/2.png"));
        TestImages.Save(TestImages.Rgb(40, 30), folder.At("b/copy of 1.tif"));
        TestImages.Save(TestImages.Make(3, 50, 90, (c, y, x) => (ushort)(c * 9000 + y * 300 + x)), folder.At("b/3.png"));
        folder.Write("b/bad.jpg", "");
        folder.Write("top.png", "text");
        var seen = DataInspection.Inspect(ImageSources.Open(folder.Root, new DataOptions()), new DataOptions { Size = 16 });
        Assert.Equal((6, 4, 3, 16), (seen.Count, seen.Readable, seen.Channels, seen.DecodedSize));
        Assert.Equal((new Spread(40, 40, 60), new Spread(20, 30, 90)), (seen.Width, seen.Height));
        Assert.Equal([KeyValuePair.Create(8, 3), KeyValuePair.Create(16, 1)], seen.BitDepths);
        Assert.Equal([KeyValuePair.Create("a", 2), KeyValuePair.Create("b", 2)], seen.Classes);
        Assert.Equal(0, seen.Unlabelled);
        Assert.Equal(["1.png", "copy of 1.tif"], Assert.Single(seen.Duplicates).Select(Path.GetFileName));
        Assert.Equal(["is empty (0 bytes)",
            "is not an image in a known format: it starts with 'text'. Download it again, or convert it to PNG or TIFF"],
            seen.Unreadable.Select(u => u.Reason));
        Assert.Contains("1 of 6 images has no label", seen.Notes[0]);
        Assert.Contains("Depths differ: 3 of 8 bits (such as '", seen.Notes[1]);
        Assert.Contains("1 of 4 images is equal to another one", seen.Notes[2]);
        Assert.Equal(3, seen.Mean.Count);
        Assert.InRange(seen.Max, seen.Mean.Max(), 1);
        Assert.InRange(seen.Min, 0, seen.Mean.Min());
    }

    [Fact]
    public void Inspect_FashionMnist_CountsAThousandOfEachClass()
    {
        var seen = DataInspection.Inspect(ImageSources.Open("fashion-mnist:sample", new DataOptions()), new DataOptions());
        Assert.All(seen.Classes, c => Assert.Equal(1_000, c.Value));
        Assert.Equal((28, 28), (seen.Width.Median, seen.DecodedSize));
        Assert.Equal(0.286, seen.Mean[0], 0.002);
    }

    [Fact]
    public void Inspect_MixedGreyAndRgb_IsRgb()
    {
        using var folder = new TempFolder();
        TestImages.Save(TestImages.Rgb(8, 8), folder.At("1.png"));
        TestImages.Save(TestImages.Make(1, 8, 8, (_, y, x) => (byte)(y * 8 + x)), folder.At("2.png"));
        var seen = DataInspection.Inspect(ImageSources.Open(folder.Root, new DataOptions()), new DataOptions());
        Assert.Equal(3, seen.Channels);
        Assert.Contains(seen.Notes, note => note.StartsWith("1 of 2 images is grey and becomes RGB", StringComparison.Ordinal));
    }
}

using SiamSharp.Data;
using Xunit;

namespace SiamSharp.Tests.Data;

public class FashionMnistTests
{
    [Fact]
    public void Open_Sample_HoldsTheTenThousandTestImages()
    {
        var source = ImageSources.Open("fashion-mnist:sample", new DataOptions());
        Assert.Equal((10_000, 28), (source.Count, source.NativeSize));
        Assert.Equal("Ankle boot", source.ClassNames![source.LabelOf(0)]); // the first test image, by the data set's own labels
        Assert.Equal("Pullover", source.ClassNames[source.LabelOf(1)]);
        Assert.All(Enumerable.Range(0, 10_000).CountBy(source.LabelOf), c => Assert.Equal(1_000, c.Value));
        Assert.Equal("fashion-mnist:sample#7", source.PathOf(7));
    }

    [Fact]
    public void Load_Sample_HasThePublishedMoments()
    {
        var set = ImageDataset.Load(ImageSources.Open("fashion-mnist:sample", new DataOptions()), new DataOptions());
        Assert.Equal((10_000, 1, 28, 8), (set.Count, set.Channels, set.Size, set.BitDepth));
        Assert.True(set.InMemory);
        // The 60,000 training images have mean 0.2860 and standard deviation 0.3530.
        Assert.Equal(0.286, set.Mean[0], 0.002);
        Assert.Equal(0.353, set.Std[0], 0.002);
        Assert.Empty(set.Skipped);
    }

    [Fact]
    public void Open_TrainWhereInstalled_HoldsSixtyThousand()
    {
        Assert.SkipUnless(Directory.Exists("/usr/share/datasets/fashion-mnist"),
            "Debian's package dataset-fashion-mnist is not installed.");
        var source = ImageSources.Open("fashion-mnist", new DataOptions());
        Assert.Equal((60_000, "Ankle boot"), (source.Count, source.ClassNames![source.LabelOf(0)]));
    }

    [Fact]
    public void Open_UnknownPart_NamesTheParts() =>
        Assert.Contains("train, test and sample",
            Assert.Throws<DataSourceException>(() => ImageSources.Open("fashion-mnist:valid", new DataOptions())).Message);
}

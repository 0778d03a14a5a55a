using SiamSharp.Masking;
using SiamSharp.Recipes;
using SiamSharp.Views;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Views;

public sealed class ViewMakerTests
{
    private const int Count = 6, Size = 28;

    private static Preprocessing Plain(int channels, double sigma = 0) => new(
        new HighPassOptions { Sigma = sigma, Kernel = 13 }, new double[channels], Enumerable.Repeat(1.0, channels).ToArray());

    /// <summary>Everything switched on, two sizes, every shape and every fill but the other image.</summary>
    private static readonly ViewsOptions s_everything = new()
    {
        Branches =
        [
            new()
            {
                Count = 2,
                Crop = new() { Probability = 0.8 },
                FlipProbability = 0.5,
                ColorJitter = new() { Probability = 0.8, Brightness = 0.4, Contrast = 0.4, Saturation = 0.4, Hue = 0.1 },
                GrayscaleProbability = 0.2,
                Blur = new() { Probability = 0.5 },
                Solarize = new() { Probability = 0.5 },
                Masks =
                [
                    new GridMask { Probability = 0.5, Fill = new() { Kind = FillKind.Noise } },
                    new FocalMask { Probability = 0.3 },
                ],
            },
            new()
            {
                Size = 16,
                Crop = new() { Probability = 1, MinArea = 0.05, MaxArea = 0.3 },
                Masks =
                [
                    new BlobMask { Probability = 0.5, Fill = new() { Kind = FillKind.Blur } },
                    new BlockMask { Probability = 0.5, Fill = new() { Kind = FillKind.Mean }, Sharing = MaskSharing.PerChannel },
                ],
            },
        ],
    };

    [Fact]
    public void MakeViews_CropOfTheViewsOwnSize_IsAPartOfTheImageAlsoAtItsCorner()
    {
        using var scope = NewDisposeScope();
        const int side = 8, view = 6; // nine windows, one of them at the corner where the whole image would start
        double area = (double)(view * view) / (side * side);
        var options = new ViewsOptions
        {
            Branches = [new()
            {
                Size = view,
                Crop = new() { Probability = 1, MinArea = area, MaxArea = area, MinAspect = 1, MaxAspect = 1 }
            }],
        };
        Tensor images = Images.Batch(200, 1, side);
        Tensor views = new ViewMaker(options, Plain(1), side, seed: 3).MakeViews(images, Images.Ids(200), 0)[0];
        var met = new HashSet<(int, int)>();
        for (int n = 0; n < 200; n++)
        {
            var windows = from y in Enumerable.Range(0, side - view + 1)
                          from x in Enumerable.Range(0, side - view + 1)
                          where images[n, 0, y..(y + view), x..(x + view)].allclose(views[n, 0], 0, 1e-6)
                          select (y, x);
            met.Add(Assert.Single(windows));
        }
        Assert.Contains((0, 0), met);
    }

    public static TheoryData<string> Presets => [.. ViewPresets.Names];

    private static ViewsOptions Options(string name) => name == "everything" ? s_everything : ViewPresets.Make(name, Size);

    [Theory]
    [MemberData(nameof(Presets))]
    [InlineData("everything")]
    public void MakeViews_OtherOrderAndComposition_SameBits(string name)
    {
        using var scope = NewDisposeScope();
        Tensor images = Images.Batch(Count, 3, Size);
        ViewMaker maker = new(Options(name), Plain(3, 2), Size, seed: 3);
        Tensor[] together = maker.MakeViews(images, Images.Ids(Count), 1);
        Tensor[] repeated = maker.MakeViews(images, Images.Ids(Count), 1);
        for (int n = 0; n < Count; n++)
        {
            Tensor[] alone = maker.MakeViews(images[n].unsqueeze(0), [n], 1);
            for (int v = 0; v < together.Length; v++)
            {
                Assert.True(equal(together[v][n], alone[v][0]));
                Assert.True(equal(together[v], repeated[v]));
            }
        }
        Tensor[] reversed = maker.MakeViews(images.flip(0), [.. Images.Ids(Count).Reverse()], 1);
        for (int v = 0; v < together.Length; v++) Assert.True(equal(together[v], reversed[v].flip(0)));
    }

    private static bool equal(Tensor a, Tensor b) => a.shape.SequenceEqual(b.shape) && a.eq(b).all().item<bool>();

    [Theory]
    [InlineData("mscn")]
    [InlineData("paper")]
    public void MakeViews_OtherViewEpochSampleOrSeed_Differs(string preset)
    {
        using var scope = NewDisposeScope();
        Tensor images = Images.Batch(1, 3, Size);
        var options = ViewPresets.Make(preset, Size);
        ViewMaker maker = new(options, Plain(3), Size, 3), otherSeed = new(options, Plain(3), Size, 4);
        Tensor[] views = maker.MakeViews(images, [0], 0);
        Assert.False(equal(views[0], views[1]));
        Assert.False(equal(views[0], maker.MakeViews(images, [0], 1)[0]));
        Assert.False(equal(views[0], maker.MakeViews(images, [1], 0)[0]));
        Assert.False(equal(views[0], otherSeed.MakeViews(images, [0], 0)[0]));
    }

    [Fact]
    public void MakeViews_SeveralBranches_CountsAndSizes()
    {
        using var scope = NewDisposeScope();
        Tensor[] views = new ViewMaker(s_everything, Plain(3), Size, 0).MakeViews(Images.Batch(2, 3, Size), [0, 1], 0);
        Assert.Equal([Size, Size, 16], views.Select(view => (int)view.shape[3]));
    }

    [Fact]
    public void MakeViews_NoMaskAndNoChange_IsThePreprocessedImage()
    {
        using var scope = NewDisposeScope();
        Tensor images = Images.Batch(2, 1, Size), before = images.clone();
        var options = new ViewsOptions { Branches = [new() { Count = 2 }] };
        Preprocessing preprocessing = Plain(1, 2);
        Tensor[] views = new ViewMaker(options, preprocessing, Size, 0).MakeViews(images, [0, 1], 0);
        Assert.True(equal(views[0], preprocessing.Apply(images)));
        Assert.True(equal(views[0], views[1]));
        views[0].zero_();
        Assert.False(equal(views[0], views[1]));
        Assert.True(equal(images, before));
    }

    [Fact]
    public void MakeViews_MaskProbabilities_AreTheShares()
    {
        using var scope = NewDisposeScope();
        const int samples = 3000;
        // The half kept by the focal window and the removed quarter of the grid tell the masks apart.
        var options = new ViewsOptions
        {
            Branches =
            [
                new()
                {
                    Count = 2,
                    Masks =
                    [
                        new GridMask { Probability = 0.2, Cell = 2, MinRatio = 0.25, MaxRatio = 0.25 },
                        new FocalMask { Probability = 0.5, MinKeep = 0.25, MaxKeep = 0.25 },
                    ],
                },
            ],
        };
        Tensor[] views = new ViewMaker(options, Plain(1), 8, 0).MakeViews(ones(samples, 1, 8, 8), Images.Ids(samples), 0);
        Tensor visible = views[0].mean([1L, 2, 3]);
        Assert.Equal(0.2, visible.eq(0.75).to(ScalarType.Float32).mean().item<float>(), 0.03);
        Assert.Equal(0.5, visible.eq(0.25).to(ScalarType.Float32).mean().item<float>(), 0.03);
        Assert.Equal(0.3, visible.eq(1).to(ScalarType.Float32).mean().item<float>(), 0.03);
    }

    [Fact]
    public void MakeViews_ManySteps_NoTensorIsLeft()
    {
        Tensor images = Images.Batch(Count, 3, Size);
        ViewMaker maker = new(s_everything, Plain(3, 2), Size, 0);
        long[] live = new long[4];
        for (int step = 0; step < live.Length; step++)
        {
            foreach (Tensor view in maker.MakeViews(images, Images.Ids(Count), step)) view.Dispose();
            live[step] = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        }
        Assert.All(live[1..], count => Assert.Equal(live[0], count));
        images.Dispose();
    }

    [Fact]
    public void MakeViews_OtherImage_TakesTheNextSampleAndRepeats()
    {
        using var scope = NewDisposeScope();
        Tensor images = arange(3, dtype: ScalarType.Float32).reshape(3, 1, 1, 1).expand(3, 1, 8, 8);
        Mask mask = new GridMask { Fill = new() { Kind = FillKind.OtherImage } };
        var options = new ViewsOptions { Branches = [new() { Count = 2, Masks = [mask] }] };
        ViewMaker maker = new(options, Plain(1), 8, 0);
        Tensor view = maker.MakeViews(images, [0, 1, 2], 0)[0];
        for (int n = 0; n < 3; n++)
            Assert.Equal(new float[] { n, (n + 1) % 3 }.Order(), view[n].data<float>().ToArray().Distinct().Order());
        Assert.True(equal(view, maker.MakeViews(images, [0, 1, 2], 0)[0]));
    }

    [Fact]
    public void MakeViews_WrongImages_Throws()
    {
        using var scope = NewDisposeScope();
        ViewMaker maker = new(ViewPresets.Make("mscn", Size), Plain(1), Size, 0);
        Assert.Throws<ArgumentException>(() => maker.MakeViews(Images.Batch(2, 3, Size), [0, 1], 0));
        Assert.Throws<ArgumentException>(() => maker.MakeViews(Images.Batch(2, 1, 20), [0, 1], 0));
        Assert.Throws<ArgumentException>(() => maker.MakeViews(Images.Batch(2, 1, Size).to(ScalarType.Float64), [0, 1], 0));
        Assert.Throws<ArgumentException>(() => maker.MakeViews(Images.Batch(2, 1, Size), [0], 0));
    }

    [Fact]
    public void Constructor_NoBranches_Throws() =>
        Assert.Throws<SiamSharp.Options.OptionsException>(() => new ViewMaker(new ViewsOptions(), Plain(1), Size, 0));

    [Fact]
    public void Constructor_ColoursOfGreyImagesOrTinyViews_ThrowsWithEveryFault()
    {
        var error = Assert.Throws<SiamSharp.Options.OptionsException>(() => new ViewMaker(
            new ViewsOptions { Branches = [new() { GrayscaleProbability = 1 }, new() { Size = 6 }] }, Plain(1, 2), Size, 0));
        Assert.Contains("3 channels", error.Message, StringComparison.Ordinal);
        Assert.Contains("at most 11", error.Message, StringComparison.Ordinal);
    }
}

using CsCheck;
using SiamSharp.Masking;
using SiamSharp.Randomness;
using Xunit;

namespace SiamSharp.Tests.Masking;

public sealed class MaskShapeTests
{
    private static readonly Gen<(int Height, int Width, double Ratio, uint Sample)> s_cases =
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 40], Gen.Double[0, 1], Gen.UInt);

    private static bool[] Draw(Mask mask, int height, int width, long sample, int planes = 1)
    {
        var keepMask = new bool[planes * height * width];
        var random = new RandomStream(1, RandomPurpose.Mask, 0, sample);
        mask.Draw(keepMask, height, width, ref random);
        return keepMask;
    }

    [Fact]
    public void Grid_AnySizeCellAndRatio_RemovesExactlyTheShareOfCells() =>
        Gen.Select(s_cases, Gen.Int[1, 12]).Sample((test, cell) =>
        {
            var (height, width, ratio, sample) = test;
            bool[] keepMask = Draw(new GridMask { Cell = cell, MinRatio = ratio, MaxRatio = ratio }, height, width, sample);
            int rows = (height + cell - 1) / cell, columns = (width + cell - 1) / cell, removed = 0;
            for (int row = 0; row < rows; row++)
                for (int column = 0; column < columns; column++)
                {
                    bool keep = keepMask[row * cell * width + column * cell];
                    if (!keep) removed++;
                    for (int y = row * cell; y < Math.Min(height, (row + 1) * cell); y++)
                        for (int x = column * cell; x < Math.Min(width, (column + 1) * cell); x++)
                            Assert.Equal(keep, keepMask[y * width + x]);
                }
            Assert.Equal((int)Math.Round(ratio * (rows * columns)), removed);
        });

    [Fact]
    public void Focal_AnySizeAndShare_KeepsOneRectangleOfThatArea() =>
        s_cases.Sample(test =>
        {
            var (height, width, ratio, sample) = test;
            double share = Math.Max(0.01, ratio);
            bool[] keepMask = Draw(new FocalMask { MinKeep = share, MaxKeep = share }, height, width, sample);
            int h = Math.Max(1, (int)Math.Round(Math.Sqrt(share) * height));
            int w = Math.Max(1, (int)Math.Round(Math.Sqrt(share) * width));
            int first = Array.IndexOf(keepMask, true), last = Array.LastIndexOf(keepMask, true);
            Assert.Equal(h * w, keepMask.Count(keep => keep));
            Assert.Equal((h - 1, w - 1), (last / width - first / width, last % width - first % width));
        });

    [Fact]
    public void Block_AnySizeAndRatio_RemovesExactlyTheShareOfPixels() =>
        s_cases.Sample(test =>
        {
            var (height, width, ratio, sample) = test;
            bool[] keepMask = Draw(new BlockMask { MinRatio = ratio, MaxRatio = ratio }, height, width, sample);
            Assert.Equal((int)Math.Round(ratio * (height * width)), keepMask.Count(keep => !keep));
        });

    [Fact]
    public void Blob_AnySizeAndRatio_RemovesExactlyTheShareOfPixels() =>
        s_cases.Sample(test =>
        {
            var (height, width, ratio, sample) = test;
            bool[] keepMask = Draw(new BlobMask { MinRatio = ratio, MaxRatio = ratio }, height, width, sample);
            Assert.Equal((int)Math.Round(ratio * (height * width)), keepMask.Count(keep => !keep));
        });

    [Fact]
    public void Blob_Neighbours_AgreeMoreOftenThanChance()
    {
        int agree = 0, total = 0;
        for (int sample = 0; sample < 20; sample++)
        {
            bool[] keepMask = Draw(new BlobMask { MinRatio = 0.5, MaxRatio = 0.5 }, 28, 28, sample);
            for (int i = 1; i < keepMask.Length; i++, total++)
                if (keepMask[i] == keepMask[i - 1]) agree++;
        }
        Assert.InRange((double)agree / total, 0.8, 0.98);
    }

    public static TheoryData<Mask> Shapes => [new GridMask { Cell = 4 }, new FocalMask(), new BlockMask(), new BlobMask()];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Draw_SharedOrPerChannel_OnePlaneOrDifferentPlanes(Mask mask)
    {
        Assert.Equal(1, mask.Planes(3));
        Mask perChannel = mask with { Sharing = MaskSharing.PerChannel };
        Assert.Equal(3, perChannel.Planes(3));
        bool[] keepMask = Draw(perChannel, 28, 28, 5, planes: 3);
        Assert.NotEqual(keepMask[..784], keepMask[784..1568]);
        Assert.NotEqual(keepMask[784..1568], keepMask[1568..]);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Draw_SameStream_SameMask(Mask mask)
    {
        Assert.Equal(Draw(mask, 28, 28, 9), Draw(mask, 28, 28, 9));
        Assert.NotEqual(Draw(mask, 28, 28, 9), Draw(mask, 28, 28, 10));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Draw_ManySamples_RatiosAreUniformBetweenTheLimits(Mask mask)
    {
        const int samples = 2000;
        double[] ratios = [.. Enumerable.Range(0, samples).Select(s => Draw(mask, 28, 28, s).Count(keep => !keep) / 784.0)];
        Assert.InRange(ratios.Min(), 0.27, 0.33);
        Assert.InRange(ratios.Max(), 0.67, 0.73);
        Assert.InRange(ratios.Average(), 0.49, 0.51);
        // The variance of a uniform distribution of width 0.4.
        double mean = ratios.Average(), variance = ratios.Average(ratio => (ratio - mean) * (ratio - mean));
        Assert.InRange(variance, 0.012, 0.015);
    }

    [Fact]
    public void Grid_ManySamples_EveryCellIsRemovedEquallyOften()
    {
        var removed = new int[49];
        for (int sample = 0; sample < 4000; sample++)
        {
            bool[] keepMask = Draw(new GridMask { Cell = 4, MinRatio = 0.5, MaxRatio = 0.5 }, 28, 28, sample);
            for (int cell = 0; cell < 49; cell++)
                if (!keepMask[cell / 7 * 4 * 28 + cell % 7 * 4]) removed[cell]++;
        }
        // 24 of 49 cells; five standard deviations are 0.04.
        Assert.All(removed, count => Assert.InRange(count / 4000.0, 24.0 / 49 - 0.04, 24.0 / 49 + 0.04));
    }

    [Fact]
    public void NthSmallest_AnyValues_EqualsSorting() =>
        Gen.Select(Gen.Int[0, 9].Array[1, 50], Gen.UInt).Sample((values, draw) =>
        {
            float[] floats = Array.ConvertAll(values, value => (float)value), sorted = [.. floats.Order()];
            int n = (int)(draw % (uint)floats.Length);
            Assert.Equal(sorted[n], Selection.NthSmallest(floats, n));
        });
}

using SiamSharp.Filters;
using SiamSharp.Randomness;
using SiamSharp.Views;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Views;

public sealed class ResamplingTests
{
    public static TheoryData<int, int, int, int, int, int> Windows => new()
    {
        { 28, 0, 0, 28, 28, 28 },
        { 28, 3, 5, 17, 11, 28 },
        { 64, 1, 2, 60, 50, 20 },
        { 40, 7, 0, 33, 40, 13 },
        { 16, 15, 15, 1, 1, 8 },
        { 9, 2, 3, 2, 5, 31 },
    };

    [Theory]
    [MemberData(nameof(Windows))]
    public void Resize_AnyWindow_EqualsNaiveLoops(int side, int top, int left, int h, int w, int size)
    {
        float[] image = Images.Uniform(2 * side * side), result = new float[2 * size * size];
        Resampling.Resize(image, 2, side, side, new CropWindow(top, left, h, w), result, size);
        for (int c = 0; c < 2; c++)
        {
            double[] plane = [.. image.Skip(c * side * side).Take(side * side).Select(x => (double)x)];
            double[] expected = NaiveFilters.Resize(plane, side, top, left, h, w, size);
            for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], result[c * size * size + i], 2e-6);
        }
    }

    [Theory]
    [MemberData(nameof(Windows))]
    public void Resize_AnyWindow_EqualsAten(int side, int top, int left, int h, int w, int size)
    {
        using var scope = NewDisposeScope();
        float[] image = Images.Uniform(side * side), result = new float[size * size];
        Resampling.Resize(image, 1, side, side, new CropWindow(top, left, h, w), result, size);
        using var script = jit.compile("""
            def resize(x, size: int):
                return torch._upsample_bilinear2d_aa(x, [size, size], False, None, None)

            """);
        Tensor window = tensor(image).reshape(1, 1, side, side)[.., .., top..(top + h), left..(left + w)].contiguous();
        var expected = (Tensor)script.invoke("resize", window, size)!;
        Assert.True((expected.flatten() - tensor(result)).abs().max().item<float>() < 2e-6);
    }

    [Fact]
    public void Flip_TwoChannels_MirrorsEachRow()
    {
        float[] image = [1, 2, 3, 4, 5, 6, 7, 8];
        Resampling.Flip(image, 2);
        Assert.Equal([2, 1, 4, 3, 6, 5, 8, 7], image);
    }

    [Fact]
    public void CropWindow_ManyDraws_AreWithinAreaAspectAndImage()
    {
        var options = new CropOptions { Probability = 1, MinArea = 0.2, MaxArea = 0.8 };
        var areas = new List<double>();
        for (int sample = 0; sample < 5000; sample++)
        {
            var random = new RandomStream(1, RandomPurpose.View, 0, sample);
            CropWindow window = RandomCrop.Draw(options, 200, 200, ref random);
            Assert.InRange(window.Top, 0, 200 - window.Height);
            Assert.InRange(window.Left, 0, 200 - window.Width);
            Assert.InRange((double)window.Width / window.Height, 0.74, 1.35);
            areas.Add(window.Height * window.Width / 40_000.0);
        }
        Assert.InRange(areas.Min(), 0.19, 0.21);
        Assert.InRange(areas.Max(), 0.78, 0.81);
        Assert.InRange(areas.Average(), 0.48, 0.51);
    }

    [Theory]
    [InlineData(10, 100, 10, 13)]
    [InlineData(100, 10, 13, 10)]
    public void CropWindow_NothingFits_IsTheLargestInTheCentre(int height, int width, int expectedHeight, int expectedWidth)
    {
        var random = new RandomStream(1, RandomPurpose.View);
        CropWindow window = RandomCrop.Draw(new CropOptions { MinArea = 0.9 }, height, width, ref random);
        int top = (height - expectedHeight) / 2, left = (width - expectedWidth) / 2;
        Assert.Equal(new CropWindow(top, left, expectedHeight, expectedWidth), window);
    }
}

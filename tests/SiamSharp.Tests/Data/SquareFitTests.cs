using CsCheck;
using SiamSharp.Data;
using Xunit;

namespace SiamSharp.Tests.Data;

public class SquareFitTests
{
    [Fact]
    public void Apply_AnySize_IsSquareAndKeepsAConstantImage() =>
        Gen.Select(Gen.Int[1, 120], Gen.Int[1, 120], Gen.Int[1, 96], Gen.Enum<Fit>()).Sample((w, h, size, fit) =>
        {
            using var image = VipsPixels.ToImage(TestImages.Make(2, w, h, (c, _, _) => (ushort)(1000 + 40000 * c)));
            using var square = SquareFit.Apply(image, size, fit);
            var pixels = VipsPixels.FromImage(square);
            Assert.Equal((2, size, size), (pixels.Channels, pixels.Height, pixels.Width));
            Assert.All(((ushort[])pixels.Values)[..(size * size)], v => Assert.InRange(v, 999, 1001));
            Assert.All(((ushort[])pixels.Values)[(size * size)..], v => Assert.InRange(v, 40999, 41001));
        }, iter: 200);

    [Fact]
    public void Apply_Shrinking_AveragesInsteadOfPicking()
    {
        using var stripes = VipsPixels.ToImage(TestImages.Make(1, 128, 128, (_, _, x) => (byte)(x % 2 * 200)));
        using var square = SquareFit.Apply(stripes, 16, Fit.Crop);
        Assert.All((byte[])VipsPixels.FromImage(square).Values, v => Assert.InRange(v, 90, 110));
    }
}

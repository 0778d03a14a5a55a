using SiamSharp.Data;
using Xunit;

namespace SiamSharp.Tests.Data;

public sealed class ImageAlphaTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static double Background(AlphaBackground kind, double[] values, double[] alpha) => kind switch
    {
        AlphaBackground.Black => 0,
        AlphaBackground.White => 1,
        _ => alpha.Sum() == 0 ? 0 : values.Zip(alpha, (v, a) => v * a).Sum() / alpha.Sum(),
    };

    [Theory]
    [InlineData(2, AlphaBackground.Mean)]
    [InlineData(2, AlphaBackground.White)]
    [InlineData(4, AlphaBackground.Mean)]
    [InlineData(4, AlphaBackground.Black)]
    [InlineData(4, AlphaBackground.White)]
    public void Decode_Alpha_EqualsTheNaiveComposite(int bands, AlphaBackground kind)
    {
        var eight = TestImages.Make(bands, 8, 8, (c, y, x) => (byte)(c == bands - 1 ? x * 255 / 7 : (c * 50 + y * 20 + x) % 256));
        var sixteen = TestImages.Make(bands, 8, 8,
            (c, y, x) => (ushort)(c == bands - 1 ? y * 65535 / 7 : c * 9000 + y * 4000 + x * 31));
        foreach (var image in new[] { eight, sixteen })
        {
            string path = TestImages.Save(image, _folder.At("a.png"));
            var decoded = ImageFile.Decode(path, 8, new DataOptions { Alpha = kind });
            Assert.Equal((bands - 1, image.BitDepth), (decoded.Channels, decoded.BitDepth));
            float[] stored = new float[bands * 64], flat = new float[(bands - 1) * 64];
            image.CopyTo(stored);
            decoded.CopyTo(flat);
            double[] alpha = [.. stored[^64..].Select(a => (double)a)];
            for (int c = 0; c < bands - 1; c++)
            {
                double[] values = [.. stored[(64 * c)..(64 * c + 64)].Select(v => (double)v)];
                double behind = Background(kind, values, alpha);
                for (int i = 0; i < 64; i++)
                    Assert.Equal(values[i] * alpha[i] + behind * (1 - alpha[i]), flat[64 * c + i],
                        image.BitDepth == 8 ? 0.51 / 255 : 0.51 / 65535);
            }
        }
    }

    [Fact]
    public void Decode_AllTransparent_IsBlackByDefault()
    {
        var image = TestImages.Make(4, 8, 8, (c, _, _) => (byte)(c == 3 ? 0 : 77));
        Assert.All((byte[])ImageFile.Decode(TestImages.Save(image, _folder.At("t.png")), 8, new DataOptions()).Values,
            v => Assert.Equal(0, v));
    }

    [Fact]
    public void Decode_TransparentColours_DoNotBleedIntoTheScaledImage()
    {
        // Red where opaque, green where transparent: a mean of red alone must show everywhere.
        var image = TestImages.Make(4, 64, 64,
            (c, _, x) =>
            (byte)((c, x < 30) switch { (3, var opaque) => opaque ? 255 : 0, (0, true) => 200, (1, false) => 255, _ => 0 }));
        var decoded = (byte[])ImageFile.Decode(TestImages.Save(image, _folder.At("b.png")), 8, new DataOptions()).Values;
        Assert.All(decoded[..64], v => Assert.Equal(200, v));
        Assert.All(decoded[64..], v => Assert.Equal(0, v));
    }

    [Theory]
    [InlineData(4, 2, 0, 4)] // RGB and an unspecified band: near infrared, say
    [InlineData(4, 2, 1, 3)]
    [InlineData(4, 2, 2, 3)] // RGBA
    [InlineData(4, 2, null, 4)]
    [InlineData(4, 1, 0, 4)]
    [InlineData(2, 1, 0, 2)] // two polarisations
    [InlineData(2, 1, 2, 1)] // grey and alpha
    [InlineData(5, 2, 0, 5)]
    [InlineData(13, 1, 0, 13)]
    public void Decode_TiffBandsBeyondTheColours_AreAlphaOnlyWhereTheFileSaysSo(int bands, int photometric, int? extra,
        int expected)
    {
        foreach (var image in new[]
        {
            TestImages.Make(bands, 8, 8, (c, y, x) => (byte)(c * 15 + y * 3 + x + 1)),
            TestImages.Make(bands, 8, 8, (c, y, x) => (ushort)(c * 4000 + y * 3 + x + 1)),
        })
        {
            string path = _folder.Write("t.tif", TestImages.Tiff(image, photometric, extra));
            var decoded = ImageFile.Decode(path, 8, new DataOptions());
            Assert.Equal(expected, decoded.Channels);
            Assert.Equal(expected, ImageFile.Info(path, new DataOptions()).Channels);
            if (expected == bands) Assert.Equal(image.Values.Cast<object>(), decoded.Values.Cast<object>());
        }
    }

    [Fact]
    public void Decode_FourChannelsAsked_KeepsTheFourthBandOfAnRgbaFile()
    {
        var image = TestImages.Make(4, 8, 8, (c, y, x) => (byte)(c * 50 + y * 3 + x));
        var decoded = ImageFile.Decode(TestImages.Save(image, _folder.At("n.png")), 8, new DataOptions { Channels = 4 });
        Assert.Equal((byte[])image.Values, (byte[])decoded.Values);
    }
}

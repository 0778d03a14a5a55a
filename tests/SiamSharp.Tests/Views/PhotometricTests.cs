using SiamSharp.Randomness;
using SiamSharp.Views;
using Xunit;

namespace SiamSharp.Tests.Views;

/// <summary>Each change against a loop over single pixels that follows torchvision's formulas.</summary>
public sealed class PhotometricTests
{
    private const int Area = 64;

    private static double Clamp(double x) => Math.Clamp(x, 0, 1);

    private static double Grey(float[] image, int i) => 0.2989 * image[i] + 0.587 * image[Area + i] + 0.114 * image[2 * Area + i];

    private static void Check(int channels, Func<float[], int, double> expected, Action<float[]> change)
    {
        float[] before = Images.Uniform(channels * Area), after = [.. before];
        change(after);
        for (int i = 0; i < before.Length; i++) Assert.Equal(expected(before, i), after[i], 2e-6);
    }

    [Theory]
    [InlineData(0.3f)]
    [InlineData(1.7f)]
    public void Brightness_AnyFactor_ScalesAndLimits(float factor) =>
        Check(2, (image, i) => Clamp(factor * image[i]), image => Photometric.Brightness(image, factor));

    [Theory]
    [InlineData(0.3f)]
    [InlineData(1.7f)]
    public void Contrast_Rgb_BlendsWithTheMeanGrey(float factor) =>
        Check(3, (image, i) => Clamp(factor * image[i] + (1 - factor) * Enumerable.Range(0, Area).Average(j => Grey(image, j))),
            image => Photometric.Contrast(image, 3, factor));

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void Contrast_OtherChannels_BlendsWithTheMean(int channels) =>
        Check(channels, (image, i) => Clamp(1.5 * image[i] - 0.5 * image.Average(x => (double)x)),
            image => Photometric.Contrast(image, channels, 1.5f));

    [Theory]
    [InlineData(0f)]
    [InlineData(1.6f)]
    public void Saturation_AnyFactor_BlendsWithEachPixelsGrey(float factor) =>
        Check(3, (image, i) => Clamp(factor * image[i] + (1 - factor) * Grey(image, i % Area)),
            image => Photometric.Saturation(image, factor));

    [Fact]
    public void Grayscale_Rgb_IsTheLuma() => Check(3, (image, i) => Grey(image, i % Area), image => Photometric.Grayscale(image));

    [Fact]
    public void Solarize_Threshold_InvertsAtAndAbove() =>
        Check(1, (image, i) => image[i] >= 0.4f ? 1 - image[i] : image[i], image => Photometric.Solarize(image, 0.4f));

    [Theory]
    [InlineData(0.4)]
    [InlineData(1.5)]
    public void Blur_AnySigma_EqualsNaiveLoops(double sigma)
    {
        float[] before = Images.Uniform(2 * Area), after = [.. before];
        Photometric.Blur(after, 2, 8, sigma);
        int kernel = 2 * (int)Math.Ceiling(3 * sigma) + 1;
        double[] expected = NaiveFilters.Blur([.. before.Take(Area).Select(x => (double)x)], 8, 8, sigma, kernel);
        for (int i = 0; i < Area; i++) Assert.Equal(expected[i], after[i], 2e-6);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(0.13f)]
    [InlineData(-0.5f)]
    [InlineData(0.5f)]
    public void Hue_AnyShift_EqualsConversionThroughHsv(float shift)
    {
        float[] before = Images.Uniform(3 * Area), after = [.. before];
        Hue.Shift(after, shift);
        for (int i = 0; i < Area; i++)
        {
            var (r, g, b) = NaiveHueShift(before[i], before[Area + i], before[2 * Area + i], shift);
            Assert.Equal(r, after[i], 1e-5);
            Assert.Equal(g, after[Area + i], 1e-5);
            Assert.Equal(b, after[2 * Area + i], 1e-5);
        }
    }

    [Fact]
    public void Hue_ThirdOfATurn_RedBecomesGreenAndGreyStays()
    {
        float[] image = [1, 0.4f, 0, 0.4f, 0, 0.4f];
        Hue.Shift(image, 1f / 3);
        Assert.Equal([0, 0.4f, 1, 0.4f, 0, 0.4f], Array.ConvertAll(image, x => MathF.Round(x, 5)));
    }

    /// <summary>torchvision's _rgb2hsv and _hsv2rgb, by sectors.</summary>
    private static (double, double, double) NaiveHueShift(double r, double g, double b, double shift)
    {
        double max = Math.Max(r, Math.Max(g, b)), min = Math.Min(r, Math.Min(g, b)), s = (max - min) / max, range = max - min;
        double rc = (max - r) / range, gc = (max - g) / range, bc = (max - b) / range;
        double h = max == r ? bc - gc : max == g ? 2 + rc - bc : 4 + gc - rc;
        h = (h / 6 + 1 + shift) % 1;
        int sector = (int)Math.Floor(h * 6);
        double f = h * 6 - sector, p = Clamp(max * (1 - s)), q = Clamp(max * (1 - s * f)), t = Clamp(max * (1 - s * (1 - f)));
        return (sector % 6) switch
        {
            0 => (max, t, p),
            1 => (q, max, p),
            2 => (p, max, t),
            3 => (p, q, max),
            4 => (t, p, max),
            _ => (max, p, q),
        };
    }

    [Fact]
    public void ColorJitter_ManyDraws_BrightnessFactorsAreUniform()
    {
        var factors = new List<double>();
        for (int sample = 0; sample < 4000; sample++)
        {
            float[] image = [0.5f];
            var random = new RandomStream(1, RandomPurpose.View, 0, sample);
            Photometric.ColorJitter(image, 1, new ColorJitterOptions { Brightness = 0.4 }, ref random);
            factors.Add(image[0] / 0.5);
        }
        Assert.InRange(factors.Min(), 0.6, 0.61);
        Assert.InRange(factors.Max(), 1.39, 1.4);
        Assert.InRange(factors.Average(), 0.985, 1.015);
    }

    [Fact]
    public void ColorJitter_BrightnessAndContrast_ComeInBothOrders()
    {
        var results = new HashSet<bool>();
        for (int sample = 0; sample < 50; sample++)
        {
            float[] image = [0.2f, 0.9f];
            var random = new RandomStream(1, RandomPurpose.View, 0, sample);
            Photometric.ColorJitter(image, 1, new ColorJitterOptions { Brightness = 0.9, Contrast = 0.9 }, ref random);
            var again = new RandomStream(1, RandomPurpose.View, 0, sample);
            Span<int> order = [0, 1, 2, 3];
            again.Shuffle(order);
            float brightness = (float)again.Uniform(0.1, 1.9), contrast = (float)again.Uniform(0.1, 1.9);
            float[] expected = [0.2f, 0.9f];
            bool brightnessFirst = order.IndexOf(0) < order.IndexOf(1);
            if (brightnessFirst) Photometric.Brightness(expected, brightness);
            Photometric.Contrast(expected, 1, contrast);
            if (!brightnessFirst) Photometric.Brightness(expected, brightness);
            Assert.Equal(expected, image);
            results.Add(brightnessFirst);
        }
        Assert.Equal(2, results.Count);
    }
}

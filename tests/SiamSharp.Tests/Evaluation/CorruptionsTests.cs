using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Tests.Reference;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Evaluation;

/// <summary>Corruptions of ImageNet-C, against naive loops, known moments and one another.</summary>
public sealed class CorruptionsTests
{
    private const ulong Seed = 5;

    /// <summary>Those that draw no random numbers.</summary>
    private static readonly string[] Deterministic = ["defocus-blur", "zoom-blur", "brightness", "contrast", "pixelate", "jpeg"];

    private static readonly float[] Garments = ReadGarments(200);

    public static TheoryData<string> Names => [.. Corruptions.Names];

    public static TheoryData<string> RandomNames => [.. Corruptions.Names.Except(Deterministic)];

    [Fact]
    public void Names_AreThoseOfThePaperInItsOrder() => Assert.Equal(
        ["gaussian-noise", "shot-noise", "impulse-noise", "defocus-blur", "glass-blur", "motion-blur",
            "zoom-blur", "snow", "frost", "fog", "brightness", "contrast", "elastic", "pixelate", "jpeg"], Corruptions.Names);

    [Theory]
    [MemberData(nameof(Names))]
    public void Apply_AnyShapeAndSeverity_IsFiniteAndInRange(string name)
    {
        foreach (long[] shape in (long[][])[[3, 1, 28, 28], [2, 3, 64, 64], [2, 5, 32, 32], [1, 2, 28, 45]])
            for (int severity = 1; severity <= Corruptions.Severities; severity++)
            {
                using Tensor images = Uniform(shape), before = images.clone(), result = Apply(images, name, severity);
                Assert.Equal(shape, result.shape);
                Assert.Equal(ScalarType.Float32, result.dtype);
                Assert.False(result.requires_grad);
                Assert.All(Values(result), value => Assert.InRange(value, 0, 1)); // neither is NaN
                Assert.Equal(Values(before), Values(images));
            }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Apply_BlackAndWhiteImages_AreFiniteAndInRange(string name)
    {
        using Tensor images = cat([zeros(1, 3, 28, 28), ones(1, 3, 28, 28)]), result = Apply(images, name, 5);
        Assert.All(Values(result), value => Assert.InRange(value, 0, 1));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Apply_RealImages_AreFartherAtHigherSeverities(string name)
    {
        double[] distances = [.. Enumerable.Range(1, Corruptions.Severities).Select(severity => Distance(name, severity))];
        Assert.True(distances[0] > 0.002, $"{distances[0]}");
        (int Less, int More)[] pairs = name switch
        {
            "elastic" => [(5, 4), (4, 3), (3, 2), (2, 1)],           // CIFAR-10-C's affine maps become smaller, its fields finer
            "glass-blur" => [(1, 4), (2, 4), (3, 4), (3, 5)],        // one round at 1 to 3, two at 4 and 5
            "motion-blur" => [(1, 2), (2, 3), (3, 5), (4, 5)],       // the same sigma at 3 and 4
            "frost" or "fog" => [(1, 2), (2, 3), (3, 5), (4, 5)],    // as much is added at 4 as at 3
            _ => [(1, 2), (2, 3), (3, 4), (4, 5)],
        };
        Assert.All(pairs, p => Assert.True(distances[p.More - 1] > distances[p.Less - 1], string.Join(" ", distances)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Apply_PartOfABatchInAnotherOrder_GivesTheSameBits(string name)
    {
        using Tensor images = Uniform([6, 3, 32, 32]), order = tensor(new long[] { 4, 1 }), some = images.index_select(0, order);
        using Tensor all = Corruptions.Apply(images, name, 4, [10, 11, 12, 13, 14, 15], Seed);
        using Tensor part = Corruptions.Apply(some, name, 4, [14, 11], Seed), expected = all.index_select(0, order);
        Assert.Equal(Values(expected), Values(part));
    }

    [Theory]
    [MemberData(nameof(RandomNames))]
    public void Apply_OtherSeedOrId_DrawsAnew(string name)
    {
        using Tensor images = Uniform([1, 1, 28, 28]);
        using Tensor first = Corruptions.Apply(images, name, 5, [3], 1), again = Corruptions.Apply(images, name, 5, [3], 1);
        using Tensor otherSeed = Corruptions.Apply(images, name, 5, [3], 2), otherId = Corruptions.Apply(images, name, 5, [4], 1);
        Assert.Equal(Values(first), Values(again));
        Assert.NotEqual(Values(first), Values(otherSeed));
        Assert.NotEqual(Values(first), Values(otherId));
    }

    [Fact]
    public void Apply_GaussianNoise_HasThePublishedDeviation()
    {
        using Tensor images = full(20, 1, 28, 28, 0.5f), result = Apply(images, "gaussian-noise", 1);
        var (mean, variance) = Moments(Values(result));
        Assert.Equal(0.5, mean, 0.003);
        Assert.Equal(0.04, Math.Sqrt(variance), 0.001);
    }

    [Theory]
    [InlineData(28, 0.1, 0.15)]
    [InlineData(32, 0.1, 0.15)]
    [InlineData(45, 0.1, 0.15)]
    [InlineData(46, 0.18, 0.05)]
    [InlineData(64, 0.18, 0.05)]
    [InlineData(119, 0.18, 0.05)]
    [InlineData(120, 0.38, 0.05)]
    [InlineData(224, 0.38, 0.05)]
    public void Apply_ImagesOfAnySize_TakesTheLevelsOfTheNearestPublishedSize(int side, double noise, double contrast)
    {
        using Tensor grey = full(8, 1, side, side + 3, 0.5f), noisy = Apply(grey, "gaussian-noise", 5);
        float[] values = Values(noisy);
        Assert.Equal(Clipped(noise), Math.Sqrt(Moments(values).Variance), 0.01);
        using Tensor halves = cat([zeros(1, 1, side, 20), ones(1, 1, side, 20)], 3),
            flat = Apply(halves.repeat(1, 1, 1, side / 40 + 1), "contrast", 5);
        Assert.Equal(contrast, Values(flat).Max() - Values(flat).Min(), 1e-4);

        // the deviation of normal noise around 0.5 that is cut off at 0 and 1
        static double Clipped(double deviation)
        {
            double[] noise =
                [.. Enumerable.Range(1, 9999).Select(i => Math.Clamp(deviation * Quantile(i / 10_000.0), -0.5, 0.5))];
            return Math.Sqrt(noise.Average(x => x * x));
        }

        static double Quantile(double p) // by bisection of a sum for the normal distribution's integral
        {
            double low = -5, high = 5;
            for (int i = 0; i < 40; i++)
                (low, high) = Below((low + high) / 2) < p ? ((low + high) / 2, high) : (low, (low + high) / 2);
            return low;
        }

        static double Below(double x)
        {
            double term = x, sum = x;
            for (int n = 1; n < 120; n++) sum += term *= x * x / (2 * n + 1);
            return 0.5 + sum * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
        }
    }

    [Fact]
    public void Apply_ShotNoise_CountsPhotonsOfThePoissonDistribution()
    {
        using Tensor images = full(20, 1, 28, 28, 0.4f), result = Apply(images, "shot-noise", 1);
        var (mean, variance) = Moments(Values(result));
        Assert.Equal(0.4, mean, 0.003);
        Assert.Equal(0.4 / 500, variance, 4e-5);
        Assert.All(Values(result), value => Assert.Equal(Math.Round(500 * value), 500 * value, 1e-3));
    }

    [Fact]
    public void Apply_ImpulseNoise_SetsThePublishedShareToBlackAndWhite()
    {
        using Tensor images = full(20, 1, 28, 28, 0.4f), result = Apply(images, "impulse-noise", 5);
        float[] values = Values(result);
        Assert.Equal(0.035, values.Average(value => value == 0 ? 1.0 : 0), 0.005);
        Assert.Equal(0.035, values.Average(value => value == 1 ? 1.0 : 0), 0.005);
        Assert.All(values, value => Assert.Contains(value, (float[])[0, 0.4f, 1]));
    }

    [Theory]
    [InlineData(1, 0.3)]
    [InlineData(4, 1)]
    [InlineData(5, 1.5)]
    public void Apply_DefocusBlur_AgreesWithNaiveLoops(int severity, double radius)
    {
        using Tensor images = Uniform([1, 2, 28, 34]), result = Apply(images, "defocus-blur", severity);
        float[] pixels = Values(images), actual = Values(result);
        for (int i = 0; i < actual.Length; i++)
        {
            double sum = 0;
            for (int ring = 0; ring < 30; ring++)       // rings of the same area
                for (int spoke = 0; spoke < 40; spoke++)
                {
                    double distance = radius * 28 / 32 * Math.Sqrt((ring + 0.5) / 30), angle = 2 * Math.PI * (spoke + 0.5) / 40;
                    sum += Between(pixels, i / 952 * 952, i % 34 + distance * Math.Cos(angle),
                        i % 952 / 34 + distance * Math.Sin(angle));
                }
            Assert.Equal(sum / 1200, actual[i], 0.002);
        }

        static double Between(float[] pixels, int first, double x, double y)
        {
            int left = (int)Math.Floor(x), above = (int)Math.Floor(y);
            double right = x - left, below = y - above;
            return (1 - below) * ((1 - right) * At(left, above) + right * At(left + 1, above))
                + below * ((1 - right) * At(left, above + 1) + right * At(left + 1, above + 1));

            float At(int column, int row) => pixels[first + Inside(row, 28) * 34 + Inside(column, 34)];
        }

        static int Inside(int index, int length) => index < 0 ? -index : index >= length ? 2 * length - 2 - index : index;
    }

    [Theory]
    [InlineData(28, 3, 16, 0.01f)]
    [InlineData(64, 1, 7, 0.01f)]
    [InlineData(140, 1, 12, 0.01f)]
    [InlineData(140, 2, 16, 0.01f)]
    [InlineData(140, 5, 11, 0.03f)]
    public void Apply_ZoomBlur_AgreesWithGridSample(int side, int severity, int enlargements, float step)
    {
        using var scope = NewDisposeScope();
        Tensor images = Uniform([2, 3, side, side + 12]), result = Apply(images, "zoom-blur", severity), sum = images.clone();
        for (int k = 0; k < enlargements; k++)
        {
            float shrink = 1 / (1 + step * k);
            Tensor map = tensor(new[] { shrink, 0, 0, 0, shrink, 0 }, [1, 2, 3]).expand(2, 2, 3);
            Tensor grid = nn.functional.affine_grid(map, images.shape, align_corners: true);
            sum += nn.functional.grid_sample(images, grid, align_corners: true);
        }
        Assert.True((sum / (enlargements + 1)).allclose(result, 1e-4, 1e-4));
    }

    [Fact]
    public void Apply_Brightness_AgreesWithNaiveHsv()
    {
        using Tensor images = Uniform([1, 3, 28, 28]), result = Apply(images, "brightness", 3);
        float[] pixels = Values(images), actual = Values(result);
        for (int i = 0; i < 784; i++)
        {
            var (h, s, v) = ToHsv(pixels[i], pixels[784 + i], pixels[1568 + i]);
            double[] expected = ToRgb(h, s, Math.Min(v + 0.15, 1));
            for (int c = 0; c < 3; c++) Assert.Equal(expected[c], actual[c * 784 + i], 1e-5);
        }

        static (double H, double S, double V) ToHsv(double r, double g, double b)
        {
            double v = Math.Max(r, Math.Max(g, b)), chroma = v - Math.Min(r, Math.Min(g, b));
            double h = chroma == 0 ? 0 : v == r ? (g - b) / chroma : v == g ? 2 + (b - r) / chroma : 4 + (r - g) / chroma;
            return ((h + 6) % 6, v == 0 ? 0 : chroma / v, v);
        }

        static double[] ToRgb(double h, double s, double v) =>
            [.. new[] { 5, 3, 1 }.Select(n => (n + h) % 6).Select(k => v - v * s * Math.Clamp(Math.Min(k, 4 - k), 0, 1))];
    }

    [Fact]
    public void Apply_BrightnessOfBlack_IsGrey()
    {
        using Tensor images = zeros(1, 3, 28, 28), result = Apply(images, "brightness", 2);
        Assert.All(Values(result), value => Assert.Equal(0.1f, value));
    }

    [Theory]
    [InlineData(1, 0.75)]
    [InlineData(5, 0.15)]
    public void Apply_Contrast_AgreesWithNaiveLoops(int severity, double kept)
    {
        using Tensor images = Uniform([2, 3, 28, 30]), result = Apply(images, "contrast", severity);
        float[][] planes = [.. Values(images).Chunk(840)], actual = [.. Values(result).Chunk(840)];
        for (int p = 0; p < planes.Length; p++)
        {
            double mean = planes[p].Average(value => (double)value);
            for (int i = 0; i < 840; i++) Assert.Equal(mean + kept * (planes[p][i] - mean), actual[p][i], 1e-5);
        }
    }

    [Theory]
    [InlineData(1, 26, 29)]
    [InlineData(2, 25, 27)]
    [InlineData(5, 18, 20)]
    public void Apply_Pixelate_AgreesWithNaiveLoops(int severity, int rows, int columns)
    {
        using Tensor images = Uniform([1, 2, 28, 31]), result = Apply(images, "pixelate", severity);
        float[][] planes = [.. Values(images).Chunk(868)], actual = [.. Values(result).Chunk(868)];
        for (int p = 0; p < planes.Length; p++)
            for (int y = 0; y < 28; y++)
                for (int x = 0; x < 31; x++)
                {
                    var block = from v in Enumerable.Range(0, 28)
                                from u in Enumerable.Range(0, 31)
                                where Block(v, 28, rows) == Block(y, 28, rows) && Block(u, 31, columns) == Block(x, 31, columns)
                                select (double)planes[p][v * 31 + u];
                    Assert.Equal(block.Average(), actual[p][y * 31 + x], 1e-5);
                }

        static int Block(int position, int pixels, int blocks) =>
            Enumerable.Range(0, blocks).Last(b => b * (double)pixels / blocks <= position + 0.5);
    }

    [Fact]
    public void Apply_Jpeg_KeepsThreeChannelsTogetherAndAllOthersApart()
    {
        using Tensor five = Uniform([1, 5, 32, 32]), three = five.narrow(1, 0, 3), first = five.narrow(1, 0, 1);
        using Tensor fiveResult = Apply(five, "jpeg", 1), threeResult = Apply(three, "jpeg", 1),
            firstResult = Apply(first, "jpeg", 1);
        Assert.Equal(Values(firstResult), Values(fiveResult)[..1024]);
        Assert.NotEqual(Values(firstResult), Values(threeResult)[..1024]);
        Assert.All(Values(fiveResult), value => Assert.Equal(Math.Round(255 * value), 255 * value, 1e-4));
    }

    [Fact]
    public void Apply_JpegOfEvenColour_KeepsTheColour()
    {
        using Tensor images = cat([full(1, 1, 40, 40, 0.8f), full(1, 1, 40, 40, 0.2f), full(1, 1, 40, 40, 0.4f)], 1);
        using Tensor result = Apply(images, "jpeg", 1);
        Assert.All(Values(result).Zip(Values(images)), pair => Assert.Equal(pair.Second, pair.First, 0.04f));
    }

    [Theory]
    [InlineData("defocus-blur")]
    [InlineData("glass-blur")]
    [InlineData("motion-blur")]
    [InlineData("zoom-blur")]
    [InlineData("contrast")]
    [InlineData("elastic")]
    [InlineData("pixelate")]
    public void Apply_EvenGrey_StaysAsItIs(string name)
    {
        using Tensor images = full(1, 2, 28, 36, 0.3f), result = Apply(images, name, 5);
        Assert.All(Values(result), value => Assert.Equal(0.3f, value, 1e-5f));
    }

    [Fact]
    public void Apply_GlassBlurOfSmallImages_OnlyMovesPixelsAllChannelsTogether()
    {
        using Tensor plane = Uniform([1, 1, 28, 28]), images = plane.repeat(1, 2, 1, 1), result = Apply(images, "glass-blur", 1);
        float[][] planes = [.. Values(result).Chunk(784)];
        Assert.Equal(planes[0], planes[1]);
        Assert.All(planes[0].Order().Zip(Values(plane).Order()), pair => Assert.Equal(pair.Second, pair.First, 1e-5f));
    }

    [Theory]
    [InlineData("snow", 1)]
    [InlineData("snow", 5)]
    [InlineData("frost", 1)]
    public void Apply_WhiteWeather_NeverDarkens(string name, int severity)
    {
        using Tensor images = Uniform([4, 3, 28, 28]), result = Apply(images, name, severity);
        Assert.All(Values(result).Zip(Values(images)), pair => Assert.True(pair.First >= pair.Second - 1e-6f));
    }

    [Fact]
    public void Apply_MotionBlurOfAPoint_IsALineOfItsWeight()
    {
        using Tensor images = zeros(1, 1, 224, 224);
        images[0, 0, 112, 112] = 1;
        using Tensor result = Apply(images, "motion-blur", 1);
        float[] values = Values(result);
        Assert.Equal(1, values.Sum(), 1e-4f);
        int[] hit = [.. Enumerable.Range(0, values.Length).Where(i => values[i] > 0.001f)];
        Assert.InRange(hit.Max(i => i % 224) - hit.Min(i => i % 224), 5, 21); // 3 sigmas of 3 px at most 45 degrees from the rows
        Assert.InRange(hit.Length, 8, 60);
    }

    [Fact]
    public void Apply_WrongArguments_SayTheRuleWhatWasFoundAndTheFix()
    {
        using Tensor good = full(2, 1, 28, 28, 0.5f), flat = zeros(28, 28), small = zeros(2, 1, 28, 27),
            doubles = zeros(2, 1, 28, 28, float64);
        using Tensor bright = full(2, 1, 28, 28, 1.5f), broken = full(2, 1, 28, 28, float.NaN);
        Assert.Contains("one of gaussian-noise, shot-noise", Message(good, name: "rain"));
        Assert.Contains("not 'rain': give one", Message(good, name: "rain"));
        Assert.Contains("1 to 5, not 0: give one", Message(good, severity: 0));
        Assert.Contains("1 to 5, not 6: give one", Message(good, severity: 6));
        Assert.Contains("float32, not Float64: convert", Message(doubles));
        Assert.Contains("(N, C, H, W) with C 1 or more, but are (28, 28): reshape", Message(flat));
        Assert.Contains("28 px or more in height and width, but are 28 x 27: enlarge", Message(small));
        Assert.Contains("0 to 1, but are 1.5 to 1.5: corrupt images before", Message(bright));
        Assert.Contains("0 to 1, but are NaN to NaN", Message(broken));
        Assert.Contains("one sample id for each image, but there are 1 for 2 images: give", Message(good, ids: [1]));
        Assert.Contains("0 to 4294967295, not -1: give", Message(good, ids: [0, -1]));

        static string Message(Tensor images, string name = "fog", int severity = 1, long[]? ids = null) =>
            Assert.Throws<ArgumentException>(() => Corruptions.Apply(images, name, severity, ids ?? [0, 1], Seed)).Message;
    }

    [Fact]
    public void Apply_EmptyBatch_IsEmpty()
    {
        using Tensor images = zeros(0, 3, 28, 28), result = Apply(images, "fog", 1);
        Assert.Equal([0, 3, 28, 28], result.shape);
    }

    [Fact]
    public void Apply_EveryCorruption_LeavesNoTensorsBehind()
    {
        using Tensor images = Uniform([2, 3, 28, 28]);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        foreach (string name in Corruptions.Names) Apply(images, name, 2).Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static (double Mean, double Variance) Moments(float[] values)
    {
        double mean = values.Average(value => (double)value);
        return (mean, values.Average(value => (value - mean) * (value - mean)));
    }

    private static Tensor Apply(Tensor images, string name, int severity) =>
        Corruptions.Apply(images, name, severity, [.. Enumerable.Range(0, (int)images.shape[0]).Select(i => (long)i)], Seed);

    private static double Distance(string name, int severity)
    {
        using Tensor images = tensor(Garments, [Garments.Length / 784, 1, 28, 28]), result = Apply(images, name, severity);
        return Values(result).Zip(Garments, (a, b) => Math.Abs(a - b)).Average();
    }

    private static Tensor Uniform(long[] shape)
    {
        using Tensor normal = RandomTensors.Normal(7, shape);
        return normal.sigmoid();
    }

    private static float[] Values(Tensor tensor) => tensor.data<float>().ToArray();

    private static float[] ReadGarments(int count)
    {
        var options = new DataOptions();
        ImageDataset data = ImageDataset.Load(ImageSources.Open("fashion-mnist:sample", options), options);
        float[] pixels = new float[count * 784];
        for (int i = 0; i < count; i++) data.Read(i, pixels.AsSpan(i * 784, 784));
        return pixels;
    }
}

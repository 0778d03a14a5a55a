using NetVips;
using SiamSharp.Data;
using SiamSharp.Randomness;
using SiamSharp.Views;
using TorchSharp;
using static TorchSharp.torch;

namespace SiamSharp.Evaluation;

/// <summary>The 15 corruptions of ImageNet-C, Tiny-ImageNet-C and CIFAR-10-C at 5 severities, for images of 28 px or more and any
/// number of channels.</summary>
/// <remarks>
/// Definition: parameters are published for images of 32 px (CIFAR-10-C), 64 px (Tiny-ImageNet-C) and 224 px (ImageNet-C); those
/// of the nearest of these sides, by ratio, are taken: where min(H, W) is up to 45 px the first, up to 119 px the second, else
/// the third. Those that are lengths (radii, standard deviations of blurs, displacements, the cells of snow) are multiplied by
/// s = min(H, W) / that side; noise levels, mixing weights, zoom factors, contrast, the quality of JPEG and the resolution that
/// pixelation leaves are not. Minima: a Gaussian has a window of 3 px or more, and a cell of snow is 1 px or larger.
/// Source: Hendrycks and Dietterich 2019, arXiv 1903.12261, section 4.1; the parameters are those of the authors' programs for
/// the three. Differences, besides those at each corruption: pixels stay float32 where the authors round to 8 bits between
/// steps, and the result is not stored as a JPEG of quality 85; borders are continued by reflection, the pixel beside the
/// border being the mirror's first. Severities are those of the authors, also where a later one is not the stronger, as in
/// elastic, whose fields become finer.
/// </remarks>
internal static class Corruptions
{
    /// <summary>The number of severities: 1 (slight) to 5 (strong).</summary>
    public const int Severities = 5;

    /// <summary>The smallest H and W, in pixels.</summary>
    private const int MinSide = 28;

    /// <summary>The view of the first corruption's random stream; the others follow.</summary>
    private const int FirstView = 100;

    private static readonly (string Name, Corruption Corrupt)[] All =
    [
        ("gaussian-noise", GaussianNoise), ("shot-noise", ShotNoise), ("impulse-noise", ImpulseNoise),
        ("defocus-blur", CorruptionFilters.DefocusBlur), ("glass-blur", CorruptionFilters.GlassBlur),
        ("motion-blur", CorruptionFilters.MotionBlur), ("zoom-blur", CorruptionFilters.ZoomBlur),
        ("snow", CorruptionFilters.Snow), ("frost", CorruptionFilters.Frost), ("fog", CorruptionFilters.Fog),
        ("brightness", Brightness), ("contrast", Contrast),
        ("elastic", CorruptionFilters.Elastic), ("pixelate", Pixelate), ("jpeg", Jpeg),
    ];

    /// <summary>Corrupts one image.</summary>
    /// <param name="image">(C, H, W), 0 to 1.</param>
    /// <param name="result">(C, H, W), zeros; values outside 0 to 1 are clipped afterwards.</param>
    /// <param name="shape">C, H and W.</param>
    /// <param name="level">0 to 4: the severity less 1.</param>
    /// <param name="random">The sample's stream.</param>
    private delegate void Corruption(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random);

    /// <summary>The corruptions in the paper's order: noise, blur, weather, digital.</summary>
    public static IReadOnlyList<string> Names { get; } = Array.AsReadOnly(Array.ConvertAll(All, c => c.Name));

    /// <summary>Corrupts every image of a batch.</summary>
    /// <remarks>
    /// Definition: the random numbers of an image are a function of the seed, the corruption and the image's id: they depend
    /// neither on the batch nor on its order, and severities share them.
    /// Cost: on the CPU, in parallel over the images; 10,000 grey images of 28 px take a second or less on two cores,
    /// JPEG and shot noise several.
    /// </remarks>
    /// <param name="images">float32 (N, C, H, W), 0 to 1, on the CPU, H and W 28 or more; not changed.</param>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="severity">1 to <see cref="Severities"/>.</param>
    /// <param name="sampleIds">N ids, 0 to 2^32 - 1, such as the indexes of the images in their source.</param>
    /// <param name="seed">The seed of the evaluation.</param>
    /// <returns>float32 (N, C, H, W), 0 to 1, on the CPU, not differentiable; the caller's.</returns>
    /// <exception cref="ArgumentException">An argument is not as described above.</exception>
    public static Tensor Apply(Tensor images, string name, int severity, ReadOnlySpan<long> sampleIds, ulong seed)
    {
        int index = CheckName(name, severity);
        CheckImages(images);
        CheckIds(sampleIds, images.shape[0]);
        using var scope = NewDisposeScope();
        Tensor source = images.detach().contiguous(), result = zeros_like(source);
        CheckRange(source);
        var shape = new PlaneShape((int)source.shape[1], (int)source.shape[2], (int)source.shape[3]);
        Samples<float> from = new(source), to = new(result);
        long[] ids = sampleIds.ToArray();
        Parallel.For(0, ids.Length, n =>
        {
            var random = new RandomStream(seed, RandomPurpose.Evaluation, sample: ids[n], view: FirstView + index);
            All[index].Corrupt(from[n], to[n], shape, severity - 1, ref random);
            foreach (ref float value in to[n]) value = Math.Clamp(value, 0, 1);
        });
        return result.MoveToOuterDisposeScope();
    }

    /// <summary>Adds normal noise of the same deviation everywhere.</summary>
    private static void GaussianNoise(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        float deviation = shape.Published<float>(level, [0.04f, 0.06f, 0.08f, 0.09f, 0.1f], [0.04f, 0.08f, 0.12f, 0.15f, 0.18f],
            [0.08f, 0.12f, 0.18f, 0.26f, 0.38f]);
        random.FillNormal(result);
        for (int i = 0; i < result.Length; i++) result[i] = image[i] + deviation * result[i];
    }

    /// <summary>Counts photons: x becomes k / photons, k being of the Poisson distribution of mean photons * x.</summary>
    private static void ShotNoise(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        double photons = shape.Published<double>(level, [500, 250, 100, 75, 50], [250, 100, 50, 30, 15], [60, 25, 12, 5, 3]);
        for (int i = 0; i < result.Length; i++) result[i] = (float)(Poisson(photons * image[i], random.NextDouble()) / photons);
    }

    /// <summary>The smallest count k whose probability to be reached, P(K up to k), exceeds a uniform number.</summary>
    /// <param name="mean">0 to 500.</param>
    /// <param name="uniform">0 to below 1.</param>
    private static int Poisson(double mean, double uniform)
    {
        // 22 deviations above a mean of 500: rounding may leave the sum of all probabilities below the uniform number
        const int most = 1000;
        double probability = Math.Exp(-mean), sum = probability;
        int count = 0;
        while (sum <= uniform && count < most)
        {
            probability *= mean / ++count;
            sum += probability;
        }
        return count;
    }

    /// <summary>Sets a share of the values to 0 or 1, either with the same probability.</summary>
    private static void ImpulseNoise(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        double share = shape.Published<double>(level, [0.01, 0.02, 0.03, 0.05, 0.07], [0.01, 0.02, 0.05, 0.08, 0.14],
            [0.03, 0.06, 0.09, 0.17, 0.27]);
        for (int i = 0; i < result.Length; i++)
        {
            double uniform = random.NextDouble();
            result[i] = uniform >= share ? image[i] : uniform < share / 2 ? 0 : 1;
        }
    }

    /// <summary>Adds to the largest channel of each pixel, limits it to 1, and scales the others with it.</summary>
    /// <remarks>Definition: V of HSV, hue and saturation being kept; black pixels become grey.</remarks>
    private static void Brightness(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        float added = shape.Published<float>(level, [0.05f, 0.1f, 0.15f, 0.2f, 0.3f], [0.1f, 0.2f, 0.3f, 0.4f, 0.5f],
            [0.1f, 0.2f, 0.3f, 0.4f, 0.5f]);
        for (int i = 0; i < shape.Area; i++)
        {
            float value = 0;
            for (int j = i; j < image.Length; j += shape.Area) value = Math.Max(value, image[j]);
            float brighter = Math.Min(value + added, 1);
            for (int j = i; j < image.Length; j += shape.Area) result[j] = value > 0 ? brighter * (image[j] / value) : brighter;
        }
    }

    /// <summary>Moves every value towards the mean of its channel.</summary>
    private static void Contrast(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        float kept = shape.Published<float>(level, [0.75f, 0.5f, 0.4f, 0.3f, 0.15f], [0.4f, 0.3f, 0.2f, 0.1f, 0.05f],
            [0.4f, 0.3f, 0.2f, 0.1f, 0.05f]);
        for (int first = 0; first < image.Length; first += shape.Area)
        {
            double sum = 0;
            foreach (float value in image.Slice(first, shape.Area)) sum += value;
            float mean = (float)(sum / shape.Area);
            for (int i = first; i < first + shape.Area; i++) result[i] = (image[i] - mean) * kept + mean;
        }
    }

    /// <summary>Reduces the resolution by box averages and enlarges by repetition.</summary>
    /// <remarks>Definition: a pixel becomes the mean of its block; the blocks are a share of H and W, rounded down.</remarks>
    private static void Pixelate(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        double resolution = shape.Published<double>(level, [0.95, 0.9, 0.85, 0.75, 0.65],
            [0.9, 0.8, 0.7, 0.6, 0.5], [0.6, 0.5, 0.4, 0.3, 0.25]);
        int rows = (int)(shape.Height * resolution), columns = (int)(shape.Width * resolution);
        Span<int> block = new int[shape.Area], counts = new int[rows * columns];
        for (int i = 0; i < shape.Area; i++)
        {
            block[i] = BlockOf(i / shape.Width, shape.Height, rows) * columns + BlockOf(i % shape.Width, shape.Width, columns);
            counts[block[i]]++;
        }
        Span<double> sums = new double[rows * columns];
        for (int first = 0; first < image.Length; first += shape.Area)
        {
            sums.Clear();
            for (int i = 0; i < shape.Area; i++) sums[block[i]] += image[first + i];
            for (int i = 0; i < shape.Area; i++) result[first + i] = (float)(sums[block[i]] / counts[block[i]]);
        }

        // the block that the pixel's centre lies in
        static int BlockOf(int position, int pixels, int blocks) => (2 * position + 1) * blocks / (2 * pixels);
    }

    /// <summary>Encodes as JPEG of low quality, 4:2:0, and decodes.</summary>
    /// <remarks>
    /// Differences: the authors know three channels only; all but one or three are encoded as a grey image each.
    /// </remarks>
    private static void Jpeg(ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        int quality = shape.Published<int>(level, [80, 65, 58, 50, 40], [65, 58, 50, 40, 25], [25, 18, 15, 10, 7]),
            bands = shape.Channels == 3 ? 3 : 1;
        VipsPixels.SetUp();
        for (int first = 0; first < image.Length; first += bands * shape.Area)
        {
            var bytes = new byte[bands * shape.Area];
            for (int i = 0; i < bytes.Length; i++) bytes[i] = (byte)MathF.Round(255 * image[first + i]);
            byte[] decoded = ThroughJpeg(new Pixels(bytes, bands, shape.Height, shape.Width), quality);
            for (int i = 0; i < bytes.Length; i++) result[first + i] = decoded[i] / 255f;
        }
    }

    private static byte[] ThroughJpeg(Pixels pixels, int quality)
    {
        using Image picture = VipsPixels.ToImage(pixels);
        byte[] file = picture.JpegsaveBuffer(q: quality, subsampleMode: Enums.ForeignSubsample.On, keep: Enums.ForeignKeep.None);
        using Image decoded = Image.JpegloadBuffer(file);
        return (byte[])VipsPixels.FromImage(decoded).Values;
    }

    private static int CheckName(string name, int severity)
    {
        int index = Array.FindIndex(All, c => c.Name == name);
        if (index < 0)
            throw new ArgumentException(
                $"A corruption is one of {string.Join(", ", Names)}, not '{name}': give one of these names.", nameof(name));
        if (severity is < 1 or > Severities)
            throw new ArgumentException(
                $"A severity is 1 to {Severities}, not {severity}: give one in this range.", nameof(severity));
        return index;
    }

    private static void CheckImages(Tensor images)
    {
        if (images.dtype != ScalarType.Float32)
            throw new ArgumentException(
                $"Images must be float32, not {images.dtype}: convert them, and scale integers to 0 to 1.", nameof(images));
        if (images.device_type != DeviceType.CPU)
            throw new ArgumentException(
                $"Images must be on the CPU, not on {images.device}: move them with cpu().", nameof(images));
        long[] shape = images.shape;
        if (shape.Length != 4 || shape[1] < 1)
            throw new ArgumentException(
                $"Images must be (N, C, H, W) with C 1 or more, but are ({string.Join(", ", shape)}): reshape them.",
                nameof(images));
        if (Math.Min(shape[2], shape[3]) < MinSide)
            throw new ArgumentException(
                $"Images must be {MinSide} px or more in height and width, but are {shape[2]} x {shape[3]}: "
                    + "enlarge them.", nameof(images));
    }

    private static void CheckIds(ReadOnlySpan<long> sampleIds, long count)
    {
        if (sampleIds.Length != count)
            throw new ArgumentException(
                $"There must be one sample id for each image, but there are {sampleIds.Length} for {count} images: "
                    + "give the index of each image in its source.", nameof(sampleIds));
        foreach (long id in sampleIds)
            if (id is < 0 or > uint.MaxValue)
                throw new ArgumentException(
                    $"A sample id is 0 to {uint.MaxValue}, not {id}: give the index of the image in its source.",
                    nameof(sampleIds));
    }

    private static void CheckRange(Tensor images)
    {
        if (images.numel() == 0) return;
        float low = images.min().item<float>(), high = images.max().item<float>();
        if (!(low >= 0 && high <= 1))
            throw new ArgumentException(
                $"Pixels must be 0 to 1, but are {low} to {high}: corrupt images before they are standardised, and "
                    + "scale integers to 0 to 1.", nameof(images));
    }
}

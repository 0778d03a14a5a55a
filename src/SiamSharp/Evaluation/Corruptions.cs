using SiamSharp.Options;
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

    /// <summary>The corruptions in the paper's order: noise, blur, weather, digital; then those of your own.</summary>
    public static IReadOnlyList<string> Names => [.. All.Select(Kinds.NameOf)];

    private static IEnumerable<Corruption> All =>
        Kinds.All<Corruption>().OrderBy(c => c.Place).ThenBy(Kinds.NameOf, StringComparer.Ordinal);

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
        Corruption corruption = Named(name, severity);
        CheckImages(images);
        CheckIds(sampleIds, images.shape[0]);
        using var scope = NewDisposeScope();
        Tensor source = images.detach().contiguous(), result = zeros_like(source);
        CheckRange(source);
        var shape = new PlaneShape((int)source.shape[1], (int)source.shape[2], (int)source.shape[3]);
        Samples<float> from = new(source), to = new(result);
        long[] ids = sampleIds.ToArray();
        int view = FirstView + corruption.Stream;
        Parallel.For(0, ids.Length, n =>
        {
            var random = new RandomStream(seed, RandomPurpose.Evaluation, sample: ids[n], view: view);
            corruption.Apply(from[n], to[n], shape, severity - 1, ref random);
            foreach (ref float value in to[n]) value = Math.Clamp(value, 0, 1);
        });
        return result.MoveToOuterDisposeScope();
    }

    private static Corruption Named(string name, int severity)
    {
        if (severity is < 1 or > Severities)
            throw new ArgumentException(
                $"A severity is 1 to {Severities}, not {severity}: give one in this range.", nameof(severity));
        return All.FirstOrDefault(c => Kinds.NameOf(c) == name) ?? throw new ArgumentException(
            $"A corruption is one of {string.Join(", ", Names)}, not '{name}': give one of these names.", nameof(name));
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

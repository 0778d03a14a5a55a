using System.Buffers;
using SiamSharp.Filters;
using SiamSharp.Masking;
using SiamSharp.Native;
using SiamSharp.Options;
using SiamSharp.Randomness;
using TorchSharp;
using static TorchSharp.torch;

namespace SiamSharp.Views;

/// <summary>Turns a batch of images into the views that the siamese network compares.</summary>
/// <remarks>
/// Definition: per view and sample: crop, flip, colour, blur and solarisation on pixels (<see cref="ViewPolicy"/>, in that
/// order), then <see cref="Preprocessing"/>, then at most one mask. Every draw is a function of seed, epoch, sample and view, so
/// a view depends neither on its batch nor on the number of threads; only <see cref="FillKind.OtherImage"/> looks at the next
/// sample.
/// Cost: on the CPU, in parallel over the samples; a branch of masks alone shares one high-pass between all its views.
/// </remarks>
public sealed class ViewMaker
{
    private readonly IReadOnlyList<ViewPolicy> _branches;
    private readonly Preprocessing _preprocessing;
    private readonly float[] _weights, _black;
    private readonly int _size;
    private readonly ulong _seed;

    /// <summary>Makes the views of one run.</summary>
    /// <param name="options">At least one branch; the high-pass is taken from the preprocessing.</param>
    /// <param name="preprocessing">Measured on the training images.</param>
    /// <param name="size">Side of the images in pixels, 2 or more.</param>
    /// <param name="seed">The run's seed.</param>
    /// <exception cref="ArgumentException">There is no branch, a view is too small for the high-pass, or needs colours that the
    /// images do not have.</exception>
    public ViewMaker(ViewsOptions options, Preprocessing preprocessing, int size, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 2);
        Processors.FollowQuota();
        OptionsJson.Check(preprocessing, "preprocessing");
        options = OptionsJson.Check(options with { HighPass = preprocessing.HighPass }, "views");
        Fault[] faults =
            [.. options.FaultsFor(size, preprocessing.Channels).Select(fault => fault with { Path = $"views.{fault.Path}" })];
        if (faults.Length > 0) throw new OptionsException(faults);
        _branches = [.. options.Branches.SelectMany(branch =>
            Enumerable.Repeat(branch with { Size = branch.SizeFor(size) }, branch.Count))];
        _preprocessing = preprocessing;
        _weights = preprocessing.Weights<float>();
        _black = [.. preprocessing.Mean.Zip(preprocessing.Std, (mean, std) => (float)(-mean / std))];
        _size = size;
        _seed = seed;
    }

    /// <summary>V, the number of views.</summary>
    public int ViewCount => _branches.Count;

    /// <summary>Makes the views of one batch.</summary>
    /// <param name="images">float32 (N, C, H, W), 0 to 1, on the CPU; H = W = the size given at the start. Unchanged.</param>
    /// <param name="sampleIds">N indices into the source, which the draws follow.</param>
    /// <param name="epoch">0 or more.</param>
    /// <returns>V tensors, float32 (N, C, S, S) on the CPU, S being the branch's size: no gradient, the caller's.</returns>
    /// <exception cref="ArgumentException">Images of another type, shape or device, or not N ids.</exception>
    public Tensor[] MakeViews(Tensor images, ReadOnlySpan<long> sampleIds, int epoch)
    {
        Check(images, sampleIds.Length);
        long[] ids = sampleIds.ToArray();
        using var scope = NewDisposeScope();
        images = images.detach().contiguous();
        Tensor? plain = null;
        var views = new Tensor[ViewCount];
        for (int v = 0; v < views.Length; v++)
        {
            ViewPolicy branch = _branches[v];
            bool shared = !branch.ChangesPixels && branch.Size == _size;
            Tensor signal = shared ? plain ??= _preprocessing.Apply(images) : Distort(images, ids, epoch, v);
            views[v] = branch.Masks.Count > 0 ? ApplyMasks(signal, ids, epoch, v) : shared ? signal.clone() : signal;
            views[v].MoveToOuterDisposeScope();
        }
        return views;
    }

    private Tensor Distort(Tensor images, long[] ids, int epoch, int view)
    {
        ViewPolicy branch = _branches[view];
        Tensor signal = empty([ids.Length, _preprocessing.Channels, branch.Size, branch.Size], ScalarType.Float32, CPU);
        Samples<float> from = new(images), to = new(signal);
        Parallel.For(0, ids.Length, n =>
        {
            var random = new RandomStream(_seed, RandomPurpose.View, epoch, ids[n], view);
            Distort(from[n], to[n], branch, ref random);
        });
        return signal;
    }

    /// <summary>From one image (C, H, W) to its unmasked view (C, S, S).</summary>
    private void Distort(ReadOnlySpan<float> image, Span<float> signal, ViewPolicy branch, ref RandomStream random)
    {
        int channels = _preprocessing.Channels, size = branch.Size;
        float[] buffer = ArrayPool<float>.Shared.Rent(signal.Length);
        Span<float> pixels = buffer.AsSpan(0, signal.Length);

        var window = new CropWindow(0, 0, _size, _size);
        if (random.Bernoulli(branch.Crop.Probability)) window = RandomCrop.Draw(branch.Crop, _size, _size, ref random);
        if (size == _size && window == new CropWindow(0, 0, size, size)) image.CopyTo(pixels);
        else Resampling.Resize(image, channels, _size, _size, window, pixels, size);
        if (random.Bernoulli(branch.FlipProbability)) Resampling.Flip(pixels, size);

        if (random.Bernoulli(branch.ColorJitter.Probability))
            Photometric.ColorJitter(pixels, channels, branch.ColorJitter, ref random);
        if (random.Bernoulli(branch.GrayscaleProbability)) Photometric.Grayscale(pixels);
        if (random.Bernoulli(branch.Blur.Probability))
            Photometric.Blur(pixels, channels, size, random.Uniform(branch.Blur.MinSigma, branch.Blur.MaxSigma));
        if (random.Bernoulli(branch.Solarize.Probability)) Photometric.Solarize(pixels, (float)branch.Solarize.Threshold);

        _preprocessing.Apply<float>(pixels, signal, size, size, _weights);
        ArrayPool<float>.Shared.Return(buffer);
    }

    private Tensor ApplyMasks(Tensor signal, long[] ids, int epoch, int view)
    {
        ViewPolicy branch = _branches[view];
        Tensor masked = empty_like(signal);
        Samples<float> from = new(signal), to = new(masked);
        Parallel.For(0, ids.Length, n =>
        {
            var random = new RandomStream(_seed, RandomPurpose.Mask, epoch, ids[n], view);
            if (Choose(branch.Masks, ref random) is not { } mask)
            {
                from[n].CopyTo(to[n]);
                return;
            }
            var noise = new RandomStream(_seed, RandomPurpose.Fill, epoch, ids[n], view);
            ApplyMask(mask, from[n], from[(n + 1) % ids.Length], to[n], branch.Size, _black, ref random, ref noise);
        });
        return masked;
    }

    /// <summary>The mask that a view takes, or none.</summary>
    private static Mask? Choose(IReadOnlyList<Mask> masks, ref RandomStream random)
    {
        double draw = random.NextDouble();
        foreach (Mask mask in masks)
        {
            if (draw < mask.Probability) return mask;
            draw -= mask.Probability;
        }
        return null;
    }

    /// <summary>Masks one signal (C, S, S); <paramref name="black"/> has one value per channel.</summary>
    internal static void ApplyMask(Mask mask, ReadOnlySpan<float> signal, ReadOnlySpan<float> other, Span<float> result, int size,
        ReadOnlySpan<float> black, ref RandomStream random, ref RandomStream noise)
    {
        int channels = black.Length, area = size * size, planes = mask.Planes(channels);
        bool[] buffer = ArrayPool<bool>.Shared.Rent(planes * area);
        Span<bool> keepMask = buffer.AsSpan(0, planes * area);
        mask.DrawChecked(keepMask, size, size, ref random);
        for (int c = 0; c < channels; c++)
            Holes.Fill(signal.Slice(c * area, area), other.Slice(c * area, area), keepMask.Slice(c % planes * area, area),
                black[c], mask.Fill, result.Slice(c * area, area), size, ref noise);
        ArrayPool<bool>.Shared.Return(buffer);
    }

    private void Check(Tensor images, int ids)
    {
        string expected = $"float32 (N, {_preprocessing.Channels}, {_size}, {_size}) on the CPU";
        bool fits = images.dtype == ScalarType.Float32 && images.device_type == DeviceType.CPU && images.dim() == 4
            && images.shape[1] == _preprocessing.Channels && images.shape[2] == _size && images.shape[3] == _size;
        if (!fits)
            throw new ArgumentException($"Images must be {expected}, but are {images.dtype} ({string.Join(", ", images.shape)}) "
                + $"on {images.device}: decode them to data.size, and move the views, not the images.", nameof(images));
        if (images.shape[0] != ids)
            throw new ArgumentException($"Give one id per image: there are {images.shape[0]} images and {ids} ids.", nameof(ids));
    }
}

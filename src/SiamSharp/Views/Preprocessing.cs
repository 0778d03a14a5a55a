using System.Buffers;
using System.Numerics;
using SiamSharp.Data;
using SiamSharp.Filters;
using SiamSharp.Options;
using static TorchSharp.torch;

namespace SiamSharp.Views;

/// <summary>What every image goes through, in training and at evaluation: high-pass, then standardisation.</summary>
/// <remarks>
/// Definition: y = (x - blur(x) - Mean[c]) / Std[c], blur being <see cref="HighPassOptions"/>' Gaussian with reflected borders;
/// without a high-pass, y = (x - Mean[c]) / Std[c].
/// Source: the high-pass of jiachenzhu/RandomMask (x - torchvision's gaussian_blur, then a division by one number).
/// Differences: mean and standard deviation are measured per channel on the training images; the mean is 0 with a high-pass.
/// Cost: 2 * kernel multiplications per pixel, in parallel over the samples, on the CPU.
/// </remarks>
/// <param name="HighPass">Sigma (0 = off) and kernel.</param>
/// <param name="Mean">Per channel, in units of a pixel; 0 with a high-pass.</param>
/// <param name="Std">Per channel, in units of a pixel, more than 0.</param>
public sealed record Preprocessing(HighPassOptions HighPass, IReadOnlyList<double> Mean, IReadOnlyList<double> Std) : IHasRules
{
    /// <summary>C, the number of channels.</summary>
    [System.Text.Json.Serialization.JsonIgnore] public int Channels => Mean.Count;

    /// <summary>Channels that hold one and the same value everywhere; their standard deviation was set to 1.</summary>
    public IReadOnlyList<int> ConstantChannels { get; init; } = [];

    /// <inheritdoc/>
    public IEnumerable<Fault> Faults()
    {
        if (HighPass is null) yield return new("highPass", "is missing");
        if (Mean is null) yield return new("mean", "is missing");
        if (Std is null) yield return new("std", "is missing");
        if (Mean is null || Std is null) yield break;
        if (Mean.Count == 0 || Mean.Count != Std.Count)
            yield return new("std",
                $"{Std.Count} numbers for the {Mean.Count} channels of mean: one for each is needed, and one channel or more");
        for (int c = 0; c < Mean.Count; c++)
            if (!double.IsFinite(Mean[c])) yield return new($"mean.{c}", $"{Mean[c]} is not finite");
        for (int c = 0; c < Std.Count; c++)
            if (!(Std[c] > 0 && double.IsFinite(Std[c]))) yield return new($"std.{c}", $"{Std[c]} is no finite number above 0");
    }

    /// <summary>Measures mean and standard deviation of each channel after the high-pass.</summary>
    /// <remarks>A channel is constant where the deviation is at most a millionth of the pixels' root mean square.</remarks>
    /// <param name="highPass">The filter, or sigma 0 for none.</param>
    /// <param name="batches">(N, C, H, W), training images as they go into <see cref="Apply(Tensor)"/>; one
    /// is read at a time and stays its maker's to dispose of.</param>
    /// <param name="cancellationToken">Looked at between batches.</param>
    /// <exception cref="ArgumentException">No batches, or batches of another shape than the first.</exception>
    public static Preprocessing Measure(HighPassOptions highPass, IEnumerable<Tensor> batches,
        CancellationToken cancellationToken = default)
    {
        OptionsJson.Check(highPass, "highPass");
        Preprocessing? raw = null;
        Moments[] ofSignal = [], ofPixels = [];
        foreach (Tensor batch in batches)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            int channels = (int)batch.shape[1];
            if (raw is null)
            {
                raw = new Preprocessing(highPass, new double[channels], Enumerable.Repeat(1.0, channels).ToArray());
                (ofSignal, ofPixels) = (new Moments[channels], new Moments[channels]);
            }
            Tensor pixels = batch.to(ScalarType.Float32).cpu().contiguous();
            Add(ofPixels, pixels);
            Add(ofSignal, raw.Apply(pixels));
        }
        if (raw is null || ofSignal[0].Count == 0)
            throw new ArgumentException("There are no images to measure.", nameof(batches));

        double[] std = [.. ofSignal.Select(signal => signal.Std)];
        int[] constant = [.. Enumerable.Range(0, std.Length).Where(c => std[c] <= 1e-6 * ofPixels[c].RootMeanSquare)];
        foreach (int c in constant) std[c] = 1;
        double[] mean = highPass.Sigma > 0 ? new double[std.Length] : [.. ofSignal.Select(signal => signal.Mean)];
        return new Preprocessing(highPass, mean, std) { ConstantChannels = constant };

        static void Add(Moments[] totals, Tensor values)
        {
            Samples<float> samples = new(values);
            int images = (int)values.shape[0], channels = totals.Length, area = (int)(values.shape[2] * values.shape[3]);
            var found = new Moments[images * channels];
            Parallel.For(0, found.Length, i => found[i] = Moments.Of(samples[i / channels].Slice(i % channels * area, area)));
            // in the order of the images
            for (int i = 0; i < found.Length; i++) totals[i % channels] = totals[i % channels].Merge(found[i]);
        }
    }

    /// <summary>Filters and standardises images.</summary>
    /// <param name="images">float32 or float64 (N, C, H, W), 0 to 1, on any device.</param>
    /// <returns>Same type, shape and device, not differentiable; the caller's.</returns>
    /// <exception cref="ArgumentException">Another type, another C, or H or W at most half the kernel.</exception>
    public Tensor Apply(Tensor images)
    {
        Check(images);
        using var scope = NewDisposeScope();
        Tensor source = images.detach().cpu().contiguous(), result = empty_like(source);
        if (images.dtype == ScalarType.Float64) ApplyAll<double>(source, result);
        else ApplyAll<float>(source, result);
        return result.to(images.device).MoveToOuterDisposeScope();
    }

    private void ApplyAll<T>(Tensor images, Tensor result) where T : unmanaged, INumber<T>
    {
        int height = (int)images.shape[2], width = (int)images.shape[3];
        T[] weights = Weights<T>();
        Samples<T> from = new(images), to = new(result);
        Parallel.For(0, (int)images.shape[0], n => Apply<T>(from[n], to[n], height, width, weights));
    }

    /// <summary>The weights of the high-pass' window; empty where it is off.</summary>
    internal T[] Weights<T>() where T : unmanaged, INumber<T> =>
        HighPass.Sigma > 0 ? GaussianFilter.Weights<T>(HighPass.Sigma, HighPass.Kernel) : [];

    /// <summary>Filters and standardises one image.</summary>
    /// <param name="image">(C, H, W).</param>
    /// <param name="result">(C, H, W); must not overlap <paramref name="image"/>.</param>
    /// <param name="height">H.</param>
    /// <param name="width">W.</param>
    /// <param name="weights">From <see cref="Weights"/>.</param>
    internal void Apply<T>(ReadOnlySpan<T> image, Span<T> result, int height, int width, ReadOnlySpan<T> weights)
        where T : unmanaged, INumber<T>
    {
        int area = height * width;
        for (int c = 0; c < Channels; c++)
        {
            ReadOnlySpan<T> plane = image.Slice(c * area, area);
            Span<T> signal = result.Slice(c * area, area);
            T mean = T.CreateChecked(Mean[c]), scale = T.CreateChecked(1 / Std[c]);
            if (weights.IsEmpty)
            {
                for (int i = 0; i < area; i++) signal[i] = (plane[i] - mean) * scale;
                continue;
            }
            GaussianFilter.Blur(plane, signal, height, width, weights);
            for (int i = 0; i < area; i++) signal[i] = (plane[i] - signal[i] - mean) * scale;
        }
    }

    private void Check(Tensor images)
    {
        if (images.dtype is not (ScalarType.Float32 or ScalarType.Float64))
            throw new ArgumentException($"Images must be float32 or float64, not {images.dtype}: convert them.", nameof(images));
        if (images.dim() != 4 || images.shape[1] != Channels)
            throw new ArgumentException($"Images must be (N, {Channels}, H, W), but are ({string.Join(", ", images.shape)}): "
                + "use the preprocessing that was measured on images of this kind.", nameof(images));
        CheckHighPass(Math.Min(images.shape[2], images.shape[3]));
    }

    /// <summary>Refuses a high-pass that cannot be, or that does not fit images of this side.</summary>
    internal void CheckHighPass(long side)
    {
        OptionsJson.Check(this, "preprocessing");
        if (HighPass.Sigma == 0) return;
        if (HighPass.Kernel / 2 >= side)
            throw new ArgumentException(
                $"A high-pass kernel of {HighPass.Kernel} px needs images of {HighPass.Kernel / 2 + 1} px or "
                    + $"more, but these have {side}: set views.highPass.kernel to {2 * side - 1} or less, or enlarge data.size.");
    }
}

using System.Buffers;
using System.ComponentModel.DataAnnotations;
using SiamSharp.Filters;
using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Masking;

/// <summary>Removes soft-edged blobs: the highest part of blurred noise.</summary>
/// <remarks>
/// Definition: normal noise, blurred with a Gaussian (window of three sigmas, reflected borders); the round(maskRatio * H * W)
/// highest pixels are removed, exactly (of equal values, those in front).
/// Source: jiachenzhu/RandomMask, which removes half of the pixels. Differences: larger blobs, see
/// <see cref="Sigma"/>; its window is 13 px.
/// Cost: one blur and one selection per mask, O(H * W).
/// </remarks>
[Kind("blob")]
public sealed record BlobMask : Mask
{
    /// <summary>
    /// Smallest share of the view that is removed. Each mask draws its share between minRatio and maxRatio.
    /// </summary>
    [Range(0.0, 1.0)] public double MinRatio { get; init; } = 0.3;

    /// <summary>Largest share of the view that is removed.</summary>
    [Range(0.0, 1.0)] public double MaxRatio { get; init; } = 0.7;

    /// <summary>
    /// Size of the blobs: standard deviation in pixels of the Gaussian that blurs the noise. 0 = a fourteenth of the view's
    /// side, 16 px at 224 px, as large as the holes of other masks. RandomMask has 3 px at 224 px.
    /// </summary>
    /// <remarks>
    /// RandomMask's window is 13 px. Its 3 px give speckles of some pixels, which a network can fill in from beside them.
    /// </remarks>
    [Range(0.0, 100.0)] public double Sigma { get; init; }

    /// <inheritdoc/>
    public override void DrawPlane(Span<bool> keepMask, int height, int width, ref RandomStream random)
    {
        int area = height * width, side = Math.Min(height, width);
        int removed = (int)Math.Round(random.Uniform(MinRatio, MaxRatio) * area);
        double sigma = Sigma > 0 ? Sigma : side / 14.0;

        float[] buffer = ArrayPool<float>.Shared.Rent(2 * area);
        Span<float> noise = buffer.AsSpan(0, area), terrain = buffer.AsSpan(area, area);
        random.FillNormal(noise);
        GaussianFilter.Blur<float>(noise, terrain, height, width,
            GaussianFilter.Weights<float>(sigma, GaussianFilter.KernelFor(sigma, side)));
        terrain.CopyTo(noise);
        KeepAllButHighest(terrain, noise, removed, keepMask);
        ArrayPool<float>.Shared.Return(buffer);
    }

    private static void KeepAllButHighest(ReadOnlySpan<float> values, Span<float> scratch, int removed, Span<bool> keepMask)
    {
        keepMask.Fill(true);
        if (removed == 0) return;
        float threshold = Selection.NthSmallest(scratch, values.Length - removed);
        int left = removed;
        for (int i = 0; i < values.Length; i++)
            if (values[i] > threshold)
            {
                keepMask[i] = false;
                left--;
            }
        for (int i = 0; left > 0; i++)
            if (values[i] == threshold)
            {
                keepMask[i] = false;
                left--;
            }
    }

    /// <inheritdoc/>
    public override IEnumerable<Fault> Faults()
    {
        if (MinRatio > MaxRatio)
            yield return new("minRatio", $"{MinRatio} is more than maxRatio, {MaxRatio}: lower the one or raise the other");
    }

    /// <inheritdoc/>
    public override IEnumerable<Fault> FaultsFor(int side) => MinRatio == 1 ? [RemovesAll] : [];
}

using System.ComponentModel.DataAnnotations;
using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Masking;

/// <summary>Removes rectangles until the drawn share of the view is gone.</summary>
/// <remarks>
/// Definition: rectangles of uniform area and log-uniform aspect, each over a pixel that is still visible, may overlap; the last
/// one is cut, row by row, so that exactly round(maskRatio * H * W) pixels are removed.
/// Source: Bao et al. 2021, arXiv 2106.08254, algorithm 1 (the same ranges of area and aspect).
/// Differences: pixels instead of patches; BEiT draws rectangles that do not fit again and may stop short of the ratio.
/// </remarks>
[Kind("block")]
public sealed record BlockMask : Mask
{
    /// <summary>
    /// Smallest share of the view that is removed. Each mask draws its share between minRatio and maxRatio.
    /// </summary>
    [Range(0.0, 1.0)] public double MinRatio { get; init; } = 0.3;

    /// <summary>Largest share of the view that is removed.</summary>
    [Range(0.0, 1.0)] public double MaxRatio { get; init; } = 0.7;

    /// <summary>Smallest share of the view's area that one rectangle covers. The largest is what is left to remove.</summary>
    [Range(0.001, 1.0)] public double MinBlock { get; init; } = 16.0 / 196;

    /// <summary>Smallest ratio of a rectangle's height to its width. The largest is 1 divided by it.</summary>
    [Range(0.05, 1.0)] public double MinAspect { get; init; } = 0.3;

    /// <inheritdoc/>
    public override void DrawPlane(Span<bool> keepMask, int height, int width, ref RandomStream random)
    {
        int area = height * width, left = (int)Math.Round(random.Uniform(MinRatio, MaxRatio) * area);
        keepMask.Fill(true);
        while (left > 0)
        {
            double block = random.Uniform(MinBlock * area, Math.Max(MinBlock * area, left));
            double aspect = Math.Exp(random.Uniform(Math.Log(MinAspect), -Math.Log(MinAspect)));
            int h = Math.Clamp((int)Math.Round(Math.Sqrt(block * aspect)), 1, height);
            int w = Math.Clamp((int)Math.Round(Math.Sqrt(block / aspect)), 1, width);
            int centre;
            do centre = random.NextInt(area);
            while (!keepMask[centre]);

            int top = Math.Clamp(centre / width - h / 2, 0, height - h), first = Math.Clamp(centre % width - w / 2, 0, width - w);
            for (int y = top; y < top + h; y++)
                for (int i = y * width + first; i < y * width + first + w && left > 0; i++)
                    if (keepMask[i])
                    {
                        keepMask[i] = false;
                        left--;
                    }
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

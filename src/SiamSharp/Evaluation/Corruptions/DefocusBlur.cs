using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>Averages over a disc.</summary>
/// <remarks>
/// Differences: the authors smooth the edge of a disc of whole pixels; here the image, continued bilinearly between its
/// pixels, is averaged over the disc, which has an effect however small the disc. The slightest at 32 and 64 px are discs of
/// one pixel whose edge is smoothed: there the effect is of the same size, not of the same shape.
/// </remarks>
[Kind("defocus-blur")]
internal sealed class DefocusBlur : Corruption
{
    internal override int Place => 3;

    /// <inheritdoc/>
    public override void Apply(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        const int points = 32; // to each side of the centre
        double radius =
            shape.Published<double>(level, [0.3, 0.4, 0.5, 1, 1.5], [0.5, 1, 1.5, 2.5, 3], [3, 4, 6, 8, 10]) * shape.Scale;
        var kernel = new ShiftKernel(radius);
        for (int i = -points; i <= points; i++)
            for (int j = -points; j <= points; j++)
                if (i * i + j * j <= points * points) kernel.Add(radius * j / points, radius * i / points, 1);
        kernel.Filter(image, result, shape);
    }
}

using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>Averages the image and its enlargements about its centre.</summary>
/// <remarks>
/// The numbers of enlargements are those that the authors' ranges give: numpy's arange(1, 1.11, 0.01) ends with 1.11,
/// 12 numbers, and arange(1, 1.16, 0.01) with 1.15.
/// </remarks>
[Kind("zoom-blur")]
internal sealed class ZoomBlur : Corruption
{
    internal override int Place => 6;

    /// <inheritdoc/>
    public override void Apply(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        int count = shape.Published<int>(level, [7, 12, 16, 21, 26], [7, 12, 16, 21, 26], [12, 16, 11, 13, 11]);
        double step = shape.Published<double>(level, [0.01, 0.01, 0.01, 0.01, 0.01], [0.01, 0.01, 0.01, 0.01, 0.01],
            [0.01, 0.01, 0.02, 0.02, 0.03]);
        double centreX = (shape.Width - 1) / 2.0, centreY = (shape.Height - 1) / 2.0;
        image.CopyTo(result);
        for (int k = 0; k < count; k++)
            for (int i = 0; i < shape.Area; i++)
            {
                double zoom = 1 + k * step;
                var at = new BilinearPoint(centreX + (i % shape.Width - centreX) / zoom,
                    centreY + (i / shape.Width - centreY) / zoom, shape);
                for (int first = 0; first < image.Length; first += shape.Area) result[first + i] += at.Of(image[first..]);
            }
        foreach (ref float value in result) value /= count + 1;
    }
}

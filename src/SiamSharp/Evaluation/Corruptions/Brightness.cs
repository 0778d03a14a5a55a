using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>Adds to the largest channel of each pixel, limits it to 1, and scales the others with it.</summary>
/// <remarks>Definition: V of HSV, hue and saturation being kept; black pixels become grey.</remarks>
[Kind("brightness")]
internal sealed class Brightness : Corruption
{
    internal override int Place => 10;

    /// <inheritdoc/>
    public override void Apply(
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
}

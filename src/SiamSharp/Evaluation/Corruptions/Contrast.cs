using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>Moves every value towards the mean of its channel.</summary>
[Kind("contrast")]
internal sealed class Contrast : Corruption
{
    internal override int Place => 11;

    /// <inheritdoc/>
    public override void Apply(
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
}

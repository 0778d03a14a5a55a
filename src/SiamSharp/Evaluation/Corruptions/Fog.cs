using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>Adds a plasma fractal and scales back to the image's largest value.</summary>
[Kind("fog")]
internal sealed class Fog : Corruption
{
    internal override int Place => 9;

    /// <inheritdoc/>
    public override void Apply(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        float added = shape.Published<float>(level, [0.2f, 0.5f, 0.75f, 1, 1.5f], [0.4f, 0.7f, 1, 1.5f, 2],
            [1.5f, 2, 2.5f, 2.5f, 3]), largest = 0;
        float[] plasma = PlasmaFractal.Draw(shape,
            shape.Published<double>(level, [3, 3, 2.5, 2, 1.75], [3, 3, 2.5, 2, 1.75], [2, 2, 1.7, 1.5, 1.4]), ref random);
        foreach (float value in image) largest = Math.Max(largest, value);
        for (int i = 0; i < image.Length; i++)
            result[i] = (image[i] + added * plasma[i % shape.Area]) * largest / (largest + added);
    }
}

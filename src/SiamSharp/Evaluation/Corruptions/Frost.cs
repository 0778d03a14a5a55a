using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>Mixes the image with a texture of frost.</summary>
/// <remarks>
/// Differences: the authors' frost is a cut from one of five photographs; here it is grey, and made of the ridges of two
/// plasma fractals over the first of them. The weights of the mixture are theirs.
/// </remarks>
[Kind("frost")]
internal sealed class Frost : Corruption
{
    internal override int Place => 8;

    /// <inheritdoc/>
    public override void Apply(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        float kept = shape.Published<float>(level, [1, 1, 0.9f, 0.85f, 0.75f], [1, 0.9f, 0.8f, 0.75f, 0.7f],
            [1, 0.8f, 0.7f, 0.65f, 0.6f]);
        float added = shape.Published<float>(level, [0.2f, 0.3f, 0.4f, 0.4f, 0.45f], [0.3f, 0.4f, 0.45f, 0.5f, 0.55f],
            [0.4f, 0.6f, 0.7f, 0.7f, 0.75f]);
        float[] coarse = PlasmaFractal.Draw(shape, 1.4, ref random), fine = PlasmaFractal.Draw(shape, 1.2, ref random);
        for (int i = 0; i < image.Length; i++)
        {
            float ridges = Math.Max(Ridge(coarse[i % shape.Area]), Ridge(fine[i % shape.Area]));
            result[i] = kept * image[i] + added * (0.3f * coarse[i % shape.Area] + 0.7f * ridges);
        }

        // 1 where the fractal passes through its middle, steeply down to 0 beside it
        static float Ridge(float value)
        {
            float height = 1 - Math.Abs(2 * value - 1);
            return height * height * height * height;
        }
    }
}

using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>Adds normal noise of the same deviation everywhere.</summary>
[Kind("gaussian-noise")]
internal sealed class GaussianNoise : Corruption
{
    internal override int Place => 0;

    /// <inheritdoc/>
    public override void Apply(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        float deviation = shape.Published<float>(level, [0.04f, 0.06f, 0.08f, 0.09f, 0.1f], [0.04f, 0.08f, 0.12f, 0.15f, 0.18f],
            [0.08f, 0.12f, 0.18f, 0.26f, 0.38f]);
        random.FillNormal(result);
        for (int i = 0; i < result.Length; i++) result[i] = image[i] + deviation * result[i];
    }
}

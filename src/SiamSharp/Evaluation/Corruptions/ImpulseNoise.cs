using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>Sets a share of the values to 0 or 1, either with the same probability.</summary>
[Kind("impulse-noise")]
internal sealed class ImpulseNoise : Corruption
{
    internal override int Place => 2;

    /// <inheritdoc/>
    public override void Apply(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        double share = shape.Published<double>(level, [0.01, 0.02, 0.03, 0.05, 0.07], [0.01, 0.02, 0.05, 0.08, 0.14],
            [0.03, 0.06, 0.09, 0.17, 0.27]);
        for (int i = 0; i < result.Length; i++)
        {
            double uniform = random.NextDouble();
            result[i] = uniform >= share ? image[i] : uniform < share / 2 ? 0 : 1;
        }
    }
}

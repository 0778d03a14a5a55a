using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>Counts photons: x becomes k / photons, k being of the Poisson distribution of mean photons * x.</summary>
[Kind("shot-noise")]
internal sealed class ShotNoise : Corruption
{
    internal override int Place => 1;

    /// <inheritdoc/>
    public override void Apply(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        double photons = shape.Published<double>(level, [500, 250, 100, 75, 50], [250, 100, 50, 30, 15], [60, 25, 12, 5, 3]);
        for (int i = 0; i < result.Length; i++) result[i] = (float)(Poisson(photons * image[i], random.NextDouble()) / photons);
    }

    /// <summary>The smallest count k whose probability to be reached, P(K up to k), exceeds a uniform number.</summary>
    /// <param name="mean">0 to 500.</param>
    /// <param name="uniform">0 to below 1.</param>
    private static int Poisson(double mean, double uniform)
    {
        // 22 deviations above a mean of 500: rounding may leave the sum of all probabilities below the uniform number
        const int most = 1000;
        double probability = Math.Exp(-mean), sum = probability;
        int count = 0;
        while (sum <= uniform && count < most)
        {
            probability *= mean / ++count;
            sum += probability;
        }
        return count;
    }
}

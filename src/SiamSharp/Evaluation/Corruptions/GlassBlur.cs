using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>Blurs, exchanges pixels with near ones, some rounds from the last pixel to the first, and blurs again.</summary>
/// <remarks>
/// Definition: the partner's offset is uniform over -reach to reach - 1 in both directions, the channels moving together.
/// Differences: where the scaled reach is less than 1 px, it is 1 px, and an exchange takes place with the scaled reach as
/// its probability. The authors' exchange of colour pixels in fact copies the partner's value, as the other is overwritten
/// before it is read; here both change places, as is meant, which carries some pixels farther.
/// </remarks>
[Kind("glass-blur")]
internal sealed class GlassBlur : Corruption
{
    internal override int Place => 4;

    /// <inheritdoc/>
    public override void Apply(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        double sigma = shape.Published<double>(level, [0.05, 0.25, 0.4, 0.25, 0.4], [0.1, 0.5, 0.6, 0.7, 0.9],
            [0.7, 0.9, 1, 1.1, 1.5]) * shape.Scale;
        double scaledReach = shape.Published<double>(level, [1, 1, 1, 1, 1], [1, 1, 1, 2, 2], [1, 2, 2, 3, 4]) * shape.Scale;
        int rounds = shape.Published<int>(level, [1, 1, 1, 2, 2], [1, 1, 2, 1, 2], [2, 1, 3, 2, 2]),
            reach = Math.Max(1, (int)Math.Round(scaledReach));
        var blurred = new float[image.Length];
        PlaneBlur.Gaussian(image, blurred, shape, sigma);
        for (int round = 0; round < rounds; round++)
            for (int y = shape.Height - reach; y >= reach; y--)
                for (int x = shape.Width - reach; x >= reach; x--)
                {
                    if (scaledReach < 1 && !random.Bernoulli(scaledReach)) continue;
                    int otherY = y + random.NextInt(2 * reach) - reach, otherX = x + random.NextInt(2 * reach) - reach;
                    Exchange(blurred, shape, y * shape.Width + x, otherY * shape.Width + otherX);
                }
        PlaneBlur.Gaussian(blurred, result, shape, sigma);

        static void Exchange(float[] planes, PlaneShape shape, int a, int b)
        {
            for (int first = 0; first < planes.Length; first += shape.Area)
                (planes[first + a], planes[first + b]) = (planes[first + b], planes[first + a]);
        }
    }
}

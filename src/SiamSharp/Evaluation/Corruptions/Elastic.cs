using System.Numerics;
using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>Displaces pixels by a random affine map and a smooth random field.</summary>
/// <remarks>
/// Definition: pixel p becomes the image at A(p + field(p)). A displaces three corners of a square of two thirds of the side,
/// each by a uniform vector; the field is uniform noise, -1 to 1, after a Gaussian, times alpha. The noise is one number per
/// pixel, so that a field of the same shape at another size needs alpha times the square of the scale.
/// Differences: A is drawn as the map from the result to the image, where the authors draw its inverse; one bilinear
/// interpolation takes the place of two; the Gaussian's window ends at the image's side.
/// </remarks>
[Kind("elastic")]
internal sealed class Elastic : Corruption
{
    internal override int Place => 12;

    /// <inheritdoc/>
    public override void Apply(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        int unit = shape.PublishedSide == 224 ? 244 : shape.PublishedSide; // 244 is the authors'
        double alpha = unit * shape.Published<double>(level, [0, 0.05, 0.08, 0.1, 0.1], [0, 0.05, 0.1, 0.1, 0.16],
            [2, 2, 0.05, 0.07, 0.12]) * shape.Scale * shape.Scale;
        double sigma = unit * shape.Published<double>(level, [0, 0.2, 0.06, 0.04, 0.03], [0, 0.3, 0.08, 0.03, 0.03],
            [0.7, 0.08, 0.01, 0.01, 0.01]) * shape.Scale;
        double affine = unit * shape.Published<double>(level, [0.08, 0.07, 0.06, 0.05, 0.03], [0.08, 0.06, 0.06, 0.03, 0.02],
            [0.1, 0.2, 0.02, 0.02, 0.02]) * shape.Scale;
        var map = new AffineMap(shape, affine, ref random);
        // zeros where there is no field
        float[] fieldX = SmoothNoise(shape, sigma, ref random), fieldY = SmoothNoise(shape, sigma, ref random);
        for (int i = 0; i < shape.Area; i++)
        {
            BilinearPoint at = map.Of(i % shape.Width + alpha * fieldX[i], i / shape.Width + alpha * fieldY[i], shape);
            for (int first = 0; first < image.Length; first += shape.Area) result[first + i] = at.Of(image[first..]);
        }
    }

    private static float[] SmoothNoise(PlaneShape shape, double sigma, ref RandomStream random)
    {
        float[] noise = new float[shape.Area], smooth = new float[shape.Area];
        if (sigma == 0) return smooth;
        foreach (ref float value in noise.AsSpan()) value = (float)random.Uniform(-1, 1);
        PlaneBlur.Gaussian(noise, smooth, shape, sigma);
        return smooth;
    }

    /// <summary>The affine map that displaces three corners of a square, a third of the side from the
    /// centre, at random.</summary>
    private readonly struct AffineMap
    {
        private readonly double _centreX, _centreY;
        private readonly Vector2 _shift, _perX, _perY; // displacement at the centre, and its change per pixel

        public AffineMap(PlaneShape shape, double reach, ref RandomStream random)
        {
            (_centreX, _centreY) = ((shape.Width - 1) / 2.0, (shape.Height - 1) / 2.0);
            Vector2 rightBelow = Draw(ref random), rightAbove = Draw(ref random), leftAbove = Draw(ref random);
            float square = 2 * (shape.Side / 3);
            _perY = (rightBelow - rightAbove) / square;
            _perX = (rightAbove - leftAbove) / square;
            _shift = (rightBelow + leftAbove) / 2;

            Vector2 Draw(ref RandomStream random) =>
                new((float)random.Uniform(-reach, reach), (float)random.Uniform(-reach, reach));
        }

        public BilinearPoint Of(double x, double y, PlaneShape shape)
        {
            Vector2 displacement = _shift + _perX * (float)(x - _centreX) + _perY * (float)(y - _centreY);
            return new BilinearPoint(x + displacement.X, y + displacement.Y, shape);
        }
    }
}

using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>Averages along a line of random direction, weighted by one half of a Gaussian.</summary>
[Kind("motion-blur")]
internal sealed class MotionBlur : Corruption
{
    internal override int Place => 5;

    /// <inheritdoc/>
    public override void Apply(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        double radius = shape.Published<double>(level, [6, 6, 6, 8, 9], [10, 10, 10, 10, 12], [10, 15, 15, 15, 20]);
        double sigma = shape.Published<double>(level, [1, 1.5, 2, 2, 2.5], [1, 1.5, 2, 2.5, 3], [3, 5, 8, 12, 15]);
        Kernel(radius * shape.Scale, sigma * shape.Scale, random.Uniform(-45, 45)).Filter(image, result, shape);
    }

    /// <summary>One half of a Gaussian along a line.</summary>
    /// <remarks>Source: ImageMagick's motion blur, which the authors call: the line is twice the radius long.</remarks>
    /// <param name="radius">In pixels.</param>
    /// <param name="sigma">In pixels.</param>
    /// <param name="degrees">0 = along the rows.</param>
    public static ShiftKernel Kernel(double radius, double sigma, double degrees)
    {
        int steps = Math.Max(20, (int)Math.Ceiling(2 * radius));
        var (sin, cos) = Math.SinCos(degrees * Math.PI / 180);
        var kernel = new ShiftKernel(2 * radius);
        for (int i = 0; i <= steps; i++)
        {
            double distance = 2 * radius * i / steps;
            kernel.Add(distance * cos, distance * sin, Math.Exp(-0.5 * (distance / sigma) * (distance / sigma)));
        }
        return kernel;
    }
}

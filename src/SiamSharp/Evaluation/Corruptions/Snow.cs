using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>Bleaches the image and adds flakes that fall in a random direction, and the same turned by half a turn.</summary>
/// <remarks>
/// Definition: flakes are normal noise of cells of some pixels, enlarged bilinearly, set to 0 below a
/// threshold, then motion-blurred.
/// Differences: grey is the authors' luma for three channels and the mean of the channels for others.
/// </remarks>
[Kind("snow")]
internal sealed class Snow : Corruption
{
    internal override int Place => 7;

    /// <inheritdoc/>
    public override void Apply(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        float kept = shape.Published<float>(level, [0.95f, 0.9f, 0.9f, 0.85f, 0.8f], [0.8f, 0.8f, 0.7f, 0.65f, 0.6f],
            [0.8f, 0.7f, 0.7f, 0.65f, 0.55f]);
        float[] flakes = Flakes(shape, level, ref random);
        for (int i = 0; i < shape.Area; i++)
        {
            float fallen = flakes[i] + flakes[shape.Area - 1 - i], bleached = 1.5f * Grey(image, shape, i) + 0.5f;
            for (int j = i; j < image.Length; j += shape.Area)
                result[j] = kept * image[j] + (1 - kept) * Math.Max(image[j], bleached) + fallen;
        }

        static float Grey(ReadOnlySpan<float> image, PlaneShape shape, int i)
        {
            if (shape.Channels == 3)
                return 0.299f * image[i] + 0.587f * image[shape.Area + i] + 0.114f * image[2 * shape.Area + i];
            float sum = 0;
            for (int j = i; j < image.Length; j += shape.Area) sum += image[j];
            return sum / shape.Channels;
        }
    }

    /// <summary>One plane of falling snow.</summary>
    private static float[] Flakes(PlaneShape shape, int level, ref RandomStream random)
    {
        double mean = shape.Published<double>(level, [0.1, 0.1, 0.15, 0.25, 0.3], [0.1, 0.1, 0.15, 0.25, 0.3],
            [0.1, 0.2, 0.55, 0.55, 0.55]);
        float deviation = shape.Published<float>(level, [0.2f, 0.2f, 0.3f, 0.3f, 0.3f], [0.2f, 0.2f, 0.3f, 0.3f, 0.3f],
            [0.3f, 0.3f, 0.3f, 0.3f, 0.3f]);
        double cell = Math.Max(1, shape.Published<double>(level, [1, 1, 1.75, 2.25, 1.25], [1, 1, 1.75, 2.25, 1.25],
            [3, 2, 4, 4.5, 2.5]) * shape.Scale);
        float threshold = shape.Published<float>(level, [0.6f, 0.5f, 0.55f, 0.6f, 0.65f], [0.6f, 0.5f, 0.55f, 0.6f, 0.65f],
            [0.5f, 0.5f, 0.9f, 0.85f, 0.85f]);
        double radius = shape.Published<double>(level, [8, 10, 10, 12, 14], [8, 10, 10, 12, 14], [10, 12, 12, 12, 12]);
        double sigma = shape.Published<double>(level, [3, 4, 4, 6, 12], [3, 4, 4, 6, 12], [4, 4, 8, 8, 12]);

        var cells = new PlaneShape(1, (int)(shape.Height / cell) + 2, (int)(shape.Width / cell) + 2);
        float[] noise = new float[cells.Area], flakes = new float[shape.Area], fallen = new float[shape.Area];
        random.FillNormal(noise);
        for (int i = 0; i < flakes.Length; i++)
        {
            float value =
                (float)mean + deviation * new BilinearPoint(i % shape.Width / cell, i / shape.Width / cell, cells).Of(noise);
            flakes[i] = value < threshold ? 0 : Math.Min(value, 1);
        }
        MotionBlur.Kernel(radius * shape.Scale, sigma * shape.Scale, random.Uniform(-135, -45))
            .Filter(flakes, fallen, shape with { Channels = 1 });
        return fallen;
    }
}

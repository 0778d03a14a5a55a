using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>Reduces the resolution by box averages and enlarges by repetition.</summary>
/// <remarks>Definition: a pixel becomes the mean of its block; the blocks are a share of H and W, rounded down.</remarks>
[Kind("pixelate")]
internal sealed class Pixelate : Corruption
{
    internal override int Place => 13;

    /// <inheritdoc/>
    public override void Apply(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
    {
        double resolution = shape.Published<double>(level, [0.95, 0.9, 0.85, 0.75, 0.65],
            [0.9, 0.8, 0.7, 0.6, 0.5], [0.6, 0.5, 0.4, 0.3, 0.25]);
        int rows = (int)(shape.Height * resolution), columns = (int)(shape.Width * resolution);
        Span<int> block = new int[shape.Area], counts = new int[rows * columns];
        for (int i = 0; i < shape.Area; i++)
        {
            block[i] = BlockOf(i / shape.Width, shape.Height, rows) * columns + BlockOf(i % shape.Width, shape.Width, columns);
            counts[block[i]]++;
        }
        Span<double> sums = new double[rows * columns];
        for (int first = 0; first < image.Length; first += shape.Area)
        {
            sums.Clear();
            for (int i = 0; i < shape.Area; i++) sums[block[i]] += image[first + i];
            for (int i = 0; i < shape.Area; i++) result[first + i] = (float)(sums[block[i]] / counts[block[i]]);
        }

        // the block that the pixel's centre lies in
        static int BlockOf(int position, int pixels, int blocks) => (2 * position + 1) * blocks / (2 * pixels);
    }
}

using System.Numerics;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>Clouds for fog and frost.</summary>
internal static class PlasmaFractal
{
    /// <summary>A fractal of values from 0 to 1, the same at every size but for its finest details.</summary>
    /// <remarks>
    /// Definition: diamond-square on a torus whose side is a power of two. From one grid to the next, of half the distance,
    /// points in the middle of four known ones become their mean plus a uniform number, whose range then shrinks by decay^2.
    /// Source: the authors' fog, where the square is a product of two equal factors.
    /// </remarks>
    /// <param name="shape">H and W of the part that is returned.</param>
    /// <param name="decay">More than 1; the smaller, the rougher.</param>
    /// <param name="random">The sample's stream.</param>
    /// <returns>(H, W).</returns>
    public static float[] Draw(PlaneShape shape, double decay, ref RandomStream random)
    {
        int size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(shape.Height, shape.Width)), mask = size - 1;
        var map = new double[size * size];
        double range = 1;
        for (int step = size; step >= 2; step /= 2, range /= decay * decay)
        {
            int half = step / 2;
            for (int y = half; y < size; y += step)
                for (int x = half; x < size; x += step)
                    map[y * size + x] =
                        (At(y - half, x - half) + At(y - half, x + half) + At(y + half, x - half) + At(y + half, x + half)) / 4
                            + random.Uniform(-range, range);
            for (int y = 0; y < size; y += half)
                for (int x = (y + half) % step; x < size; x += step)
                    map[y * size + x] = (At(y - half, x) + At(y + half, x) + At(y, x - half) + At(y, x + half)) / 4
                        + random.Uniform(-range, range);
        }
        double low = map.Min(), high = map.Max();
        var part = new float[shape.Area];
        for (int i = 0; i < part.Length; i++) part[i] = (float)((At(i / shape.Width, i % shape.Width) - low) / (high - low));
        return part;

        double At(int y, int x) => map[(y & mask) * size + (x & mask)];
    }
}

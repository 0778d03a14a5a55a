using System.Buffers;
using System.Numerics;

namespace SiamSharp.Filters;

/// <summary>Gaussian blur of one plane of H x W values, on the CPU.</summary>
internal static class GaussianFilter
{
    /// <summary>The window's weights, which add up to 1.</summary>
    /// <remarks>
    /// Definition: w_i = exp(-i^2 / (2 sigma^2)) / sum, i from -kernel/2 to kernel/2.
    /// Source: torchvision's gaussian_blur. Differences: always computed in double precision.
    /// </remarks>
    public static T[] Weights<T>(double sigma, int kernel) where T : unmanaged, INumber<T>
    {
        var weights = new double[kernel];
        for (int i = 0; i < kernel; i++)
        {
            double distance = (i - kernel / 2) / sigma;
            weights[i] = Math.Exp(-0.5 * distance * distance);
        }
        double sum = weights.Sum();
        return Array.ConvertAll(weights, weight => T.CreateChecked(weight / sum));
    }

    /// <summary>The odd window that holds three sigmas to each side and still fits a plane of this side.</summary>
    public static int KernelFor(double sigma, int side) => 2 * Math.Min((int)Math.Ceiling(3 * sigma), side - 1) + 1;

    /// <summary>Blurs one plane; its borders are continued by reflection.</summary>
    /// <remarks>
    /// Definition: first along the rows, then along the columns; the pixel beside the border is the mirror's first.
    /// Differences: none to torchvision but rounding. Products and sums in a fixed order: the same bits everywhere.
    /// Cost: 2 * kernel multiplications per pixel; memory for (H + kernel) * W values from the pool.
    /// </remarks>
    /// <param name="plane">(H, W).</param>
    /// <param name="blurred">(H, W); must not overlap <paramref name="plane"/>.</param>
    /// <param name="height">H, more than half the window.</param>
    /// <param name="width">W, more than half the window.</param>
    /// <param name="weights">The window's weights, an odd number of them.</param>
    public static void Blur<T>(ReadOnlySpan<T> plane, Span<T> blurred, int height, int width, ReadOnlySpan<T> weights)
        where T : unmanaged, INumber<T>
    {
        int radius = weights.Length / 2, paddedWidth = width + 2 * radius;
        T[] buffer = ArrayPool<T>.Shared.Rent((height + 2 * radius) * width + paddedWidth);
        Span<T> rows = buffer.AsSpan(0, (height + 2 * radius) * width), row = buffer.AsSpan(rows.Length, paddedWidth);
        for (int y = 0; y < height; y++)
        {
            plane.Slice(y * width, width).CopyTo(row[radius..]);
            for (int x = 1; x <= radius; x++)
            {
                row[radius - x] = row[radius + x];
                row[radius + width - 1 + x] = row[radius + width - 1 - x];
            }
            WeightedSum.Of(row, 1, weights, rows.Slice((radius + y) * width, width));
        }
        for (int y = 1; y <= radius; y++)
        {
            Row(rows, radius + y).CopyTo(Row(rows, radius - y));
            Row(rows, radius + height - 1 - y).CopyTo(Row(rows, radius + height - 1 + y));
        }
        WeightedSum.Of(rows, width, weights, blurred);
        ArrayPool<T>.Shared.Return(buffer);

        Span<T> Row(Span<T> all, int y) => all.Slice(y * width, width);
    }
}

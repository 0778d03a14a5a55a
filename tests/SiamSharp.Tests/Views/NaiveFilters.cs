namespace SiamSharp.Tests.Views;

/// <summary>The filters as loops over single pixels, in double precision.</summary>
internal static class NaiveFilters
{
    /// <summary>Two-dimensional Gaussian blur with reflected borders.</summary>
    public static double[] Blur(double[] plane, int height, int width, double sigma, int kernel)
    {
        int radius = kernel / 2;
        var blurred = new double[plane.Length];
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
            {
                double sum = 0, total = 0;
                for (int dy = -radius; dy <= radius; dy++)
                    for (int dx = -radius; dx <= radius; dx++)
                    {
                        double weight = Math.Exp(-(dx * dx + dy * dy) / (2 * sigma * sigma));
                        sum += weight * plane[Reflect(y + dy, height) * width + Reflect(x + dx, width)];
                        total += weight;
                    }
                blurred[y * width + x] = sum / total;
            }
        return blurred;
    }

    private static int Reflect(int i, int length) => i < 0 ? -i : i >= length ? 2 * (length - 1) - i : i;

    /// <summary>Triangle-filtered resizing of a window, each output pixel from all pixels of the window.</summary>
    public static double[] Resize(double[] plane, int width, int top, int left, int h, int w, int size)
    {
        var result = new double[size * size];
        for (int y = 0; y < size; y++)
            for (int x = 0; x < size; x++)
            {
                double sum = 0, total = 0;
                for (int i = 0; i < h; i++)
                    for (int j = 0; j < w; j++)
                    {
                        double weight = Triangle(i, y, h, size) * Triangle(j, x, w, size);
                        sum += weight * plane[(top + i) * width + left + j];
                        total += weight;
                    }
                result[y * size + x] = sum / total;
            }
        return result;
    }

    private static double Triangle(int input, int output, int length, int size)
    {
        double scale = (double)length / size, centre = scale * (output + 0.5), reach = Math.Max(1, scale);
        int low = Math.Max(0, (int)(centre - reach + 0.5)), high = Math.Min(length, (int)(centre + reach + 0.5));
        return input < low || input >= high ? 0 : Math.Max(0, 1 - Math.Abs(input + 0.5 - centre) / reach);
    }
}

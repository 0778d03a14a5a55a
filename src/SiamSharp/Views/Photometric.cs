using System.Buffers;
using SiamSharp.Filters;
using SiamSharp.Randomness;

namespace SiamSharp.Views;

/// <summary>Changes of brightness and colour, in place, on one image of pixels from 0 to 1.</summary>
/// <remarks>Source: torchvision's functional transforms of float tensors; results are limited to 0 to 1 as theirs.</remarks>
internal static class Photometric
{
    /// <summary>Brightness, contrast, saturation and hue in random order, each with a random factor.</summary>
    /// <remarks>Source: torchvision's ColorJitter. Differences: none; a half width of 0 leaves that part out.</remarks>
    /// <param name="image">(C, H, W).</param>
    /// <param name="channels">C; saturation and hue need 3.</param>
    /// <param name="options">Half widths.</param>
    /// <param name="random">The view's stream.</param>
    public static void ColorJitter(Span<float> image, int channels, ColorJitterOptions options, ref RandomStream random)
    {
        Span<int> order = [0, 1, 2, 3];
        random.Shuffle(order);
        double brightness = Factor(options.Brightness, ref random), contrast = Factor(options.Contrast, ref random);
        double saturation = Factor(options.Saturation, ref random), hue = random.Uniform(-options.Hue, options.Hue);
        foreach (int part in order)
        {
            if (part == 0 && options.Brightness > 0) Brightness(image, (float)brightness);
            if (part == 1 && options.Contrast > 0) Contrast(image, channels, (float)contrast);
            if (part == 2 && options.Saturation > 0) Saturation(image, (float)saturation);
            if (part == 3 && options.Hue > 0) Hue.Shift(image, (float)hue);
        }

        static double Factor(double halfWidth, ref RandomStream random) =>
            random.Uniform(Math.Max(0, 1 - halfWidth), 1 + halfWidth);
    }

    /// <summary>x becomes factor * x.</summary>
    public static void Brightness(Span<float> image, float factor)
    {
        foreach (ref float x in image) x = Math.Clamp(factor * x, 0, 1);
    }

    /// <summary>x becomes factor * x + (1 - factor) * m, m being the mean grey of the image.</summary>
    /// <remarks>Differences: torchvision knows 1 and 3 channels; for others, m is the mean of all values.</remarks>
    public static void Contrast(Span<float> image, int channels, float factor)
    {
        double sum = 0;
        int area = image.Length / channels;
        if (channels == 3)
            for (int i = 0; i < area; i++) sum += Luma(image, area, i);
        else
            foreach (float x in image) sum += x;
        float rest = (1 - factor) * (float)(sum / (channels == 3 ? area : image.Length));
        foreach (ref float x in image) x = Math.Clamp(factor * x + rest, 0, 1);
    }

    /// <summary>x becomes factor * x + (1 - factor) * its grey.</summary>
    /// <param name="image">(3, H, W).</param>
    /// <param name="factor">0 = grey, 1 = unchanged.</param>
    public static void Saturation(Span<float> image, float factor)
    {
        int area = image.Length / 3;
        for (int i = 0; i < area; i++)
        {
            float rest = (1 - factor) * Luma(image, area, i);
            for (int j = i; j < image.Length; j += area) image[j] = Math.Clamp(factor * image[j] + rest, 0, 1);
        }
    }

    /// <summary>Replaces red, green and blue by their grey.</summary>
    /// <param name="image">(3, H, W).</param>
    public static void Grayscale(Span<float> image)
    {
        int area = image.Length / 3;
        for (int i = 0; i < area; i++) image[i] = image[area + i] = image[2 * area + i] = Luma(image, area, i);
    }

    /// <summary>Blurs every channel.</summary>
    /// <remarks>Differences: the window holds three sigmas to each side; SimCLR's is a tenth of the image.</remarks>
    /// <param name="image">(C, S, S).</param>
    /// <param name="channels">C.</param>
    /// <param name="size">S in pixels.</param>
    /// <param name="sigma">Standard deviation in pixels.</param>
    public static void Blur(Span<float> image, int channels, int size, double sigma)
    {
        float[] weights = GaussianFilter.Weights<float>(sigma, GaussianFilter.KernelFor(sigma, size));
        float[] buffer = ArrayPool<float>.Shared.Rent(size * size);
        Span<float> blurred = buffer.AsSpan(0, size * size);
        for (int c = 0; c < channels; c++)
        {
            Span<float> plane = image.Slice(c * size * size, size * size);
            GaussianFilter.Blur<float>(plane, blurred, size, size, weights);
            blurred.CopyTo(plane);
        }
        ArrayPool<float>.Shared.Return(buffer);
    }

    /// <summary>x becomes 1 - x where it is at least the threshold.</summary>
    public static void Solarize(Span<float> image, float threshold)
    {
        foreach (ref float x in image)
            if (x >= threshold) x = 1 - x;
    }

    private static float Luma(ReadOnlySpan<float> image, int area, int i) =>
        0.2989f * image[i] + 0.587f * image[area + i] + 0.114f * image[2 * area + i];
}

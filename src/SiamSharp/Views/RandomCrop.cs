using SiamSharp.Filters;
using SiamSharp.Randomness;

namespace SiamSharp.Views;

/// <summary>Draws the part of an image that a view shows.</summary>
internal static class RandomCrop
{
    /// <summary>Draws the window of a random resized crop.</summary>
    /// <remarks>
    /// Definition: uniform area, log-uniform aspect and uniform place; after ten windows that do not fit, the largest centred
    /// window within the range of aspects. Source: torchvision's RandomResizedCrop.get_params. Differences: none.
    /// </remarks>
    public static CropWindow Draw(CropOptions options, int height, int width, ref RandomStream random)
    {
        double low = Math.Log(options.MinAspect), high = Math.Log(options.MaxAspect);
        for (int attempt = 0; attempt < 10; attempt++)
        {
            double area = height * width * random.Uniform(options.MinArea, options.MaxArea);
            double aspect = Math.Exp(random.Uniform(low, high));
            int w = (int)Math.Round(Math.Sqrt(area * aspect)), h = (int)Math.Round(Math.Sqrt(area / aspect));
            if (w > 0 && w <= width && h > 0 && h <= height)
                return new(random.NextInt(height - h + 1), random.NextInt(width - w + 1), h, w);
        }
        return Centre(options, height, width);
    }

    /// <summary>The largest centred window whose aspect is within the range.</summary>
    private static CropWindow Centre(CropOptions options, int height, int width)
    {
        double aspect = (double)width / height;
        int w = aspect > options.MaxAspect ? (int)Math.Round(height * options.MaxAspect) : width;
        int h = aspect < options.MinAspect ? (int)Math.Round(width / options.MinAspect) : height;
        return new((height - h) / 2, (width - w) / 2, h, w);
    }
}

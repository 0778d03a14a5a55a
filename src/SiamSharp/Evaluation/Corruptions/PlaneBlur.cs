using SiamSharp.Filters;

namespace SiamSharp.Evaluation;

/// <summary>Blurs each plane of an image.</summary>
internal static class PlaneBlur
{
    /// <summary>With a Gaussian; the borders are continued by reflection.</summary>
    /// <param name="image">(C, H, W).</param>
    /// <param name="result">(C, H, W); must not overlap the image.</param>
    /// <param name="shape">C, H and W.</param>
    /// <param name="sigma">In pixels, more than 0.</param>
    public static void Gaussian(ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, double sigma)
    {
        float[] weights = GaussianFilter.Weights<float>(sigma, GaussianFilter.KernelFor(sigma, shape.Side));
        for (int first = 0; first < image.Length; first += shape.Area)
            GaussianFilter.Blur<float>(image.Slice(first, shape.Area), result.Slice(first, shape.Area),
                shape.Height, shape.Width, weights);
    }
}

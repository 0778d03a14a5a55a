using NetVips;

namespace SiamSharp.Data;

/// <summary>Makes an image square and scales it, antialiased.</summary>
internal static class SquareFit
{
    /// <summary>
    /// Crops to the centre (or stretches) and scales to <paramref name="size"/> x <paramref name="size"/> pixels.
    /// </summary>
    /// <remarks>
    /// Definition: Lanczos3 when shrinking (its support grows with the factor), bicubic when enlarging. The centre square of a
    /// W x H image starts at ((W - s) / 2, (H - s) / 2) with s = min(W, H), rounded down.
    /// </remarks>
    /// <returns>A lazy image of the same bands and format, owned by the caller.</returns>
    public static Image Apply(Image image, int size, Fit fit)
    {
        if (fit == Fit.Stretch) return Scale(image, size);
        int side = Math.Min(image.Width, image.Height);
        using var square = image.Crop((image.Width - side) / 2, (image.Height - side) / 2, side, side);
        return Scale(square, size);
    }

    /// <summary>The share of a W x H image that lies outside of its centre square; 0 where it is stretched.</summary>
    public static double CutOff(int width, int height, Fit fit) =>
        fit == Fit.Stretch ? 0 : 1 - (double)Math.Min(width, height) / Math.Max(width, height);

    private static Image Scale(Image image, int size)
    {
        if (image.Width == size && image.Height == size) return image.Copy();
        double across = (double)size / image.Width, down = (double)size / image.Height;
        if (image.Format != Enums.BandFormat.Ushort) return image.Resize(across, vscale: down);
        // For integers libvips' weights are so coarse that their sum is off by 0.1 %: nothing at 8 bits, a lot at 16.
        using var exact = image.Cast(Enums.BandFormat.Float);
        using var scaled = exact.Resize(across, vscale: down);
        using var rounded = scaled.Rint();
        return rounded.Cast(Enums.BandFormat.Ushort);
    }
}

using NetVips;

namespace SiamSharp.Data;

/// <summary>Turns any image into plain channels: grey, RGB or as many bands as there are, without alpha.</summary>
internal static class ImageColours
{
    /// <summary>Converts other colour spaces to sRGB and lays transparent images on their background.</summary>
    /// <remarks>
    /// Definition: with opacity a from 0 to 1, value v and background b of a channel: v a + b (1 - a). The mean background is
    /// sum(v a) / sum(a) over the whole image at its full size, 0 where all of it is transparent. CMYK, Lab and the like become
    /// 8-bit sRGB. Grey and RGB values stay as stored: their colour profiles are not applied.
    /// Cost: an image with alpha is held in memory at its full size.
    /// </remarks>
    /// <param name="image">As loaded.</param>
    /// <param name="hasAlpha">Whether its last band is opacity.</param>
    /// <param name="background">What shows through.</param>
    /// <param name="visible">How much of the image is not transparent.</param>
    /// <returns>A lazy image, owned by the caller.</returns>
    public static Image Plain(Image image, bool hasAlpha, AlphaBackground background, out Visible visible)
    {
        visible = Visible.All;
        if (IsPlain(image.Interpretation)) return hasAlpha ? Compose(image, background, out visible) : image.Copy();
        using var rgb = image.Colourspace(Enums.Interpretation.Srgb);
        return hasAlpha ? Compose(rgb, background, out visible) : rgb.Copy();
    }

    /// <summary>Number of channels that <see cref="Plain"/> gives.</summary>
    public static int ChannelsOf(Image image, bool hasAlpha) =>
        IsPlain(image.Interpretation) ? image.Bands - (hasAlpha ? 1 : 0) : 3;

    /// <summary>Whether values are taken as they are stored.</summary>
    public static bool IsPlain(Enums.Interpretation interpretation) => interpretation is not (Enums.Interpretation.Cmyk
        or Enums.Interpretation.Lab or Enums.Interpretation.Labs or Enums.Interpretation.Labq or Enums.Interpretation.Lch
        or Enums.Interpretation.Xyz or Enums.Interpretation.Yxy or Enums.Interpretation.Hsv);

    private static Image Compose(Image image, AlphaBackground background, out Visible visible)
    {
        double full = VipsPixels.BitDepthOf(image) switch { 8 => byte.MaxValue, 16 => ushort.MaxValue, _ => 1 };
        using var whole = image.CopyMemory();
        using var colour = whole.ExtractBand(0, n: whole.Bands - 1);
        using var alpha = whole[whole.Bands - 1];
        visible = alpha.Min() >= full ? Visible.All : alpha.Max() > 0 ? Visible.Partly : Visible.None;
        if (visible == Visible.All) return colour.Copy();
        using var weighted = colour * alpha;
        double[] behind = background switch
        {
            AlphaBackground.Black => new double[colour.Bands],
            AlphaBackground.White => [.. Enumerable.Repeat(full, colour.Bands)],
            _ => WeightedMeans(weighted, alpha),
        };
        // v a + b (full - a), over full
        using var uncovered = alpha.Linear([-1.0], [full]);
        using var shown = uncovered.Linear(behind, new double[behind.Length]);
        using var sum = weighted + shown;
        using var composed = sum / full;
        if (full == 1) return composed.Cast(Enums.BandFormat.Float);
        using var rounded = composed.Rint();
        return rounded.Cast(image.Format);
    }

    private static double[] WeightedMeans(Image weighted, Image alpha)
    {
        double opacity = alpha.Avg();
        double[] means = new double[weighted.Bands];
        if (opacity == 0) return means;
        for (int c = 0; c < means.Length; c++)
        {
            using var band = weighted[c];
            means[c] = band.Avg() / opacity;
        }
        return means;
    }
}

/// <summary>How much of an image is not transparent.</summary>
internal enum Visible
{
    /// <summary>Every pixel is opaque.</summary>
    All,

    /// <summary>Something shows through.</summary>
    Partly,

    /// <summary>Every pixel is transparent.</summary>
    None,
}

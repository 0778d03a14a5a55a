namespace SiamSharp.Views;

/// <summary>Turns the colour wheel.</summary>
internal static class Hue
{
    /// <summary>Adds to the hue of every pixel, in place.</summary>
    /// <remarks>Definition: red, green and blue to hue, saturation and value, and back. Source: torchvision.</remarks>
    /// <param name="image">(3, H, W), 0 to 1.</param>
    /// <param name="shift">In turns of the wheel, -0.5 to 0.5.</param>
    public static void Shift(Span<float> image, float shift)
    {
        int area = image.Length / 3;
        for (int i = 0; i < area; i++)
        {
            ref float r = ref image[i], g = ref image[area + i], b = ref image[2 * area + i];
            float value = Math.Max(r, Math.Max(g, b)), chroma = value - Math.Min(r, Math.Min(g, b));
            if (chroma == 0) continue;
            float sixths = value == r ? (g - b) / chroma
                : value == g ? 2 + (b - r) / chroma
                : 4 + (r - g) / chroma;
            float hue = sixths / 6 + shift;
            hue = 6 * (hue - MathF.Floor(hue));
            r = Channel(5, hue, value, chroma);
            g = Channel(3, hue, value, chroma);
            b = Channel(1, hue, value, chroma);
        }
    }

    /// <summary>One channel of a colour; the offsets 5, 3 and 1 give red, green and blue.</summary>
    private static float Channel(int offset, float hue, float value, float chroma)
    {
        float k = offset + hue;
        if (k >= 6) k -= 6;
        return value - chroma * Math.Clamp(Math.Min(k, 4 - k), 0, 1);
    }
}

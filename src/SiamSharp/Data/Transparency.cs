using NetVips;

namespace SiamSharp.Data;

/// <summary>What kind of picture a transparent image is, to choose what shows through.</summary>
/// <param name="IsDrawing">Most neighbours on a row are exactly equal where the image is visible, as in drawings and
/// never in photographs.</param>
/// <param name="Silhouette">Where all that is visible is of one colour: how bright it is, 0 to 1; otherwise null.</param>
internal sealed record Transparency(bool IsDrawing, double? Silhouette)
{
    private const int MaxLooked = 200, Opaque = 128, Tolerance = 8, FewSilhouettes = 100; // one in so many
    private const double DrawingShare = 0.5, Bright = 0.9, Dark = 0.1;

    /// <summary>Looks at one image with alpha as its last band; null where none of it is transparent.</summary>
    public static Transparency? Of(Image image)
    {
        using var plain = ImageColours.IsPlain(image.Interpretation) ? image.Copy()
            : image.Colourspace(Enums.Interpretation.Srgb);
        using var bytes = plain.Format == Enums.BandFormat.Uchar ? plain.Copy()
            : plain.Format == Enums.BandFormat.Ushort ? (plain / 257).Cast(Enums.BandFormat.Uchar)
            : (plain * 255).Cast(Enums.BandFormat.Uchar);
        byte[] values = bytes.WriteToMemory<byte>();
        int bands = bytes.Bands, width = bytes.Width;
        long pairs = 0, equal = 0;
        bool transparent = false;
        byte[] least = new byte[bands], most = new byte[bands];
        Array.Fill(least, byte.MaxValue);
        for (int i = 0; i < values.Length / bands; i++)
        {
            ReadOnlySpan<byte> pixel = values.AsSpan(i * bands, bands);
            transparent |= pixel[^1] < byte.MaxValue;
            if (pixel[^1] < Opaque) continue;
            for (int c = 0; c < bands - 1; c++) (least[c], most[c]) = (Math.Min(least[c], pixel[c]), Math.Max(most[c], pixel[c]));
            if (i % width == 0 || values[i * bands - 1] < Opaque) continue;
            pairs++;
            if (pixel[..^1].SequenceEqual(values.AsSpan((i - 1) * bands, bands - 1))) equal++;
        }
        if (!transparent) return null;
        bool one = Enumerable.Range(0, bands - 1).All(c => most[c] - least[c] <= Tolerance && least[c] <= most[c]);
        return new(pairs > 0 && equal > DrawingShare * pairs, one ? most.Take(bands - 1).Average(v => v / 255.0) : null);
    }

    /// <summary>The background for a set of images: see <see cref="AlphaBackground.Auto"/>.</summary>
    /// <param name="withAlpha">Paths of the images that have alpha; up to 200 of them, evenly spread, are looked at.</param>
    /// <param name="options">How they are decoded.</param>
    public static AlphaBackground Choose(IReadOnlyList<string> withAlpha, DataOptions options)
    {
        int looked = Math.Min(MaxLooked, withAlpha.Count);
        var found = new Transparency?[looked];
        DecodingThreads.Run(options.Threads, looked, i =>
        {
            try
            {
                found[i] = ImageFile.TransparencyOf(withAlpha[(int)((long)i * withAlpha.Count / looked)], options);
            }
            catch (UnreadableImageException)
            {
                // told when it is decoded
            }
        }, CancellationToken.None);
        Transparency[] seen = [.. found.OfType<Transparency>()];
        int silhouettes = seen.Count(s => s.Silhouette is not null), bright = seen.Count(s => s.Silhouette > Bright),
            dark = seen.Count(s => s.Silhouette < Dark);
        // The mean of a silhouette is its own colour: nothing of it would be left, while a photograph loses nothing on white.
        if (2 * seen.Count(s => s.IsDrawing) <= seen.Length && FewSilhouettes * silhouettes < seen.Length)
            return AlphaBackground.Mean;
        return bright > dark ? AlphaBackground.Black : AlphaBackground.White;
    }
}

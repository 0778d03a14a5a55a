using System.ComponentModel.DataAnnotations;
using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Masking;

/// <summary>Keeps one window of the view visible and removes everything around it.</summary>
/// <remarks>
/// Definition: a window of the image's own aspect with the drawn share of its area, rounded to whole pixels, at a uniform place.
/// Source: the focal masks of Jing, Zhu and LeCun 2022, "Masked siamese ConvNets".
/// </remarks>
[Kind("focal")]
public sealed record FocalMask : Mask
{
    /// <summary>
    /// Smallest share of the view that stays visible. Each mask draws its share between minKeep and maxKeep.
    /// </summary>
    [Range(0.01, 1.0)] public double MinKeep { get; init; } = 0.3;

    /// <summary>Largest share of the view that stays visible.</summary>
    [Range(0.01, 1.0)] public double MaxKeep { get; init; } = 0.7;

    /// <inheritdoc/>
    public override void DrawPlane(Span<bool> keepMask, int height, int width, ref RandomStream random)
    {
        double side = Math.Sqrt(random.Uniform(MinKeep, MaxKeep));
        int h = Math.Max(1, (int)Math.Round(side * height)), w = Math.Max(1, (int)Math.Round(side * width));
        int top = random.NextInt(height - h + 1), left = random.NextInt(width - w + 1);
        keepMask.Clear();
        for (int y = top; y < top + h; y++) keepMask.Slice(y * width + left, w).Fill(true);
    }

    /// <inheritdoc/>
    public override IEnumerable<Fault> Faults()
    {
        if (MinKeep > MaxKeep)
            yield return new("minKeep", $"{MinKeep} is more than maxKeep, {MaxKeep}: lower the one or raise the other");
    }
}

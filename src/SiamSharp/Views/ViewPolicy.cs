using System.ComponentModel.DataAnnotations;
using SiamSharp.Masking;
using SiamSharp.Options;

namespace SiamSharp.Views;

/// <summary>How one kind of view is made; the parts are applied in the order in which they stand here.</summary>
public sealed record ViewPolicy : IHasRules
{
    /// <summary>How many views of this kind each image gives.</summary>
    [Range(1, 64)] public int Count { get; init; } = 1;

    /// <summary>Side of these views in pixels; 0 = <c>data.size</c>.</summary>
    [Range(0, 1024)] public int Size { get; init; }

    /// <summary>Random crop, resized to the view.</summary>
    public CropOptions Crop { get; init; } = new();

    /// <summary>Share of the views that are mirrored left to right.</summary>
    [Range(0.0, 1.0)] public double FlipProbability { get; init; }

    /// <summary>Changes of brightness, contrast, saturation and hue.</summary>
    public ColorJitterOptions ColorJitter { get; init; } = new();

    /// <summary>Share of the views that lose their colour. It needs images of 3 channels.</summary>
    [Range(0.0, 1.0)] public double GrayscaleProbability { get; init; }

    /// <summary>Gaussian blur.</summary>
    public BlurOptions Blur { get; init; } = new();

    /// <summary>Inversion of bright pixels.</summary>
    public SolarizeOptions Solarize { get; init; } = new();

    /// <summary>
    /// Masks to choose from. Each view gets at most one of them; their probabilities say how often each is taken.
    /// </summary>
    public IReadOnlyList<Mask> Masks { get; init; } = [];

    /// <summary>Side of these views for images of a side in pixels.</summary>
    internal int SizeFor(int imageSize) => Size == 0 ? imageSize : Size;

    /// <summary>Whether any part works on pixels, ahead of the high-pass.</summary>
    internal bool ChangesPixels => Crop.Probability > 0 || FlipProbability > 0 || ColorJitter.Probability > 0
        || GrayscaleProbability > 0 || Blur.Probability > 0 || Solarize.Probability > 0;

    /// <summary>Whether any part is defined for pixels from 0 to 1 only.</summary>
    internal bool NeedsUnitRange => NeedingUnitRange.Any();

    /// <summary>The parts in use that are defined for pixels from 0 to 1 only.</summary>
    internal IEnumerable<string> NeedingUnitRange =>
        from part in new[] { ("colorJitter", ColorJitter.Probability), ("solarize", Solarize.Probability) }
        where part.Item2 > 0
        select part.Item1;

    /// <summary>The options in use that mix red, green and blue, and their values.</summary>
    internal IEnumerable<(string Option, double Value)> NeedingRgb =>
        from used in new (string Option, double Value)[]
        {
            ("grayscaleProbability", GrayscaleProbability),
            ("colorJitter.saturation", ColorJitter.Probability > 0 ? ColorJitter.Saturation : 0),
            ("colorJitter.hue", ColorJitter.Probability > 0 ? ColorJitter.Hue : 0),
        }
        where used.Value > 0
        select used;

    /// <inheritdoc/>
    public IEnumerable<Fault> Faults()
    {
        double sum = Masks.Sum(mask => mask.Probability);
        if (sum > 1 + 1e-9)
            yield return new("masks", $"the probabilities add up to {sum:0.###}, but a view takes one mask: at most 1");
    }
}

/// <summary>Random resized crop.</summary>
/// <remarks>Source: torchvision's RandomResizedCrop (Szegedy et al. 2014, arXiv 1409.4842, section 6).</remarks>
public sealed record CropOptions : IHasRules
{
    /// <summary>Share of the views that are a random crop, scaled to the size of the view.</summary>
    [Range(0.0, 1.0)] public double Probability { get; init; }

    /// <summary>Smallest share of the image's area that a crop shows.</summary>
    [Range(0.001, 1.0)] public double MinArea { get; init; } = 0.2;

    /// <summary>Largest share of the image's area that a crop shows.</summary>
    [Range(0.001, 1.0)] public double MaxArea { get; init; } = 1;

    /// <summary>Smallest ratio of a crop's width to its height.</summary>
    [Range(0.1, 10.0)] public double MinAspect { get; init; } = 3.0 / 4;

    /// <summary>Largest ratio of a crop's width to its height.</summary>
    [Range(0.1, 10.0)] public double MaxAspect { get; init; } = 4.0 / 3;

    /// <inheritdoc/>
    public IEnumerable<Fault> Faults()
    {
        if (MinArea > MaxArea)
            yield return new("minArea", $"{MinArea} is more than maxArea, {MaxArea}: lower the one or raise the other");
        if (MinAspect > MaxAspect)
            yield return new("minAspect", $"{MinAspect} is more than maxAspect, {MaxAspect}: lower the one or raise the other");
    }
}

/// <summary>Random changes of colour, in random order; each factor is uniform around no change.</summary>
public sealed record ColorJitterOptions
{
    /// <summary>Share of the views whose brightness and colours are changed.</summary>
    [Range(0.0, 1.0)] public double Probability { get; init; }

    /// <summary>
    /// Brightness is multiplied by a random factor from 1 - x to 1 + x, x being this number; 0 = unchanged.
    /// </summary>
    [Range(0.0, 10.0)] public double Brightness { get; init; }

    /// <summary>Contrast is multiplied by a random factor from 1 - x to 1 + x, x being this number; 0 = unchanged.</summary>
    [Range(0.0, 10.0)] public double Contrast { get; init; }

    /// <summary>
    /// Saturation is multiplied by a random factor from 1 - x to 1 + x, x being this number; 0 = unchanged. It needs images
    /// of 3 channels.
    /// </summary>
    [Range(0.0, 10.0)] public double Saturation { get; init; }

    /// <summary>
    /// Hue is shifted at random, by at most this part of a turn of the colour wheel to either side; 0 = unchanged. It needs
    /// images of 3 channels.
    /// </summary>
    [Range(0.0, 0.5)] public double Hue { get; init; }
}

/// <summary>Gaussian blur of random strength.</summary>
public sealed record BlurOptions : IHasRules
{
    /// <summary>Share of the views that are blurred.</summary>
    [Range(0.0, 1.0)] public double Probability { get; init; }

    /// <summary>Weakest blur: standard deviation of the Gaussian in pixels.</summary>
    [Range(0.01, 100.0)] public double MinSigma { get; init; } = 0.1;

    /// <summary>Strongest blur: standard deviation of the Gaussian in pixels.</summary>
    [Range(0.01, 100.0)] public double MaxSigma { get; init; } = 2;

    /// <inheritdoc/>
    public IEnumerable<Fault> Faults()
    {
        if (MinSigma > MaxSigma)
            yield return new("minSigma", $"{MinSigma} is more than maxSigma, {MaxSigma}: lower the one or raise the other");
    }
}

/// <summary>Inversion of the pixels at or above a threshold.</summary>
public sealed record SolarizeOptions
{
    /// <summary>Share of the views in which bright pixels are inverted.</summary>
    [Range(0.0, 1.0)] public double Probability { get; init; }

    /// <summary>Pixels of this value and above are inverted: x becomes 1 - x. 0 is black, 1 is white.</summary>
    [Range(0.0, 1.0)] public double Threshold { get; init; } = 0.5;
}

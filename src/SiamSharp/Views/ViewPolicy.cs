using System.ComponentModel.DataAnnotations;
using SiamSharp.Masking;
using SiamSharp.Options;

namespace SiamSharp.Views;

/// <summary>How one kind of view is made; the parts are applied in the order in which they stand here.</summary>
public sealed record ViewPolicy : IHasRules
{
    /// <summary>Views of this kind per sample.</summary>
    [Range(1, 64)] public int Count { get; init; } = 1;

    /// <summary>Side of these views in pixels; 0 = <c>data.size</c>.</summary>
    [Range(0, 1024)] public int Size { get; init; }

    /// <summary>Random crop, resized to the view.</summary>
    public CropOptions Crop { get; init; } = new();

    /// <summary>Share of the views mirrored left to right.</summary>
    [Range(0.0, 1.0)] public double FlipProbability { get; init; }

    /// <summary>Changes of brightness, contrast, saturation and hue.</summary>
    public ColorJitterOptions ColorJitter { get; init; } = new();

    /// <summary>Share of the views that lose their colour; needs 3 channels.</summary>
    [Range(0.0, 1.0)] public double GrayscaleProbability { get; init; }

    /// <summary>Gaussian blur.</summary>
    public BlurOptions Blur { get; init; } = new();

    /// <summary>Inversion of bright pixels.</summary>
    public SolarizeOptions Solarize { get; init; } = new();

    /// <summary>Masks to choose from: each view takes at most one, by their probabilities.</summary>
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
    /// <summary>Share of the views that are cropped.</summary>
    [Range(0.0, 1.0)] public double Probability { get; init; }

    /// <summary>Smallest share of the image's area.</summary>
    [Range(0.001, 1.0)] public double MinArea { get; init; } = 0.2;

    /// <summary>Largest share of the image's area.</summary>
    [Range(0.001, 1.0)] public double MaxArea { get; init; } = 1;

    /// <summary>Smallest width / height.</summary>
    [Range(0.1, 10.0)] public double MinAspect { get; init; } = 3.0 / 4;

    /// <summary>Largest width / height.</summary>
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
    /// <summary>Share of the views that are changed.</summary>
    [Range(0.0, 1.0)] public double Probability { get; init; }

    /// <summary>Half width of the brightness factor around 1.</summary>
    [Range(0.0, 10.0)] public double Brightness { get; init; }

    /// <summary>Half width of the contrast factor around 1.</summary>
    [Range(0.0, 10.0)] public double Contrast { get; init; }

    /// <summary>Half width of the saturation factor around 1; needs 3 channels.</summary>
    [Range(0.0, 10.0)] public double Saturation { get; init; }

    /// <summary>Half width of the hue's shift around 0, in turns of the colour wheel; needs 3 channels.</summary>
    [Range(0.0, 0.5)] public double Hue { get; init; }
}

/// <summary>Gaussian blur of random strength.</summary>
public sealed record BlurOptions : IHasRules
{
    /// <summary>Share of the views that are blurred.</summary>
    [Range(0.0, 1.0)] public double Probability { get; init; }

    /// <summary>Smallest standard deviation in pixels.</summary>
    [Range(0.01, 100.0)] public double MinSigma { get; init; } = 0.1;

    /// <summary>Largest standard deviation in pixels.</summary>
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
    /// <summary>Share of the views that are changed.</summary>
    [Range(0.0, 1.0)] public double Probability { get; init; }

    /// <summary>Pixel value from which on a pixel x becomes 1 - x.</summary>
    [Range(0.0, 1.0)] public double Threshold { get; init; } = 0.5;
}

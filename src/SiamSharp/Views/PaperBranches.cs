namespace SiamSharp.Views;

/// <summary>The crops and changes of colour that the papers of siamese frameworks use, for images of any number of channels.</summary>
/// <remarks>
/// Saturation, hue and grey need red, green and blue and are left out for other images. Sides of smaller crops are given for images of
/// 224 px, as published, and scaled.
/// </remarks>
internal static class PaperBranches
{
    private const int PublishedSize = 224;

    /// <summary>Two equal views as in SimCLR's appendix A (arXiv 2002.05709) with colours of strength 0.5, blur in half of the views.</summary>
    public static IReadOnlyList<BranchOptions> SimClr(int size, int channels) => [Branch(size, channels, minArea: 0.08) with { Count = 2 }];

    /// <summary>Two equal views as in MoCo v2 (arXiv 2003.04297) and SimSiam (arXiv 2011.10566).</summary>
    public static IReadOnlyList<BranchOptions> MoCo(int size, int channels) => [Branch(size, channels, minArea: 0.2) with { Count = 2 }];

    /// <summary>Two unequal views as in BYOL's appendix B (arXiv 2006.07733): one always blurred, the other rarely blurred, sometimes solarised.</summary>
    public static IReadOnlyList<BranchOptions> Byol(int size, int channels, double minArea = 0.08) =>
    [
        Branch(size, channels, minArea, saturation: 0.2, blur: 1.0),
        Branch(size, channels, minArea, saturation: 0.2, blur: 0.1, solarize: 0.2),
    ];

    /// <summary>One kind of view: crop, flip, colours, grey in a fifth, blur, solarisation.</summary>
    public static BranchOptions Branch(int size, int channels, double minArea, double maxArea = 1, int cropSize = PublishedSize,
        double strength = 1, double saturation = 0.4, double blur = 0.5, double solarize = 0) => new()
        {
            Size = Math.Max(2, (int)Math.Round((double)size * cropSize / PublishedSize)),
            Crop = new CropOptions { Probability = 1, MinArea = minArea, MaxArea = maxArea },
            FlipProbability = 0.5,
            ColorJitter = new ColorJitterOptions
            {
                Probability = 0.8,
                Brightness = 0.4 * strength,
                Contrast = 0.4 * strength,
                Saturation = channels == 3 ? saturation * strength : 0,
                Hue = channels == 3 ? 0.1 * strength : 0,
            },
            GrayscaleProbability = channels == 3 ? 0.2 : 0,
            Blur = new BlurOptions { Probability = blur },
            Solarize = new SolarizeOptions { Probability = solarize },
        };
}

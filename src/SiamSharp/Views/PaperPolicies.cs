namespace SiamSharp.Views;

/// <summary>The crops and changes of colour that the papers of siamese frameworks use, for images of any
/// number of channels.</summary>
/// <remarks>
/// Saturation, hue and grey need red, green and blue and are left out for other images. Sides of smaller crops and sigmas of
/// blurs are published for images of 224 px, in pixels, and scaled with the side of the images; a small crop has the sigmas of
/// the large ones, as published. Some frameworks have a second published setting, for CIFAR-10 at 32 px. It is taken up to
/// <see cref="MaxSmallSide"/>, where a network's first layers too change from those of CIFAR to those of ImageNet
/// (<see cref="Backbones.Stem.Auto"/>): nothing is published between 32 and 224 px.
/// </remarks>
internal static class PaperPolicies
{
    private const int PublishedSize = 224;

    /// <summary>Side in pixels up to which images are small ones.</summary>
    private const int MaxSmallSide = 64;

    /// <summary>Two equal views as in SimCLR (arXiv 2002.05709; commands of the authors' repository).</summary>
    /// <remarks>224 px: colours of strength 1, blur in half of the views. 32 px (CIFAR-10): strength 0.5, no blur.</remarks>
    public static IReadOnlyList<ViewPolicy> SimClr(int size, int channels) => size <= MaxSmallSide
        ? [Branch(size, channels, minArea: 0.08, blur: 0) with { Count = 2 }]
        : [Branch(size, channels, minArea: 0.08, strength: 1) with { Count = 2 }];

    /// <summary>Two equal views as in MoCo v2 (arXiv 2003.04297).</summary>
    /// <remarks>
    /// 224 px: crops from 0.2, blur in half of the views. 32 px (the authors' CIFAR-10 demo): crops from 0.08, no blur.
    /// </remarks>
    public static IReadOnlyList<ViewPolicy> MoCo(int size, int channels) => size <= MaxSmallSide
        ? [Branch(size, channels, minArea: 0.08, blur: 0) with { Count = 2 }]
        : [Branch(size, channels, minArea: 0.2) with { Count = 2 }];

    /// <summary>Two equal views as in SimSiam (arXiv 2011.10566).</summary>
    /// <remarks>224 px: MoCo v2's. 32 px (CIFAR-10, appendix D): the same without blur.</remarks>
    public static IReadOnlyList<ViewPolicy> SimSiam(int size, int channels) =>
        [Branch(size, channels, minArea: 0.2, blur: size <= MaxSmallSide ? 0 : 0.5) with { Count = 2 }];

    /// <summary>Two unequal views as in BYOL's appendix B (arXiv 2006.07733): one always blurred, the other rarely blurred,
    /// sometimes solarised.</summary>
    /// <remarks>Barlow Twins and VICReg take the same. Published for 224 px alone.</remarks>
    public static IReadOnlyList<ViewPolicy> Byol(int size, int channels, double minArea = 0.08) =>
    [
        Branch(size, channels, minArea, saturation: 0.4, blur: 1.0),
        Branch(size, channels, minArea, saturation: 0.4, blur: 0.1, solarize: 0.2),
    ];

    /// <summary>One kind of view: crop, flip, colours, grey in a fifth, blur, solarisation.</summary>
    /// <param name="size">Side of the images in pixels.</param>
    /// <param name="channels">C.</param>
    /// <param name="minArea">Smallest share of the image's area.</param>
    /// <param name="maxArea">Largest share.</param>
    /// <param name="cropSize">Side of the view for images of 224 px.</param>
    /// <param name="strength">Of the colours, as SimCLR counts it: 1 = 0.8 for brightness and contrast.</param>
    /// <param name="saturation">At strength 1.</param>
    /// <param name="blur">Share of the views.</param>
    /// <param name="solarize">Share of the views.</param>
    public static ViewPolicy Branch(int size, int channels, double minArea, double maxArea = 1, int cropSize = PublishedSize,
        double strength = 0.5, double saturation = 0.8, double blur = 0.5, double solarize = 0) => new()
        {
            Size = Math.Max(2, (int)Math.Round((double)size * cropSize / PublishedSize)),
            Crop = new CropOptions { Probability = 1, MinArea = minArea, MaxArea = maxArea },
            FlipProbability = 0.5,
            ColorJitter = new ColorJitterOptions
            {
                Probability = 0.8,
                Brightness = 0.8 * strength,
                Contrast = 0.8 * strength,
                Saturation = channels == 3 ? saturation * strength : 0,
                Hue = channels == 3 ? 0.2 * strength : 0,
            },
            GrayscaleProbability = channels == 3 ? 0.2 : 0,
            Blur = new BlurOptions { Probability = blur, MinSigma = Sigma(0.1, size), MaxSigma = Sigma(2, size) },
            Solarize = new SolarizeOptions { Probability = solarize },
        };

    /// <summary>A published sigma for images of another side, never below the smallest that is allowed,
    /// which changes nothing.</summary>
    private static double Sigma(double published, int size) => Math.Max(0.01, published * size / PublishedSize);
}

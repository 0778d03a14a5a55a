using SiamSharp.Masking;

namespace SiamSharp.Views;

/// <summary>The named sets of views.</summary>
internal static class Presets
{
    public static readonly string[] Names = ["mscn", "naive-mask", "crop", "crop-high-pass", "paper"];

    public const string Default = "mscn";

    /// <summary>The complete options of one preset.</summary>
    public static ViewsOptions Make(string name, int size, int channels)
    {
        (double sigma, BranchOptions branch) = name switch
        {
            // Masks alone, on the high-passed image.
            "mscn" => (Sigma(size), new BranchOptions { Masks = [Grid(FillKind.Zero)] }),
            // The same masks punched black into the plain image.
            "naive-mask" => (0, new BranchOptions { Masks = [Grid(FillKind.Black)] }),
            "crop" => (0, s_crop),
            "crop-high-pass" => (Sigma(size), s_crop),
            "paper" => (0, SimClr(channels)),
            _ => throw new ArgumentException($"\"{name}\" is none of: {string.Join(", ", Names)}.", nameof(name)),
        };
        return new ViewsOptions
        {
            Preset = name,
            HighPass = new HighPassOptions { Sigma = sigma, Kernel = Kernel(size) },
            Branches = [branch with { Count = 2, Size = size }],
        };

        GridMask Grid(FillKind fill) => new() { Cell = GridMask.DefaultCell(size), Fill = new FillOptions { Kind = fill } };
    }

    /// <summary>2 px up to images of 32 px, growing in proportion to 5 px from 80 px on.</summary>
    public static double Sigma(int size) => Math.Clamp(size / 16.0, 2, 5);

    /// <summary>13 px, or the widest window that an image under 7 px allows.</summary>
    public static int Kernel(int size) => Math.Min(13, 2 * size - 1);

    private static readonly BranchOptions s_crop = new()
    {
        Crop = new CropOptions { Probability = 1, MinArea = 0.2 },
        FlipProbability = 0.5,
    };

    /// <summary>Chen et al. 2020, arXiv 2002.05709, appendix A: colours of strength 0.5, blur in half of the views.</summary>
    private static BranchOptions SimClr(int channels) => new()
    {
        Crop = new CropOptions { Probability = 1, MinArea = 0.08 },
        FlipProbability = 0.5,
        ColorJitter = new ColorJitterOptions
        {
            Probability = 0.8,
            Brightness = 0.4,
            Contrast = 0.4,
            Saturation = channels == 3 ? 0.4 : 0,
            Hue = channels == 3 ? 0.1 : 0,
        },
        GrayscaleProbability = channels == 3 ? 0.2 : 0,
        Blur = new BlurOptions { Probability = 0.5 },
    };
}

using SiamSharp.Masking;
using SiamSharp.Methods;

namespace SiamSharp.Views;

/// <summary>The named sets of views.</summary>
internal static class Presets
{
    public static readonly string[] Names = ["mscn", "naive-mask", "crop", "crop-high-pass", "paper", "paper-mscn"];

    public const string Default = "mscn";

    /// <summary>The complete options of one preset.</summary>
    public static ViewsOptions Make(string name, int size, int channels, MethodOptions method, int multiple)
    {
        (double sigma, IReadOnlyList<BranchOptions> branches) = name switch
        {
            // Masks alone, on the high-passed image.
            "mscn" => (Sigma(size), Two(new BranchOptions { Masks = [Grid(FillKind.Zero)] })),
            // The same masks punched black into the plain image.
            "naive-mask" => (0, Two(new BranchOptions { Masks = [Grid(FillKind.Black)] })),
            "crop" => (0, Two(s_crop)),
            "crop-high-pass" => (Sigma(size), Two(s_crop)),
            "paper" => (0, Paper()),
            "paper-mscn" => (Sigma(size), Masked(Paper(), size)),
            _ => throw new ArgumentException($"\"{name}\" is none of: {string.Join(", ", Names)}.", nameof(name)),
        };
        int smallest = branches.Min(branch => branch.SizeFor(size));
        return new ViewsOptions
        {
            Preset = name,
            HighPass = new HighPassOptions { Sigma = sigma, Kernel = Kernel(Math.Min(size, smallest)) },
            Branches = branches,
        };

        GridMask Grid(FillKind fill) => new() { Cell = GridMask.DefaultCell(size), Fill = new FillOptions { Kind = fill } };
        IReadOnlyList<BranchOptions> Two(BranchOptions branch) => [branch with { Count = 2, Size = size }];
        IReadOnlyList<BranchOptions> Paper() => [.. method.PaperViews(size, channels).Select(b => b with { Size = Rounded(b.SizeFor(size), size, multiple) })];
    }

    /// <summary>The side of a smaller view as the nearest multiple (of two the smaller), smaller than the images; as it is where there is none.</summary>
    private static int Rounded(int side, int size, int multiple)
    {
        if (side >= size) return side;
        int rounded = Math.Max(multiple, (int)Math.Ceiling((double)side / multiple - 0.5) * multiple);
        return rounded < size ? rounded : (size - 1) / multiple is > 0 and var most ? most * multiple : side;
    }

    /// <summary>The views of a paper for the high-pass, and masked: see <see cref="ViewsOptions.Preset"/> for what and why.</summary>
    private static BranchOptions[] Masked(IReadOnlyList<BranchOptions> paper, int size)
    {
        int whole = paper[0].SizeFor(size);
        return [.. paper.SelectMany((branch, i) =>
        {
            BranchOptions sharp = branch with { Blur = branch.Blur with { Probability = 0 } };
            if (branch.Masks.Count > 0 || branch.SizeFor(size) < whole) return [sharp];
            BranchOptions masked = sharp with { Masks = [new GridMask()] }; // of cells that suit the size of the view
            return i > 0 ? [masked] : branch.Count == 1 ? [sharp] : new[] { sharp with { Count = 1 }, masked with { Count = branch.Count - 1 } };
        })];
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
}

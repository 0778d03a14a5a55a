using SiamSharp.Masking;
using SiamSharp.Methods;
using SiamSharp.Views;

namespace SiamSharp.Recipes;

/// <summary>The named sets of views that a recipe can start from; <see cref="ViewsOptions.Preset"/> says what each is.</summary>
public static class ViewPresets
{
    /// <summary>All names.</summary>
    public static IReadOnlyList<string> Names { get; } = ["mscn", "naive-mask", "crop", "crop-high-pass", "paper", "paper-mscn"];

    /// <summary>The preset of a recipe that names none.</summary>
    public const string Default = "mscn";

    /// <summary>The complete options of a preset.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="size">Side of the images in pixels; 2 or more.</param>
    /// <param name="channels">C; where it is not 3, <c>paper</c> leaves out what needs red, green and blue.</param>
    /// <param name="method">Whose paper; SimCLR's when not given.</param>
    /// <param name="multiple">What the sides of smaller crops are rounded to multiples of: a ViT's patch,
    /// or 4 px for a ConvNet.</param>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public static ViewsOptions Make(string name, int size, int channels = 3, MethodOptions? method = null, int multiple = 4)
    {
        (double sigma, IReadOnlyList<ViewPolicy> branches) = name switch
        {
            // Masks alone, on the high-passed image.
            "mscn" => (Sigma(size), Two(new ViewPolicy { Masks = [Grid(FillKind.Zero)] })),
            // The same masks punched black into the plain image.
            "naive-mask" => (0, Two(new ViewPolicy { Masks = [Grid(FillKind.Black)] })),
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
        IReadOnlyList<ViewPolicy> Two(ViewPolicy branch) => [branch with { Count = 2, Size = size }];
        IReadOnlyList<ViewPolicy> Paper() => [.. (method ?? new SimClrOptions()).PaperViews(size, channels)
            .Select(b => b with { Size = Rounded(b.SizeFor(size), size, multiple) })];
    }

    /// <summary>The side of a smaller view as the nearest multiple (of two the smaller), smaller than the images;
    /// as it is where there is none.</summary>
    private static int Rounded(int side, int size, int multiple)
    {
        if (side >= size) return side;
        int rounded = Math.Max(multiple, (int)Math.Ceiling((double)side / multiple - 0.5) * multiple);
        return rounded < size ? rounded : (size - 1) / multiple is > 0 and var most ? most * multiple : side;
    }

    /// <summary>The views of a paper for the high-pass, and masked: see
    /// <see cref="ViewsOptions.Preset"/> for what and why.</summary>
    private static ViewPolicy[] Masked(IReadOnlyList<ViewPolicy> paper, int size)
    {
        int whole = paper[0].SizeFor(size);
        return [.. paper.SelectMany((branch, i) =>
        {
            ViewPolicy sharp = branch with { Blur = branch.Blur with { Probability = 0 } };
            if (branch.Masks.Count > 0 || branch.SizeFor(size) < whole) return [sharp];
            ViewPolicy masked = sharp with { Masks = [new GridMask()] }; // of cells that suit the size of the view
            return i > 0 ? [masked]
                : branch.Count == 1 ? [sharp] : new[] { sharp with { Count = 1 }, masked with { Count = branch.Count - 1 } };
        })];
    }

    /// <summary>2 px up to images of 32 px, growing in proportion to 5 px from 80 px on.</summary>
    internal static double Sigma(int size) => Math.Clamp(size / 16.0, 2, 5);

    /// <summary>13 px, or the widest window that an image under 7 px allows.</summary>
    internal static int Kernel(int size) => Math.Min(13, 2 * size - 1);

    private static readonly ViewPolicy s_crop = new()
    {
        Crop = new CropOptions { Probability = 1, MinArea = 0.2 },
        FlipProbability = 0.5,
    };
}

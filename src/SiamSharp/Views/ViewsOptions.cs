using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using SiamSharp.Recipes;

namespace SiamSharp.Views;

/// <summary>Which views of every sample the siamese network sees.</summary>
public sealed record ViewsOptions : IHasRules
{
    /// <summary>The preset that is taken when none is named.</summary>
    public const string DefaultPreset = "mscn";

    /// <summary>The names of all presets.</summary>
    public static IReadOnlyList<string> PresetNames => Presets.Names;

    /// <summary>Gives whatever is not set here: <c>mscn</c>, <c>naive-mask</c>, <c>crop</c>, <c>crop-high-pass</c> or <c>paper</c>.</summary>
    public string Preset { get; init; } = DefaultPreset;

    /// <summary>What every view, and every image at evaluation, is filtered with.</summary>
    public HighPassOptions HighPass { get; init; } = new();

    /// <summary>One policy per kind of view, in the order of the views; empty = the preset's.</summary>
    public IReadOnlyList<BranchOptions> Branches { get; init; } = [];

    /// <summary>V, the number of views.</summary>
    [JsonIgnore] public int ViewCount => Branches.Sum(branch => branch.Count);

    /// <summary>The complete options of a preset.</summary>
    /// <param name="name">One of the names in <see cref="Preset"/>.</param>
    /// <param name="size">Side of the images in pixels; 2 or more.</param>
    /// <param name="channels">C; where it is not 3, <c>paper</c> leaves out what needs red, green and blue.</param>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public static ViewsOptions FromPreset(string name, int size, int channels = 3) => Presets.Make(name, size, channels);

    /// <summary>The same options with everything that was left to the preset or to the size of the data filled in.</summary>
    /// <param name="size">Side of the images in pixels; 2 or more.</param>
    /// <param name="channels">C, 1 or more.</param>
    /// <exception cref="ArgumentException">There is no such preset.</exception>
    public ViewsOptions Resolve(int size, int channels)
    {
        ViewsOptions preset = FromPreset(Preset, size, channels);
        HighPassOptions highPass = HighPass.Sigma < 0 ? HighPass with { Sigma = preset.HighPass.Sigma } : HighPass;
        if (highPass.Kernel == 0) highPass = highPass with { Kernel = Presets.Kernel(size) };
        IReadOnlyList<BranchOptions> branches = Branches.Count == 0 ? preset.Branches : Branches;
        return this with
        {
            HighPass = highPass,
            Branches = [.. branches.Select(branch => branch.Size == 0 ? branch with { Size = size } : branch)],
        };
    }

    /// <inheritdoc/>
    public IEnumerable<Fault> Faults()
    {
        if (!Presets.Names.Contains(Preset))
            yield return new(nameof(Preset), $"'{Preset}' is not a preset: choose {string.Join(", ", Presets.Names)}");
        if (Branches.Count > 0 && ViewCount < 2)
            yield return new(nameof(Branches), "they make 1 view, but a siamese network compares at least 2: set count to 2 or add a branch");
    }

    /// <summary>What does not fit images of this size and number of channels.</summary>
    /// <param name="size">Side of the images in pixels.</param>
    /// <param name="channels">C, 1 or more.</param>
    public IEnumerable<Fault> FaultsFor(int size, int channels)
    {
        for (int b = 0; b < Branches.Count; b++)
        {
            BranchOptions branch = Branches[b];
            int side = branch.Size == 0 ? size : branch.Size;
            if (HighPass.Sigma > 0 && HighPass.Kernel / 2 >= side)
                yield return new($"HighPass.{nameof(HighPass.Kernel)}",
                    $"{HighPass.Kernel} is too wide for views of {side} px: at most {2 * side - 1}");
            if (branch.NeedsRgb && channels != 3)
                yield return new($"{nameof(Branches)}.{b}",
                    $"saturation, hue and grayscale need 3 channels, but the images have {channels}: set them to 0");
        }
    }
}

/// <summary>The high-pass filter: a pixel minus the Gaussian mean of its surroundings.</summary>
public sealed record HighPassOptions : IHasRules
{
    /// <summary>Standard deviation of the Gaussian in pixels; 0 = no filter, -1 = the preset's.</summary>
    [Range(-1.0, 100.0)] public double Sigma { get; init; } = -1;

    /// <summary>Side of the Gaussian's window in pixels, odd; 0 = 13 (less for images under 7 px).</summary>
    [Range(0, 255)] public int Kernel { get; init; }

    /// <inheritdoc/>
    public IEnumerable<Fault> Faults()
    {
        if (Sigma is < 0 and not -1) yield return new(nameof(Sigma), $"{Sigma} is neither -1 (the preset's) nor 0 or more");
        if (Kernel != 0 && Kernel % 2 == 0) yield return new(nameof(Kernel), $"{Kernel} is even: choose {Kernel - 1} or {Kernel + 1}");
    }
}

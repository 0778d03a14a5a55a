using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using SiamSharp.Messages;
using SiamSharp.Options;

namespace SiamSharp.Views;

/// <summary>Which views of every sample the siamese network sees.</summary>
public sealed record ViewsOptions : IHasRules
{
    /// <summary>
    /// A named set of views, which gives whatever a recipe leaves out. mscn: the high-pass filter and grid masks, nothing
    /// else. naive-mask: the same masks, black, without the filter. crop: random crops and flips. crop-high-pass: crops and
    /// flips with the filter. paper: the views of the framework's own paper (crops, flips, colours, blur). paper-mscn: those
    /// of the paper without blur, with the filter, and with masks on every view of full size but the first.
    /// </summary>
    /// <remarks>
    /// <c>paper</c> takes, for images of up to 64 px, the setting for 32 px where one is published, and otherwise that for 224 px
    /// with crops and sigmas scaled to the side. The sides of smaller crops are rounded to multiples of a ViT's patch, which must
    /// divide them, or of 4 px. <c>paper-mscn</c> leaves the first view whole: it is the target of the methods that tell targets
    /// from anchors, and a pair of which one shows everything is what Chin et al. (arXiv 2309.12757) add to such views. Smaller
    /// crops stay whole too: they show a fraction of the image already. A method's own mask stays as it is. Blur is off because
    /// it removes the high frequencies that the high-pass keeps: half to three quarters of the signal of a blurred view.
    /// </remarks>
    public string Preset { get; init; } = "mscn";

    /// <summary>What every view, and every image at evaluation, is filtered with.</summary>
    public HighPassOptions HighPass { get; init; } = new();

    /// <summary>One policy per kind of view, in the order of the views.</summary>
    public IReadOnlyList<ViewPolicy> Branches { get; init; } = [];

    /// <summary>V, the number of views.</summary>
    [JsonIgnore] public int ViewCount => Branches.Sum(branch => branch.Count);

    /// <summary>How many of the views are target views: the leading ones of the first view's size.</summary>
    /// <param name="size">Side of the images in pixels.</param>
    public int TargetViewCount(int size) =>
        LeadingOfOneSide(Branches.SelectMany(b => Enumerable.Repeat((long)b.SizeFor(size), b.Count)));

    /// <summary>How many of the first views of these sides are as large as the first.</summary>
    internal static int LeadingOfOneSide(IEnumerable<long> sides) => sides.TakeWhile(side => side == sides.First()).Count();

    /// <inheritdoc/>
    public IEnumerable<Fault> Faults()
    {
        if (Branches.Count == 0)
            yield return new("branches", "there are none: leave views.branches out, and those of views.preset are taken, "
                + "or give some, such as [{\"count\": 2}]");
    }

    /// <summary>What does not fit images of this size and number of channels.</summary>
    /// <param name="size">Side of the images in pixels.</param>
    /// <param name="channels">C, 1 or more.</param>
    public IEnumerable<Fault> FaultsFor(int size, int channels)
    {
        int smallest = Branches.Select(branch => branch.SizeFor(size)).Append(size).Min();
        if (HighPass.Sigma > 0 && HighPass.Kernel / 2 >= smallest)
            yield return new("highPass.kernel",
                $"{HighPass.Kernel} is too wide for views of {smallest} px: at most {2 * smallest - 1}");
        for (int b = 0; b < Branches.Count; b++)
        {
            if (channels != 3)
                foreach (var (option, value) in Branches[b].NeedingRgb)
                    yield return new($"branches.{b}.{option}",
                        $"{Number(value)} needs images of 3 channels, and these are taken with {channels}: set it to 0");
            int side = Branches[b].SizeFor(size);
            for (int m = 0; m < Branches[b].Masks.Count; m++)
                foreach (Fault fault in Branches[b].Masks[m].FaultsFor(side))
                    yield return fault with { Path = $"branches.{b}.masks.{m}.{fault.Path}" };
        }
    }

    /// <summary>Whether all views of an image are the same, pixel by pixel.</summary>
    internal bool AreAllAlike =>
        Branches.Count > 0 && Branches.All(branch => !branch.ChangesPixels && branch.Masks.All(mask => mask.Probability == 0));

    /// <summary>What is allowed, but is probably not meant: one sentence each, often none.</summary>
    /// <param name="size">Side of the images in pixels.</param>
    internal IEnumerable<string> NotesFor(int size)
    {
        int most = 2 * Branches.Select(branch => branch.SizeFor(size)).Append(size).Min() - 1,
            wanted = 2 * (int)Math.Ceiling(3 * HighPass.Sigma) + 1;
        if (HighPass.Kernel < MinSigmas * HighPass.Sigma)
            yield return $"views.highPass.kernel is {Plural.Of(HighPass.Kernel, "pixel")}, which cuts off the Gaussian "
                + $"of views.highPass.sigma={Number(HighPass.Sigma)}: it takes a kernel of 6 sigma. "
                + (wanted <= Math.Min(most, HighPassOptions.MaxKernel)
                    ? $"--set views.highPass.kernel={wanted}, or a smaller sigma."
                    : "Give a smaller sigma, "
                        + $"such as --set views.highPass.sigma={Number(Math.Round(HighPass.Kernel / 6.0, 1))}.");
        for (int b = 0; b < Branches.Count; b++)
            if (Branches[b].Size > size)
                yield return $"views.branches.{b}.size is {Branches[b].Size}, but data.size is {size}: "
                    + "the views are enlarged, which takes longer and shows nothing more. "
                    + $"--set views.branches.{b}.size=0 leaves them as they are; "
                    + $"--set data.size={Branches[b].Size} helps where the images are that large.";
    }

    /// <summary>A kernel of fewer sigmas is told; the presets have 2.6 or more.</summary>
    private const double MinSigmas = 2.5;

    private static string Number(double value) => value.ToString("0.###", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>The high-pass filter: a pixel minus the Gaussian mean of its surroundings.</summary>
public sealed record HighPassOptions : IHasRules
{
    /// <summary>
    /// Standard deviation in pixels of a Gaussian blur; 0 = no filter. The high-pass filter takes the blurred image from the
    /// image, so that edges and texture remain.
    /// </summary>
    [Range(0.0, 100.0)] public double Sigma { get; init; } = 2;

    /// <summary>Side of that blur's window in pixels, an odd number. Choose about 6 times sigma.</summary>
    [Range(1, MaxKernel)] public int Kernel { get; init; } = 13;

    internal const int MaxKernel = 255;

    /// <inheritdoc/>
    public IEnumerable<Fault> Faults()
    {
        if (Kernel % 2 == 0) yield return new("kernel", $"{Kernel} is even: choose {Kernel - 1} or {Kernel + 1}");
        if (Kernel == 1 && Sigma > 0)
            yield return new("kernel", "1 takes each pixel from itself, and nothing is left: choose 3 or more, about 6 sigma");
    }
}

using SiamSharp.Data;
using SiamSharp.Masking;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Randomness;
using SiamSharp.Views;
using static TorchSharp.torch;

namespace SiamSharp.Reporting;

/// <summary>One sheet of pictures that shows what the network sees: originals, high-pass, each mask and each view.</summary>
/// <remarks>
/// The views are exactly those of the first epoch of a run with this seed. Of images with more than three channels, the first
/// three are drawn as red, green and blue; of two, the first.
/// </remarks>
public static class ViewSheet
{
    private const int Rows = 8;

    /// <summary>Draws eight images, drawn evenly from a dataset; those that cannot be read any more are left out.</summary>
    /// <param name="path">Where to write the PNG.</param>
    /// <param name="images">One image or more.</param>
    /// <param name="options">The views.</param>
    /// <param name="preprocessing">Measured on the training images.</param>
    /// <param name="seed">The run's seed.</param>
    public static void Write(string path, ImageDataset images, ViewsOptions options, Preprocessing preprocessing, ulong seed)
    {
        (Tensor readable, int[] indexes) = images.ReadableBatch(EvenDraw.Of(images.Count, Rows));
        using Tensor batch = readable;
        if (indexes.Length == 0) return; // the sheet that is there stays
        Write(path, batch, [.. indexes.Select(index => (long)images.SourceIndexOf(index))], options, preprocessing, seed,
            [.. indexes.Select(images.PathOf)]);
    }

    /// <summary>Draws a batch, one row per image.</summary>
    /// <param name="path">Where to write the PNG.</param>
    /// <param name="images">float32 (N, C, S, S), 0 to 1, on the CPU.</param>
    /// <param name="sampleIds">N indices into the source.</param>
    /// <param name="options">The views.</param>
    /// <param name="preprocessing">Measured on the training images.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="names">Where each image comes from, for the rows; null = their indices.</param>
    public static void Write(
        string path, Tensor images, long[] sampleIds, ViewsOptions options, Preprocessing preprocessing, ulong seed,
        IReadOnlyList<string>? names = null)
    {
        using var scope = NewDisposeScope();
        int size = (int)images.shape[3];
        bool filtered = preprocessing.HighPass.Sigma > 0;
        HighPassOptions highPass = preprocessing.HighPass;
        Tensor signal = preprocessing.Apply(images);
        var tones = new SheetTones(preprocessing, images);

        var columns = new List<SheetColumn> { new("original", [$"{size} × {size} px"], tones.Pixels(images)) };
        if (filtered)
            columns.Add(new("high-pass", [$"sigma {highPass.Sigma:0.##} px", $"kernel {highPass.Kernel} px"],
                tones.Signal(signal)));
        ViewPolicy[] branches = [.. options.Branches.SelectMany(branch => Enumerable.Repeat(branch, branch.Count))];
        var drawn = new HashSet<Mask>();
        for (int v = 0; v < branches.Length; v++)
            foreach (Mask mask in branches[v].Masks.Where(drawn.Add))
                columns.Add(MaskColumn(mask, tones, signal, sampleIds, seed, v));

        Tensor[] views = new ViewMaker(options, preprocessing, size, seed).MakeViews(images, sampleIds, epoch: 0);
        for (int v = 0; v < views.Length; v++)
            columns.Add(new($"view {v + 1}", Describe(branches[v], (int)views[v].shape[3]), tones.Signal(views[v])));

        string[] rows = [.. sampleIds.Select((id, n) => names is null ? $"{id}" : Shown.Text(Path.GetFileName(names[n])))];
        string subtitle = $"preset {options.Preset} – seed {seed}, epoch 0";
        string legend = names is null ? "The numbers are the images' places in the source."
            : "Left of each row the name of its file, or of the file and the image's place in it.";
        if (filtered)
            legend += $" After the high-pass, mid-grey is 0; black and white are ±{SheetTones.Reach} standard deviations.";
        if (drawn.Count > 0) legend += " Orange is what a mask removes; a view shows what fills it.";
        SheetDrawing.Write(path, "What the network sees", subtitle, columns, rows, legend);
    }

    /// <summary>Where the mask lies if a view takes it, drawn on the whole image.</summary>
    private static SheetColumn MaskColumn(Mask mask, SheetTones tones, Tensor signal, long[] sampleIds, ulong seed, int view)
    {
        int size = (int)signal.shape[3], planes = mask.Planes((int)signal.shape[1]);
        var keepMasks = new bool[sampleIds.Length][];
        for (int n = 0; n < keepMasks.Length; n++)
        {
            keepMasks[n] = new bool[planes * size * size];
            var random = new RandomStream(seed, RandomPurpose.Mask, 0, sampleIds[n], view);
            random.NextDouble(); // the view's choice among its masks
            mask.Draw(keepMasks[n], size, size, ref random);
        }
        double share = keepMasks.Average(keepMask => keepMask.Count(keep => !keep) / (double)keepMask.Length);
        var lines = new List<string> { $"{share:0%} removed", OptionName(mask.Fill.Kind) + " fill" };
        if (mask.Sharing == MaskSharing.PerChannel) lines.Add("per channel");
        if (mask.Probability < 1) lines.Add($"in {mask.Probability:0%} of views");
        return new($"{OptionsJson.KindOf(mask)} mask", lines, tones.Masked(signal, keepMasks));
    }

    private static string OptionName(FillKind kind) => System.Text.Json.JsonSerializer.Serialize(kind).Trim('"');

    /// <summary>The parts of a branch that do anything.</summary>
    private static List<string> Describe(ViewPolicy branch, int size)
    {
        (bool On, string Name)[] parts =
        [
            (branch.Crop.Probability > 0, "crop"),
            (branch.FlipProbability > 0, "flip"),
            (branch.ColorJitter.Probability > 0, "colour"),
            (branch.GrayscaleProbability > 0, "grey"),
            (branch.Blur.Probability > 0, "blur"),
            (branch.Solarize.Probability > 0, "solarize"),
            (branch.Masks.Count > 0, "mask"),
        ];
        return [$"{size} × {size} px", string.Join(", ", parts.Where(part => part.On).Select(part => part.Name))];
    }
}

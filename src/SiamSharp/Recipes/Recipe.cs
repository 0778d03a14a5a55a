using System.Text.Json.Nodes;
using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Masking;
using SiamSharp.Messages;
using SiamSharp.Methods;
using SiamSharp.Optim;
using SiamSharp.Options;
using SiamSharp.Views;

namespace SiamSharp.Recipes;

/// <summary>One experiment: everything that decides its result, apart from the images.</summary>
[ExpectedKeys("", "a recipe has none: leave it out, or write it as a comment behind //", "name", "title",
    "description", "comment", "$schema")]
[ExpectedKeys("data", "a recipe names no images: give them with --data", "path", "folder", "source", "root", "dir")]
public sealed record Recipe : IHasRules
{
    /// <summary>The side in pixels to which files are decoded unless <c>data.size</c> says otherwise.</summary>
    public const int SizeForFiles = 64;

    /// <summary>The siamese framework and its options.</summary>
    public MethodOptions Method { get; init; } = new SimClrOptions();

    /// <summary>The network whose representations are wanted.</summary>
    public BackboneOptions Backbone { get; init; } = new();

    /// <summary>How images are decoded and kept.</summary>
    public DataOptions Data { get; init; } = new();

    /// <summary>What the network sees.</summary>
    public ViewsOptions Views { get; init; } = new();

    /// <summary>The optimiser and its schedule.</summary>
    public OptimizerOptions Optimizer { get; init; } = new AdamWOptions();

    /// <summary>How long, in what batches, from what seed.</summary>
    public TrainingOptions Training { get; init; } = new();

    /// <summary>How the encoder is judged.</summary>
    public EvaluationOptions Evaluation { get; init; } = new();

    /// <summary>A recipe for images, with the views that suit their size and channels; change it by <c>with</c>.</summary>
    /// <param name="source">The images; how they are decoded becomes part of the recipe.</param>
    /// <param name="method">The framework; SimCLR when not given.</param>
    /// <param name="backbone">The network; ResNet-18 when not given.</param>
    /// <param name="views">One of <see cref="ViewPresets.Names"/>.</param>
    /// <param name="size">Side in pixels to which the images are scaled; 0 = their own (arrays) or
    /// <see cref="SizeForFiles"/>.</param>
    /// <exception cref="OptionsException">The parts do not fit the images or each other; all faults are listed.</exception>
    public static Recipe For(
        IImageSource source, MethodOptions? method = null, BackboneOptions? backbone = null,
        string views = ViewPresets.Default, int size = 0)
    {
        JsonObject layer = new() { ["views"] = new JsonObject { ["preset"] = views } };
        layer["data"] = OptionsJson.Write((source.Options ?? new DataOptions()) with { Size = size });
        if (method is not null) layer["method"] = OptionsJson.Write(method);
        if (backbone is not null) layer["backbone"] = OptionsJson.Write(backbone);
        return Resolve([layer], [], _ => source);
    }

    private static readonly int[] s_usualSizes = [16, 24, 28, 32, 48, 64, 96, 128, 224];

    /// <summary>Makes the complete recipe: defaults, then the views preset for the image size, then the layers,
    /// then the assignments.</summary>
    /// <remarks>
    /// A layer that names another kind of method, backbone, optimiser or mask, or another preset of views, than the layers below
    /// it drops what those say of that part: the part starts from its own defaults. The assignments are one layer, in which their
    /// order does not matter for this.
    /// </remarks>
    /// <param name="layers">Partial recipes, later ones win.</param>
    /// <param name="assignments"><c>path=value</c>, in order.</param>
    /// <param name="open">Opens the images with these options: their own side in pixels, or else <see cref="SizeForFiles"/>, is
    /// taken when <c>data.size</c> is 0, and the preset is the one for their channels. What they decide of channels and alpha
    /// becomes part of the recipe.</param>
    /// <param name="stored">The recipe.json of a run to go on with, in the place of the defaults;
    /// what is given lies over it.</param>
    /// <exception cref="OptionsException">Anything is wrong; all faults are listed.</exception>
    public static Recipe Resolve(
        IReadOnlyList<JsonObject> layers, IReadOnlyList<string> assignments,
        Func<DataOptions, IImageSource> open, JsonObject? stored = null) =>
        Resolve(stored is null
            ? [.. layers.Select(layer => new RecipeLayer(layer, [])), new RecipeLayer([], assignments)]
            : [new RecipeLayer(RecipeLayers.KeptOf(layers, assignments), assignments)], open, stored);

    /// <summary>The same with assignments in every layer.</summary>
    internal static Recipe Resolve(
        IReadOnlyList<RecipeLayer> layers, Func<DataOptions, IImageSource> open, JsonObject? stored = null)
    {
        JsonObject start = OptionsJson.Write(stored is null ? new Recipe() : OptionsJson.Read<Recipe>(stored)),
            sketch = (JsonObject)start.DeepClone();
        // The views wait for the size, which is not known yet; what cannot be set is reported below.
        RecipeLayers.Lay(sketch, layers, a => RecipeLayers.RoomOf(a) != "views" || RecipeLayers.NamesPreset(a), []);
        var (size, channels, decided) = RecipeImages.KindOf(sketch["data"] as JsonObject, open);
        if (stored is null)
        {
            string asked = RecipeLayers.PresetOf(sketch) ?? ViewPresets.Default;
            string preset = ViewPresets.Names.Contains(asked) ? asked : ViewPresets.Default; // a wrong one is found by the check
            int multiple = ReadOr(sketch["backbone"], new BackboneOptions()).ViewMultiple(size);
            start["views"] = OptionsJson.Write(
                ViewPresets.Make(preset, size, channels, ReadOr<MethodOptions>(sketch["method"], new SimClrOptions()), multiple));
        }

        var faults = new List<Fault>();
        RecipeLayers.Lay(start, RecipeLayers.WithoutOtherPresets(layers), _ => true, faults);
        // A size of 0 means the images' own; anything else, right or wrong, is left for the check to judge.
        if (start["data"] is JsonObject data && data["size"] is JsonValue v && v.TryGetValue(out int side) && side == 0)
            data["size"] = size;
        try
        {
            Recipe recipe = OptionsJson.Read<Recipe>(start);
            if (decided is not null)
                recipe = recipe with { Data = recipe.Data with { Channels = decided.Channels, Alpha = decided.Alpha } };
            // of images without transparency
            if (recipe.Data.Alpha == AlphaBackground.Auto)
                recipe = recipe with { Data = recipe.Data with { Alpha = AlphaBackground.Mean } };
            if (faults.Count == 0)
            {
                faults.AddRange(recipe.FaultsFor(size, channels));
                if (faults.Count > 0 && recipe.SizeThatFits(size, channels) is int larger)
                    faults[^1] =
                        faults[^1] with { Problem = $"{faults[^1].Problem}; or give larger images: --set data.size={larger}" };
            }
            return faults.Count == 0 ? recipe : throw new OptionsException(faults);
        }
        catch (OptionsException e) when (faults.Count > 0 && e.Faults != faults)
        {
            throw new OptionsException([.. faults, .. e.Faults]);
        }
    }

    /// <summary>The complete recipe of a run, read again, with some options changed;
    /// options that did not exist yet have their defaults.</summary>
    /// <param name="stored">A run's recipe.json.</param>
    /// <param name="assignments"><c>path=value</c>, in order.</param>
    /// <exception cref="OptionsException">Anything is wrong; all faults are listed.</exception>
    public static Recipe Reread(JsonObject stored, IReadOnlyList<string> assignments)
    {
        JsonObject tree = OptionsJson.Write(OptionsJson.Read<Recipe>(stored));
        OptionTree.Set(tree, assignments);
        return OptionsJson.Read<Recipe>(tree);
    }

    /// <inheritdoc/>
    public IEnumerable<Fault> Faults()
    {
        if (!ViewPresets.Names.Contains(Views.Preset))
            yield return new Fault("views.preset", $"\"{Views.Preset}\" is none of: "
                + $"{string.Join(", ", ViewPresets.Names)}{Nearest.Question(Views.Preset, ViewPresets.Names)}");
        int views = Views.ViewCount;
        if (Views.Branches.Count > 0 && (views < Method.MinViews || views > Method.MaxViews))
            yield return new Fault("views.branches", $"{Plural.Of(views, "view")}, but {OptionsJson.KindOf(Method)} takes "
                + $"{(Method.MinViews == Method.MaxViews ? "" : $"{Method.MinViews} to ")}{Method.MaxViews}"
                + (views < Method.MinViews
                    ? $": --set views.branches.0.count={Views.Branches[0].Count + Method.MinViews - views}" : ""));
        foreach (Fault fault in Method.FaultsFor(Training.BatchSize).Concat(Method.FaultsFor(Backbone)))
            yield return fault with { Path = $"method.{fault.Path}" };
        if (Optimizer.WarmupEpochs > Training.Epochs)
            yield return new Fault("optimizer.warmupEpochs",
                $"{Optimizer.WarmupEpochs} epochs of warm-up, but training.epochs is {Training.Epochs}: at most that many");
    }

    /// <summary>What does not fit images of this kind.</summary>
    /// <param name="size">Side of the images in pixels.</param>
    /// <param name="channels">C, 1 or more.</param>
    public IEnumerable<Fault> FaultsFor(int size, int channels)
    {
        foreach (Fault fault in Views.FaultsFor(size, channels)) yield return fault with { Path = $"views.{fault.Path}" };
        foreach (Fault fault in Backbone.FaultsFor(size, Views.Branches.Select(b => b.SizeFor(size))))
            yield return fault with { Path = $"backbone.{fault.Path}" };
        for (int b = 0; b < Views.Branches.Count; b++)
            for (int m = 0; m < Views.Branches[b].Masks.Count; m++)
                if (Views.Branches[b].Masks[m] is { Fill.Kind: FillKind.Drop } mask
                    && Backbone.ProblemOfDropping(mask, Views.Branches[b].SizeFor(size), size) is { } problem)
                    yield return new Fault($"views.branches.{b}.masks.{m}.fill.kind", problem);
    }

    /// <summary>What is allowed, but is probably not meant for these images on this machine:
    /// whole sentences that say what to set, often none.</summary>
    /// <remarks>
    /// All such notes are here, or in the part of the recipe that they are of; the commands tell them before a run begins.
    /// </remarks>
    /// <param name="images">Images to learn from, 1 or more.</param>
    /// <param name="size">Side of the images in pixels.</param>
    /// <param name="processors">Of the machine, 1 or more.</param>
    public IEnumerable<string> NotesFor(int images, int size, int processors)
    {
        foreach (string note in Method.NotesFor(images, Training.BatchSize, Training.Epochs).Concat(Views.NotesFor(size)))
            yield return note;
        if (ViewsTeachNothing)
            yield return "All views of an image are the same, pixel by pixel, so that there is nothing to learn: "
                + "views.branches has neither a mask nor a crop, flip or change of colour. Leave out what takes them away, "
                + "or give some, as --set views.preset=mscn does.";
        if (Optimizer.LearningRate == 0)
            yield return "optimizer.learningRate is 0: the network stays as it is and learns nothing.";
        if (Optimizer.WeightDecay > MaxUsualDecay)
            yield return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"optimizer.weightDecay is "
                + $"{Optimizer.WeightDecay}, and may take away more than is learned: usual values are 0.000001 to 0.5.");
        if (Training.Threads > processors)
            yield return $"training.threads is {Training.Threads}, but this machine has {Plural.Of(processors, "processor")}: "
                + $"more threads than processors make a run slower. --set training.threads={processors}.";
    }

    private const double MaxUsualDecay = 1;

    /// <summary>Whether all views of an image are the same, with a method that learns from nothing else.</summary>
    internal bool ViewsTeachNothing => Views.AreAllAlike && !Method.NeedsLabels;

    /// <summary>The next usual size that all options fit; null where a larger size mends nothing.</summary>
    private int? SizeThatFits(int size, int channels) =>
        s_usualSizes.Where(larger => larger > size && !FaultsFor(larger, channels).Any()).Cast<int?>().FirstOrDefault();

    /// <summary>The options of a part; the defaults where they are wrong, which is reported with all other faults.</summary>
    private static T ReadOr<T>(JsonNode? tree, T defaults) where T : notnull
    {
        try
        {
            return tree is JsonObject part ? OptionsJson.Read<T>(part) : defaults;
        }
        catch (OptionsException)
        {
            return defaults;
        }
    }
}

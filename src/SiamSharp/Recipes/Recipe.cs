using System.Text.Json.Nodes;
using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Masking;
using SiamSharp.Methods;
using SiamSharp.Optim;
using SiamSharp.Training;
using SiamSharp.Views;

namespace SiamSharp.Recipes;

/// <summary>One experiment: everything that decides its result, apart from the images.</summary>
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

    /// <summary>Makes the complete recipe: defaults, then the views preset for the image size, then the layers, then the assignments.</summary>
    /// <remarks>Where the assignments name another preset than the layers, the views of the layers are left out.</remarks>
    /// <param name="layers">Partial recipes, later ones win.</param>
    /// <param name="assignments"><c>path=value</c>, in order.</param>
    /// <param name="open">Opens the images with these options: their own side in pixels, or else <see cref="SizeForFiles"/>, is taken
    /// when <c>data.size</c> is 0, and the preset is the one for their channels.</param>
    /// <exception cref="RecipeException">Anything is wrong; all faults are listed.</exception>
    public static Recipe Resolve(IReadOnlyList<JsonObject> layers, IReadOnlyList<string> assignments, Func<DataOptions, IImageSource> open)
    {
        JsonObject given = Layered(new JsonObject(), layers,
            assignments.Where(a => RoomOf(a) is "data" || a.StartsWith("views.preset=", StringComparison.Ordinal) || a.StartsWith("views=", StringComparison.Ordinal)));
        string asked = PresetOf(given) ?? ViewsOptions.DefaultPreset;
        string preset = ViewsOptions.PresetNames.Contains(asked) ? asked : ViewsOptions.DefaultPreset; // a wrong one is found by the check

        var (size, channels) = KindOfImages(given["data"] as JsonObject, open);
        JsonObject tree = OptionsJson.Write(new Recipe { Views = ViewsOptions.FromPreset(preset, size, channels, MethodOf(layers, assignments)) });
        // Another preset than the layers were written for replaces all their views.
        if (PresetOf(Layered(new JsonObject(), layers, [])) is var written && preset != (written ?? ViewsOptions.DefaultPreset))
            layers = [.. layers.Select(l => new JsonObject(l.Where(o => o.Key != "views").Select(o => KeyValuePair.Create(o.Key, o.Value?.DeepClone()))))];
        Layered(tree, layers, assignments);
        // A size of 0 means the images' own; anything else, right or wrong, is left for the check to judge.
        if (tree["data"] is JsonObject data && data["size"] is JsonValue v && v.TryGetValue(out int side) && side == 0) data["size"] = size;
        Recipe recipe = OptionsJson.Read<Recipe>(tree);
        Fault[] faults = [.. recipe.FaultsFor(size, channels)];
        return faults.Length == 0 ? recipe : throw new RecipeException(faults);
    }

    /// <summary>The complete recipe of a run, read again, with some options changed; options that did not exist yet have their defaults.</summary>
    /// <param name="stored">A run's recipe.json.</param>
    /// <param name="assignments"><c>path=value</c>, in order.</param>
    /// <exception cref="RecipeException">Anything is wrong; all faults are listed.</exception>
    public static Recipe Reread(JsonObject stored, IReadOnlyList<string> assignments) =>
        OptionsJson.Read<Recipe>(Layered(OptionsJson.Write(OptionsJson.Read<Recipe>(stored)), [], assignments));

    /// <inheritdoc/>
    public IEnumerable<Fault> Faults()
    {
        int views = Views.ViewCount;
        if (views < Method.MinViews || views > Method.MaxViews)
            yield return new Fault("views.branches", $"{views} views, but {OptionsJson.KindOf(Method)} takes {Method.MinViews} to {Method.MaxViews}");
        foreach (Fault fault in Method.FaultsFor(Training.BatchSize)) yield return fault with { Path = $"method.{fault.Path}" };
        if (Optimizer.WarmupEpochs > Training.Epochs)
            yield return new Fault("optimizer.warmupEpochs", $"{Optimizer.WarmupEpochs} epochs of warm-up, but training.epochs is {Training.Epochs}: at most that many");
    }

    /// <summary>What does not fit images of this kind.</summary>
    /// <param name="size">Side of the images in pixels.</param>
    /// <param name="channels">C, 1 or more.</param>
    public IEnumerable<Fault> FaultsFor(int size, int channels)
    {
        foreach (Fault fault in Views.FaultsFor(size, channels)) yield return fault with { Path = $"views.{fault.Path}" };
        foreach (Fault fault in Backbone.FaultsFor(size, Views.Branches.Select(b => b.SizeFor(size)))) yield return fault with { Path = $"backbone.{fault.Path}" };
        for (int b = 0; b < Views.Branches.Count; b++)
            for (int m = 0; m < Views.Branches[b].Masks.Count; m++)
                if (Views.Branches[b].Masks[m] is { Fill.Kind: FillKind.Drop } mask && Backbone.ProblemOfDropping(mask, Views.Branches[b].SizeFor(size), size) is { } problem)
                    yield return new Fault($"views.branches.{b}.masks.{m}.fill.kind", problem);
    }

    private static JsonObject Layered(JsonObject tree, IEnumerable<JsonObject> layers, IEnumerable<string> assignments)
    {
        foreach (JsonObject layer in layers) RecipeTree.Merge(tree, layer);
        foreach (string assignment in assignments)
        {
            if (tree[RoomOf(assignment)] is null && assignment.Contains('.')) tree[RoomOf(assignment)] = new JsonObject();
            RecipeTree.Set(tree, assignment);
        }
        return tree;
    }

    private static string? PresetOf(JsonObject tree) =>
        tree["views"] is JsonObject views && views["preset"] is JsonValue p && p.TryGetValue(out string? name) ? name : null;

    /// <summary>The method asked for, with its defaults; SimCLR where it is wrong, which is reported with all other faults.</summary>
    private static MethodOptions MethodOf(IReadOnlyList<JsonObject> layers, IReadOnlyList<string> assignments)
    {
        JsonObject given = Layered(OptionsJson.Write(new Recipe()), layers, assignments.Where(a => RoomOf(a) == "method"));
        try
        {
            return OptionsJson.Read<MethodOptions>((JsonObject)given["method"]!);
        }
        catch (Exception e) when (e is RecipeException or InvalidCastException)
        {
            return new SimClrOptions();
        }
    }

    private static string RoomOf(string assignment) => assignment.Split('.', '=')[0];

    private static (int Size, int Channels) KindOfImages(JsonObject? given, Func<DataOptions, IImageSource> open)
    {
        try
        {
            DataOptions data = OptionsJson.Read<DataOptions>(given ?? []);
            IImageSource source = open(data);
            int size = data.Size > 0 ? data.Size : source.NativeSize > 0 ? source.NativeSize : SizeForFiles;
            return (size, data.Channels > 0 ? data.Channels : ChannelsOf(source));
        }
        catch (RecipeException)
        {
            return (SizeForFiles, 3); // reported with all other faults, under its full path
        }
    }

    /// <summary>Channels of the first image with a readable header; 3 when there is none, which loading the images will report.</summary>
    private static int ChannelsOf(IImageSource source)
    {
        for (int i = 0; i < source.Count; i++)
        {
            try
            {
                return source.InfoOf(i).Channels;
            }
            catch (UnreadableImageException)
            {
            }
        }
        return 3;
    }
}

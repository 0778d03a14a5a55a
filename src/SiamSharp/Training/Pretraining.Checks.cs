using System.Text.Json.Nodes;
using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Recipes;

namespace SiamSharp.Training;

// What is refused ahead of a run: images, weights and folders that do not fit its recipe.
public static partial class Pretraining
{
    /// <summary>Refuses images that cannot be trained on with this recipe, and weights that are not there,
    /// before an image is decoded.</summary>
    /// <param name="recipe">What is to be run.</param>
    /// <param name="source">The images.</param>
    /// <exception cref="OptionsException">The weights to begin with are not there.</exception>
    /// <exception cref="RunException">Labels are missing that the method learns from.</exception>
    public static void CheckSource(Recipe recipe, IImageSource source)
    {
        if (recipe.Backbone.Weights.Length > 0 && BackboneOptions.ProblemOfWeights(recipe.Backbone.Weights) is { } problem)
            throw new OptionsException([new Fault("backbone.weights", problem)]);
        if (recipe.Method.NeedsLabels && source.ClassNames is null) throw NoLabels(recipe, $"{source.Name} has no labels");
    }

    private static void CheckCount(Recipe recipe, string name, int count)
    {
        if (TooFew(recipe, name, count, batch => $"--set training.batchSize={batch}") is { } problem)
            throw new RunException(problem);
    }

    /// <summary>Why there are too few images for a step of a recipe, and what to do.</summary>
    /// <param name="recipe">What is to be run.</param>
    /// <param name="name">What the images are called.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="set">How a batch size is set there, as a part of the advice.</param>
    /// <returns>Null where there are enough.</returns>
    internal static string? TooFew(Recipe recipe, string name, int count, Func<int, string> set)
    {
        if (count >= recipe.Training.BatchSize) return null;
        bool Works(int batch) => batch >= 2 && !recipe.Method.FaultsFor(batch).Any();
        string advice = count < 4
            ? Works(2) ? $"Give more images; {set(2)} works from 2 images on." : "Give more images."
            : Works(count / 2) ? $"Give more images, or {set(count / 2)}."
            : Works(count) ? $"Give more images, or {set(count)}." : "Give more images.";
        return $"A step needs training.batchSize = {recipe.Training.BatchSize} images, "
            + $"but {name} has {Plural.Of(count, "readable image")}. {advice}";
    }

    private static RunException NoLabels(Recipe recipe, string why) =>
        new($"{OptionsJson.KindOf(recipe.Method)} learns from classes, but {why}"
            + ". Sort the images into one folder per class, or choose a method that needs no "
            + "labels, such as --set method=simclr.");

    /// <summary>Refuses images whose values are out of the range for which a recipe's views are defined.</summary>
    /// <exception cref="RunException">They are not from 0 to 1, and a view changes colours.</exception>
    internal static void CheckRange(Recipe recipe, ImageDataset data)
    {
        if ((data.Range.Min < 0 || data.Range.Max > 1) && recipe.Views.Branches.Any(b => b.NeedsUnitRange))
            throw new RunException("Colour jitter and solarisation are defined for pixels from 0 to 1, "
                + $"but those of {data.Name} go from {data.Range.Min:G4} to "
                + $"{data.Range.Max:G4}{(data.StoredRange == data.Range ? "" : " when they are resized")}. Leave them out, "
                + string.Join(' ', recipe.Views.Branches.SelectMany((b, i) =>
                    b.NeedingUnitRange.Select(part => $"--set views.branches.{i}.{part}.probability=0"))) + ", "
                + $"or change the images: {DataNotes.ToUnit(data.StoredRange.Min, data.StoredRange.Max)}.");
    }

    /// <summary>Refuses images that do not fit the recipe.</summary>
    /// <param name="recipe">What is to be run.</param>
    /// <param name="data">The images.</param>
    /// <exception cref="OptionsException">Their size or channels do not fit.</exception>
    /// <exception cref="RunException">They are too few or too large, their values are out of range, or labels are missing that
    /// the method learns from.</exception>
    public static void CheckFits(Recipe recipe, ImageDataset data)
    {
        Fault[] faults = [.. recipe.FaultsFor(data.Size, data.Channels)];
        if (faults.Length > 0) throw new OptionsException(faults);
        if (recipe.Method.NeedsLabels && (data.Labels is null || data.Labels.Any(l => l < 0)))
            throw NoLabels(recipe, data.Labels is null ? $"{data.Name} has no labels"
                : $"{data.Labels.Count(l => l < 0)} of {Plural.Of(data.Count, "image")} of {data.Name} have no label");
        CheckRange(recipe, data);
        CheckCount(recipe, data.Name, data.Count);
        double batchBytes = 4.0 * recipe.Training.BatchSize * data.Channels * data.Size * data.Size;
        if (batchBytes > Array.MaxLength)
            throw new RunException($"A batch must be below 2 GiB, but training.batchSize = {recipe.Training.BatchSize} images "
                + $"of {data.Channels} x {data.Size} x "
                + $"{data.Size} have {batchBytes / (1L << 30):F1} GiB. Lower training.batchSize or data.size.");
    }

    /// <summary>Refuses a folder that holds another run or in which one is at work, and a GPU that is not there; costs nothing
    /// beside a look at the checkpoint, so ask before images are decoded.</summary>
    /// <param name="recipe">What is to be run.</param>
    /// <param name="folder">Where.</param>
    /// <param name="resume">Whether the run in it is to go on.</param>
    /// <exception cref="RunException">There is a run and <paramref name="resume"/> is off, or its recipe is another,
    /// or it cannot be read, or there is no such device.</exception>
    public static void CheckFolder(Recipe recipe, RunFolder folder, bool resume)
    {
        OptionsJson.Check(recipe);
        recipe.Training.FindDevice();
        folder.CheckFree();
        CheckFolder(recipe, folder, resume, mayTrainLonger: true, out _, out _);
    }

    /// <summary>Refuses a folder whose run is not exactly this one.</summary>
    /// <exception cref="RunException">As <see cref="CheckFolder(Recipe, RunFolder, bool)"/>; also where the run is finished and
    /// more epochs are asked for.</exception>
    internal static void CheckSame(Recipe recipe, RunFolder folder)
    {
        recipe.Training.FindDevice();
        CheckFolder(recipe, folder, resume: true, mayTrainLonger: false, out _, out _);
    }

    private static void CheckFolder(
        Recipe recipe, RunFolder folder, bool resume, bool mayTrainLonger, out SavedRun? saved, out string? restored)
    {
        (saved, restored) = (null, null);
        if (!resume && (folder.HasRun || File.Exists(folder.EncoderPath)))
            throw new RunException($"{folder.Path} already holds a run. Continue it with --resume, or choose another --out.");
        if (!folder.HasRun && folder.FinishedWithoutCheckpoint is null) return;
        saved = SavedRun.Find(folder);
        if (!folder.HasRun)
            throw new RunException($"{folder.Path} holds the encoder of a finished run, but neither its recipe nor its "
                + "checkpoint, so that the run cannot go on. Choose another --out.");
        JsonObject stored = folder.ReadRecipe(out restored, out _);
        Fault[] differences = DifferencesOf(stored, recipe);
        if (differences.Length == 0) return;
        Recipe before = Recipe.Reread(stored, []);
        if (folder.FinishedWithoutCheckpoint is { } finished)
            throw new RunException($"{finished} It cannot become another or be trained longer "
                + $"({string.Join("; ", differences.Select(d => $"{d.Path}: {d.Problem}"))}). Choose another --out.");
        bool more = mayTrainLonger && recipe.Training.Epochs > before.Training.Epochs,
            longer = more && differences is [{ Path: "training.epochs" }];
        bool done = saved is not null && saved.Step == saved.Steps(before);
        if (longer && done) return; // a finished run may be trained longer
        if (more && done) differences = [.. differences.Where(d => d.Path != "training.epochs")]; // that alone would be allowed
        throw new RunException(
            $"{folder.Path} holds a run with another recipe. Resume it without these changes, or choose another --out:\n"
                + string.Join('\n', differences.Select(d => $"  {d.Path}: {d.Problem}"))
                + (longer
                    ? "\nIt can be trained longer once it is finished: "
                        + "give the command with --resume and its own number of epochs first." : ""));
    }

    /// <summary>Where a stored recipe and one that is asked for differ in what decides a run.</summary>
    internal static Fault[] DifferencesOf(JsonObject stored, Recipe asked) =>
    [
        // Options that are newer than the run have their defaults.
        .. OptionTree.Differences(OptionsJson.Write(Recipe.Reread(stored, [])), OptionsJson.Write(asked))
            .Where(d => ChangesTheRun(d.Path)),
    ];

    /// <summary>Whether an option decides what a run learns, and not only where its images and its network are
    /// or how it is judged.</summary>
    private static bool ChangesTheRun(string path) =>
        path is not ("data.threads" or "data.memoryGiB" or "training.device")
            && !path.StartsWith("evaluation.", StringComparison.Ordinal);
}

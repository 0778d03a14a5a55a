using SiamSharp.Data;
using SiamSharp.Messages;

namespace SiamSharp.Evaluation;

/// <summary>The images of a dataset that have a label.</summary>
/// <param name="Data">All images.</param>
/// <param name="Indexes">Those with a label, in order.</param>
/// <param name="Labels">Of each of those, an index into <paramref name="ClassNames"/>.</param>
/// <param name="ClassNames">Of the classes that have an image here, in label order.</param>
internal sealed record LabelledImages(ImageDataset Data, int[] Indexes, long[] Labels, IReadOnlyList<string> ClassNames)
{
    /// <summary>What to do where there are no labels.</summary>
    /// <param name="source">The source, as the user named it.</param>
    internal static string HowToLabel(string source) =>
        Path.GetExtension(source.Split('#')[0]).ToLowerInvariant() is ".csv" or ".jsonl"
            ? "Give it a column 'label' with the name of each image's class."
            : $"Sort the images into one folder per class, or name a list of labels as FOLDER@labels.csv.{AsAClass(source)}";

    /// <summary>Where the source may be the folder of one class.</summary>
    private static string AsAClass(string source) =>
        !Directory.Exists(source) ? ""
        : Directory.EnumerateFiles(source, "*.*").FirstOrDefault(f => Path.GetExtension(f) is ".csv" or ".jsonl") is { } list
        ? $" Where {list} is that list, give it in place of the folder."
        : Directory.EnumerateDirectories(source).Any()
        ? " Its sub-folders are no classes as they are; `siam data inspect` says why."
        : Path.GetDirectoryName(source.TrimEnd('/')) is { Length: > 0 } above
            && Directory.EnumerateDirectories(above).Take(2).Count() == 2
            ? $" Where it is the folder of a class, name the one above: {above}#train and {above}#test." : "";

    /// <summary>Finds them.</summary>
    /// <exception cref="DataSourceException">There are none.</exception>
    internal static LabelledImages Of(ImageDataset data)
    {
        if (data.Labels is not { } labels || data.ClassNames is not { } names)
            throw new DataSourceException($"{data.Name} has no labels, and judging needs them. {HowToLabel(data.Name)}");
        int[] indexes = [.. Enumerable.Range(0, data.Count).Where(i => labels[i] >= 0)];
        if (indexes.Length == 0)
            throw new DataSourceException(
                $"None of {Plural.Of(data.Count, "image")} of {data.Name} has a label, and judging needs them.");
        int[] present = [.. indexes.Select(i => labels[i]).Distinct().Order()];
        Dictionary<int, long> numbers = present.Index().ToDictionary(k => k.Item, k => (long)k.Index);
        return new LabelledImages(data, indexes, [.. indexes.Select(i => numbers[labels[i]])],
            [.. present.Select(k => names[k])]);
    }

    /// <summary>The labels in the numbering of the training images; classes that these lack follow behind theirs,
    /// so that no answer is right for them.</summary>
    /// <param name="labels">Of the test images, indexes into <paramref name="classNames"/>.</param>
    /// <param name="classNames">Of the test images.</param>
    /// <param name="trainClasses">Class names of the training images.</param>
    /// <returns>The labels, and the names of all classes.</returns>
    internal static (long[] Labels, IReadOnlyList<string> ClassNames) Renumber(
        IReadOnlyList<long> labels, IReadOnlyList<string> classNames, IReadOnlyList<string> trainClasses)
    {
        string[] seen = [.. labels.Distinct().Order().Select(l => classNames[(int)l])],
            all = [.. trainClasses, .. seen.Except(trainClasses)];
        Dictionary<string, long> numbers = all.Index().ToDictionary(c => c.Item, c => (long)c.Index);
        return ([.. labels.Select(l => numbers[classNames[(int)l]])], all);
    }
}

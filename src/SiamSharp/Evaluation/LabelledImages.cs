using SiamSharp.Data;

namespace SiamSharp.Evaluation;

/// <summary>The images of a dataset that have a label.</summary>
/// <param name="Data">All images.</param>
/// <param name="Indexes">Those with a label, in order.</param>
/// <param name="Labels">Of each of those, an index into <paramref name="ClassNames"/>.</param>
/// <param name="ClassNames">In label order.</param>
internal sealed record LabelledImages(ImageDataset Data, int[] Indexes, long[] Labels, IReadOnlyList<string> ClassNames)
{
    /// <summary>Finds them.</summary>
    /// <exception cref="DataSourceException">There are none.</exception>
    internal static LabelledImages Of(ImageDataset data)
    {
        if (data.Labels is not { } labels || data.ClassNames is not { } names)
            throw new DataSourceException($"{data.Name} has no labels, and judging needs them. Sort the images into one folder per class, "
                + "or name a list of labels as FOLDER@labels.csv.");
        int[] indexes = [.. Enumerable.Range(0, data.Count).Where(i => labels[i] >= 0)];
        if (indexes.Length == 0)
            throw new DataSourceException($"Not one of the {data.Count} images of {data.Name} has a label, and judging needs them.");
        return new LabelledImages(data, indexes, [.. indexes.Select(i => (long)labels[i])], names);
    }

    /// <summary>The labels in the numbering of the training images.</summary>
    /// <param name="labels">Of the test images, indexes into <paramref name="classNames"/>.</param>
    /// <param name="classNames">Of the test images.</param>
    /// <param name="trainClasses">Class names of the training images.</param>
    /// <exception cref="DataSourceException">A class is not among them, or they are too few to judge.</exception>
    internal static long[] Renumber(IReadOnlyList<long> labels, IReadOnlyList<string> classNames, IReadOnlyList<string> trainClasses)
    {
        if (trainClasses.Count < 2)
            throw new DataSourceException($"Judging needs 2 or more classes, but the training images have one: {trainClasses[0]}.");
        string[] unknown = [.. classNames.Except(trainClasses)];
        if (unknown.Length > 0)
            throw new DataSourceException($"{unknown.Length} classes of the test images are not among the training images: "
                + $"{string.Join(", ", unknown.Take(5))}. Give both sets the same class names.");
        Dictionary<string, long> numbers = trainClasses.Index().ToDictionary(c => c.Item, c => (long)c.Index);
        return [.. labels.Select(l => numbers[classNames[(int)l]])];
    }
}

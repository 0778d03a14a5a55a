using SiamSharp.Data;
using SiamSharp.Messages;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>Classification with a few labels per class, drawn many times.</summary>
internal static class FewShot
{
    private static readonly int[] s_usual = [1, 2, 5, 10, 20];

    /// <summary>Draws images for one trial.</summary>
    /// <remarks>
    /// A function of (seed, draw, class): the images of 5 shots are among those of 10, and every encoder gets the same.
    /// </remarks>
    /// <param name="labels">One label for each training image.</param>
    /// <param name="classNames">In label order.</param>
    /// <param name="shots">Images per class, 1 or more.</param>
    /// <param name="draw">Which trial; 0 or more.</param>
    /// <param name="seed">Of the draws.</param>
    /// <returns>shots indexes for each class that has an image, class by class.</returns>
    /// <exception cref="DataSourceException">A class has fewer images than that, but more than none.</exception>
    public static long[] Draw(ReadOnlySpan<long> labels, IReadOnlyList<string> classNames, int shots, int draw, ulong seed)
    {
        var members = Enumerable.Range(0, classNames.Count).Select(_ => new List<long>()).ToArray();
        for (int i = 0; i < labels.Length; i++) members[labels[i]].Add(i);
        if (Fault([.. members.Index().Where(m => m.Item.Count > 0).Select(m => (classNames[m.Index], m.Item.Count))], shots)
            is { } fault)
            throw new DataSourceException(fault);
        var drawn = new List<long>();
        foreach (var (k, indexes) in members.Index().Where(m => m.Item.Count > 0))
        {
            long[] order = [.. indexes];
            new RandomStream(seed, RandomPurpose.Evaluation, epoch: draw, sample: k, view: 1).Shuffle<long>(order);
            drawn.AddRange(order[..shots]);
        }
        return [.. drawn];
    }

    /// <summary>Why so many images of each class cannot be drawn; null where they can.</summary>
    /// <param name="classes">Those with an image, and how many.</param>
    /// <param name="shots">Images per class.</param>
    internal static string? Fault(IReadOnlyList<(string Name, int Images)> classes, int shots)
    {
        string[] small = [.. classes.Where(c => c.Images < shots).Select(c => $"{c.Name} ({c.Images})")];
        return small.Length == 0 ? null
            : $"{shots} shots need {shots} labelled training images of each class, "
                + $"but {Plural.Of(small.Length, "class has", "classes have")} fewer: "
                + $"{string.Join(", ", small.Take(5))}{(small.Length > 5 ? $" and {small.Length - 5} more" : "")}. "
                + "Give more, or ask for fewer: "
                + $"--set evaluation.shots=[{string.Join(',', s_usual.Where(s => s <= classes.Min(c => c.Images)))}].";
    }

    /// <summary>How many images of a class a share of them is: at least one.</summary>
    internal static int ShareOf(int images, double fraction) => Math.Min(images, Math.Max(1, (int)Math.Round(images * fraction)));

    /// <summary>Draws a share of the images of each class, at least one.</summary>
    /// <remarks>A function of (seed, class): the images of 1 % are among those of 10 %.</remarks>
    /// <param name="labels">One label for each training image.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="fraction">Above 0 to 1.</param>
    /// <param name="seed">Of the draws.</param>
    /// <returns>Indexes, class by class.</returns>
    public static int[] DrawShare(ReadOnlySpan<long> labels, int classes, double fraction, ulong seed)
    {
        var members = Enumerable.Range(0, classes).Select(_ => new List<int>()).ToArray();
        for (int i = 0; i < labels.Length; i++) members[labels[i]].Add(i);
        return [.. members.Index().SelectMany(m =>
        {
            int[] order = [.. m.Item];
            new RandomStream(seed, RandomPurpose.Evaluation, sample: m.Index, view: 2).Shuffle<int>(order);
            return order[..ShareOf(order.Length, fraction)];
        })];
    }
}

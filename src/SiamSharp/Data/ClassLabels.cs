using System.Globalization;
using SiamSharp.Messages;

namespace SiamSharp.Data;

/// <summary>Class names for labels.</summary>
internal static class ClassLabels
{
    /// <summary>Names for labels that are numbers already: "0" to the largest.</summary>
    public static IReadOnlyList<string> Numbers(IReadOnlyCollection<int> labels) =>
        [.. Enumerable.Range(0, labels.Count == 0 ? 0 : labels.Max() + 1).Select(i => $"{i}")];

    /// <summary>Distinct names in ordinal order, and each label's index among them (-1 for null).</summary>
    public static (int[] Labels, IReadOnlyList<string> ClassNames) FromNames(IReadOnlyList<string?> names)
    {
        string[] classes = [.. names.OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        var index = classes.Index().ToDictionary(c => c.Item, c => c.Index, StringComparer.Ordinal);
        return ([.. names.Select(n => n is null ? -1 : index[n])], classes);
    }

    private static readonly string[] s_missing = ["nan", "null", "none", "n/a", "na", "<na>", "#n/a", "undefined"];

    private static readonly string[] s_unsorted = ["unsorted", "unlabeled", "unlabelled", "unclassified",
        "unassigned", "unknown", "todo", "misc"];

    /// <summary>What seems wrong with classes: names that look the same, and a class for each image.</summary>
    /// <param name="classes">Distinct names.</param>
    /// <param name="labelled">Images that have one of them.</param>
    public static IEnumerable<string> Notes(IReadOnlyList<string> classes, int labelled)
    {
        const int few = 10;
        string[][] alike = [.. classes.GroupBy(c => CanonicalName.Of(c.Trim()).ToLowerInvariant())
            .Where(g => g.Count() > 1).Select(g => g.ToArray())];
        if (alike.Length > 0)
            yield return $"The labels {string.Join(" and ", alike[0].Select(c => $"'{c}'"))} differ only in "
                + (alike[0].DistinctBy(c => c.Trim().ToLowerInvariant()).Count() == 1 ? "capitals or spaces"
                    : "the way an accent is stored")
                + (alike.Length > 1 ? $", as in {Plural.Of(alike.Length - 1, "other case")}" : "")
                + ". Each is a class of its own: where they mean the same, write them alike.";
        if (classes.FirstOrDefault(c => s_missing.Contains(c.ToLowerInvariant())) is { } missing)
            yield return $"'{missing}' is a class of its own, but programs write that where there is no label: "
                + "leave it empty there, and these images have none.";
        if (classes.Count > 1 && classes.FirstOrDefault(c => s_unsorted.Contains(c.ToLowerInvariant())) is { } unsorted)
            yield return $"'{unsorted}' is a class of its own. Where its images have no label yet, "
                + "move them away, or leave their labels empty.";
        if (labelled < few || 2 * classes.Count <= labelled) yield break;
        string what = classes.All(c => double.TryParse(c, NumberStyles.Float, CultureInfo.InvariantCulture, out _))
            ? classes.All(c => c.All(char.IsAsciiDigit)) ? "numbers of the images, or measurements" : "measurements"
            : "names of the images, or texts";
        yield return (classes.Count == labelled
            ? $"Every one of the {labelled} images with a label is a class of its own"
            : $"{labelled} images have {classes.Count} different labels")
            + $": these look like {what}, not like classes. Give images of one kind the same label, or leave the labels out.";
    }
}

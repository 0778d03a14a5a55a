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
}

using SiamSharp.Messages;

namespace SiamSharp.Data;

/// <summary>The rule for an image that is listed more than once: once with its label, and never with two.</summary>
internal static class RepeatedImages
{
    /// <summary>Leaves out what leads to an image that is listed before.</summary>
    /// <param name="name">How the user named the source.</param>
    /// <param name="paths">As listed.</param>
    /// <param name="files">The file that each leads to: the same text for the same file.</param>
    /// <param name="labels">Of each; null = none.</param>
    /// <param name="notes">Told how many are left out.</param>
    /// <returns>The places that stay, in order, and their labels.</returns>
    /// <exception cref="DataSourceException">An image has two labels.</exception>
    public static (int[] Places, string?[] Labels) Once(
        string name, IReadOnlyList<string> paths, IReadOnlyList<string> files, IReadOnlyList<string?> labels, List<string> notes)
    {
        var first = new Dictionary<string, int>(StringComparer.Ordinal);
        var kept = new List<int>();
        string?[] known = [.. labels];
        var (repeated, conflicts) = (new List<int>(), new List<(int Earlier, int Later)>());
        for (int i = 0; i < paths.Count; i++)
        {
            if (first.TryAdd(files[i], i))
            {
                kept.Add(i);
                continue;
            }
            int earlier = first[files[i]];
            if (known[earlier] is { } label && labels[i] is { } other && label != other) conflicts.Add((earlier, i));
            known[earlier] ??= labels[i];
            repeated.Add(i);
        }
        if (conflicts.Count > 0)
        {
            var (earlier, later) = conflicts[0];
            throw new DataSourceException($"'{name}' gives two labels "
                + $"to {(conflicts.Count == 1 ? "an image" : $"{conflicts.Count} images")}: "
                + $"'{Shown.Text(paths[earlier])}' is '{Shown.Text(known[earlier]!)}'"
                + (paths[later] == paths[earlier] ? "" : $", and '{Shown.Text(paths[later])}', the same file,")
                + $" and '{Shown.Text(labels[later]!)}'. An image has one label: leave one of the two out.");
        }
        if (repeated.Count > 0)
        {
            string again = paths[repeated[0]], before = paths[first[files[repeated[0]]]];
            notes.Add($"{repeated.Count} of {Plural.Of(paths.Count, "image")} of '{name}' "
                + $"{(repeated.Count == 1 ? "is there" : "are there")} a second time, such as '{again}'"
                + (again == before ? ", listed twice" : $", the same file as '{before}'") + ": each is used once.");
        }
        return ([.. kept], [.. kept.Select(i => known[i])]);
    }

    /// <summary>Where a symbolic link leads whose end does not exist; null for anything else.</summary>
    public static string? LeadsNowhere(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true) is { } target && !Path.Exists(target.FullName)
                ? target.FullName : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Where a path leads: whole, with the link that it may be followed.</summary>
    public static string FileOf(string path)
    {
        string whole = Path.GetFullPath(path);
        try
        {
            return File.ResolveLinkTarget(whole, returnFinalTarget: true)?.FullName ?? whole;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return whole; // told when it is opened
        }
    }
}

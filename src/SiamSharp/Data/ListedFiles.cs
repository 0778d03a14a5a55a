using SiamSharp.Messages;

namespace SiamSharp.Data;

/// <summary>The files that a list names: how they are found, and why none of them is there.</summary>
internal static class ListedFiles
{
    /// <summary>Says why no file of a list is there, from what is written in it.</summary>
    internal static DataSourceException NoneExists(string file, string folder, string entry, string[] paths)
    {
        string none = paths.Length == 1 ? $"The one file that '{file}' lists does not exist"
            : $"None of {Plural.Of(paths.Length, "file")} that '{file}' lists exists";
        string such = paths.Length == 1 ? "" : "such as ";
        if (entry.LastIndexOf('#') is > 0 and var hash && entry[(hash + 1)..].Length > 0
            && entry[(hash + 1)..].All(char.IsAsciiDigit))
            return new($"{none}, {such}'{entry}', which is an image within a source: "
                + $"give that source itself, {entry[..hash]}, in place of the list.");
        if (Nearest.Address(entry) is { } address) return new($"{none}, {such}'{entry}'. {address}");
        string[] parts = entry.Replace('\\', '/').Split('/');
        string? end = Enumerable.Range(1, parts.Length - 1).Select(i => string.Join('/', parts[i..]))
            .FirstOrDefault(p => p.Length > 0
                && File.Exists(Path.Combine(folder, p)));
        string rewrite = end is null ? "Write them from the manifest's own folder on."
            : $"Write them from the manifest's own folder on: that one is '{end}'.";
        if (!OperatingSystem.IsWindows() && (entry is [var drive, ':', '\\' or '/', ..] && char.IsAsciiLetter(drive)
            || entry.StartsWith(@"\\", StringComparison.Ordinal)))
            return new($"{none}, {such}'{entry}': these are paths of a Windows machine. {rewrite}");
        if (end is not null) return new($"{none}, {such}'{entry}'. {rewrite}");
        if (Directory.Exists(paths[0]))
            return new($"What '{file}' lists "
                + (paths.Length == 1 ? $"is a folder, '{entry}', not an image" : $"are folders, such as '{entry}', not images")
                + ": "
                + "list the images in it one by one, or give the folder that it is in, "
                + "whose sub-folders are classes, as the source.");
        if (entry.Contains('%') && Uri.UnescapeDataString(entry) is var plain && File.Exists(Path.Combine(folder, plain)))
            return new($"{none}, {such}'{entry}'. There is '{plain}': write the names of files, not as addresses have them.");
        int mark = entry.IndexOfAny([';', '\t']);
        if (mark > 0 && File.Exists(Path.Combine(folder, entry[..mark].Trim())))
            return new($"'{file}' must have commas between its fields, but has lines such as '{entry}': save it with commas.");
        if (!Path.IsPathRooted(entry) && File.Exists(entry))
            return new($"{none}, {such}'{paths[0]}': relative paths start at the manifest's own folder, and '{entry}' lies below "
                + $"the current one. Put the list into {Environment.CurrentDirectory}, or write whole paths.");
        if (Nearest.IgnoringCase(paths[0]) is { } other)
            return new($"{none}, {such}'{paths[0]}'. There is '{other}': capitals count here.");
        return new($"{none}, {such}'{paths[0]}': relative paths start at the manifest's own folder.{NearestOf(paths[0])}");
    }

    /// <summary>The name that was meant, of the first part of a path that does not exist; see
    /// <see cref="Nearest.Path"/>.</summary>
    private static string NearestOf(string path)
    {
        string part = path;
        while (Path.GetDirectoryName(part) is { Length: > 0 } parent && !Path.Exists(parent)) part = parent;
        return Nearest.Path(part);
    }

    /// <summary>The path of a file that is there, whose name may be another encoding of the same letters.</summary>
    internal static string OnDisk(string path)
    {
        if (File.Exists(path) || System.Text.Ascii.IsValid(path)) return path;
        string at = Path.GetPathRoot(path) ?? "";
        foreach (string part in path[at.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            string next = Path.Combine(at, part);
            if (!Path.Exists(next) && Directory.Exists(at.Length == 0 ? "." : at) && !System.Text.Ascii.IsValid(part))
            {
                string wanted = CanonicalName.Of(part);
                string[] same = [.. Directory.EnumerateFileSystemEntries(at.Length == 0 ? "." : at)
                    .Where(e => CanonicalName.Of(Path.GetFileName(e)) == wanted).Take(2)];
                if (same.Length != 1) return path;
                next = Path.Combine(at, Path.GetFileName(same[0]));
            }
            at = next;
        }
        return at;
    }
}

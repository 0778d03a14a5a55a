namespace SiamSharp.Cli.Commands;

/// <summary>Paths in which every link is followed.</summary>
internal static class RealPath
{
    internal static readonly StringComparison Comparison =
        OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;

    internal static bool IsWithin(string path, string folder) =>
        path.Equals(folder, Comparison)
            || path.StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, Comparison);

    /// <summary>A whole path in which every link that exists is followed.</summary>
    internal static string Of(string path, int links = 0)
    {
        string whole = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)), current = Path.GetPathRoot(whole)!;
        foreach (string name in whole[current.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            string next = Path.Combine(current, name);
            current = links < 40 && new FileInfo(next).LinkTarget is { } target
                ? Of(Path.Combine(current, target), links + 1) : next;
        }
        return current;
    }

    /// <summary>What a link names that leads to nothing; null for anything else.</summary>
    internal static string? LostTarget(string path)
    {
        if (new FileInfo(path).LinkTarget is not { } target) return null;
        string real = Of(path);
        return Directory.Exists(real) || (System.IO.File.Exists(real) && new FileInfo(real).LinkTarget is null) ? null : target;
    }
}

using System.Text.RegularExpressions;

namespace SiamSharp.Messages;

/// <summary>What someone may have meant who wrote a name that there is not.</summary>
internal static partial class Nearest
{
    private const int NamesLookedAt = 10_000;

    /// <summary>The known name that is nearest to one that is not known; null where none is near.</summary>
    /// <remarks>
    /// Capitals, hyphens, underscores and spaces do not count. Near is a name with at most two letters in five left out, added,
    /// changed or swapped with its neighbour, or the only one that begins so.
    /// </remarks>
    /// <param name="found">What was written.</param>
    /// <param name="known">Names that there are.</param>
    internal static string? To(string found, IEnumerable<string> known)
    {
        string plain = Plain(found);
        if (plain.Length == 0) return null;
        string[] names = [.. known];
        string? nearest = null;
        int least = int.MaxValue;
        foreach (string name in names)
        {
            string other = Plain(name);
            int distance = Distance(plain, other);
            if (distance < least && distance <= 2 * Math.Max(plain.Length, other.Length) / 5) (nearest, least) = (name, distance);
        }
        if (nearest is not null || plain.Length < 3) return nearest;
        string[] longer = [.. names.Where(name => Plain(name).StartsWith(plain, StringComparison.Ordinal))];
        return longer.Length == 1 ? longer[0] : null;
    }

    /// <summary>The file of a path whose letters are capitals in other places; null where there is none,
    /// or it is there as written.</summary>
    internal static string? IgnoringCase(string path)
    {
        string at = System.IO.Path.GetPathRoot(System.IO.Path.GetFullPath(path))!;
        foreach (string part in System.IO.Path.GetFullPath(path)
            .Split(System.IO.Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            string same = System.IO.Path.Combine(at, part);
            if (!System.IO.Path.Exists(same))
            {
                string? other = Directory.Exists(at)
                    ? Directory.EnumerateFileSystemEntries(at).Take(NamesLookedAt).FirstOrDefault(e =>
                        string.Equals(System.IO.Path.GetFileName(e), part, StringComparison.OrdinalIgnoreCase)) : null;
                if (other is null) return null;
                same = other;
            }
            at = same;
        }
        return at == System.IO.Path.GetFullPath(path) ? null : at;
    }

    /// <summary>The nearest name as the end of a sentence, <c>; did you mean simclr?</c>; empty where none is near.</summary>
    internal static string Question(string found, IEnumerable<string> known) =>
        To(found, known) is { } name ? $"; did you mean {name}?" : "";

    /// <summary>Why a path may not be there and what to write, as a sentence with a space ahead of it;
    /// empty where nothing is to be said.</summary>
    internal static string Path(string path)
    {
        if (path.StartsWith('~'))
            return $" The shell replaces ~ only at the start of a word that is not in quotes: write \"$HOME{path[1..]}\".";
        if (!OperatingSystem.IsWindows() && path is [var drive, ':', '\\' or '/', ..] && char.IsAsciiLetter(drive))
            return " This is a path of Windows. "
                + $"Under WSL it is /mnt/{char.ToLowerInvariant(drive)}/{path[3..].Replace('\\', '/')}.";
        if (!OperatingSystem.IsWindows() && path.StartsWith(@"\\", StringComparison.Ordinal))
            return " This is a share of a Windows network: mount it, and give the folder under which it is mounted.";
        if (!OperatingSystem.IsWindows() && path.Contains('\\') && System.IO.Path.Exists(path.Replace('\\', '/')))
            return $" Did you mean {path.Replace('\\', '/')}?";
        if (UnreplacedVariable(path) is { } variable) return variable;
        if (path.Trim('"', '\'', '\u201C', '\u201D', '\u2018', '\u2019', '\u201E') is var bare && bare != path && bare.Length > 0
            && System.IO.Path.Exists(bare))
            return $" Did you mean {bare}, without the quotes, which are a part of the name here?";
        if (path.StartsWith('@') && System.IO.Path.Exists(path[1..])) return $" Did you mean {path[1..]}, without the @?";
        if (path.Trim() is var trimmed && trimmed != path && System.IO.Path.Exists(trimmed))
            return $" Did you mean '{trimmed}', without the spaces around it?";
        string whole = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        string? parent = System.IO.Path.GetDirectoryName(whole);
        if (parent is null || !Directory.Exists(parent)) return "";
        try
        {
            string? near = To(System.IO.Path.GetFileName(whole), Directory.EnumerateFileSystemEntries(parent).Take(NamesLookedAt)
                .Select(e => System.IO.Path.GetFileName(e)).Order());
            return near is null ? ""
                : $" Did you mean {System.IO.Path.Combine(System.IO.Path.GetDirectoryName(path) ?? "", near)}?";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    [GeneratedRegex(@"\$(env:)?\{?[A-Za-z_]\w*\}?|%[A-Za-z_]\w*%")] private static partial Regex Variable();

    /// <summary>That a variable stands in a path as it was written, as a sentence with a space ahead of it;
    /// null where none does.</summary>
    internal static string? UnreplacedVariable(string path) => Variable().Match(path) is { Success: true, Value: var name }
        ? $" {name} was not replaced: "
            + (name[0] == '%' ? "%NAME% is of the Windows command prompt" : "within single quotes the shell leaves it as it is")
            + ". "
            + "Write the path itself, or the variable as your shell wants it."
        : null;

    /// <summary>What to do with an address where a path is wanted, as sentences; null for anything else.</summary>
    internal static string? Address(string path)
    {
        int mark = path.IndexOf("://", StringComparison.Ordinal);
        if (mark < 1 || !path[..mark].All(c => char.IsAsciiLetterOrDigit(c) || c is '+' or '-' or '.')) return null;
        return string.Equals(path[..mark], "file", StringComparison.OrdinalIgnoreCase)
            ? $"Write the path alone, without file://, as in {path[(mark + 3)..]}."
            : "This is an address, and nothing is downloaded: fetch the files first, and give their paths.";
    }

    private static string Plain(string name) => string.Concat(name.ToLowerInvariant().Where(c => c is not ('-' or '_' or ' ')));

    /// <summary>Letters left out, added, changed or swapped with their neighbour (optimal string alignment).</summary>
    private static int Distance(string a, string b)
    {
        int[,] d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (int j = 0; j <= b.Length; j++) d[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
            for (int j = 1; j <= b.Length; j++)
            {
                d[i, j] = Math.Min(Math.Min(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        return d[a.Length, b.Length];
    }
}

using System.Text.RegularExpressions;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;

namespace SiamSharp.Data;

/// <summary>Reads lists of images with optional labels: <c>.csv</c> or <c>.jsonl</c>.</summary>
internal static partial class Manifest
{
    internal static readonly string[] PathNames = ["path", "file", "filename", "file_name", "image"];
    internal static readonly string[] LabelNames = ["label", "class"];

    /// <summary>Opens a manifest; relative paths start at its own folder. Missing files count as unreadable images.</summary>
    /// <exception cref="DataSourceException">The manifest cannot be read or lists nothing.</exception>
    public static IImageSource Open(string name, string file, DataOptions options)
    {
        var notes = new List<string>();
        var entries = Read(file, notes);
        string folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        int turned = 0;
        string[] paths = [.. entries.Select(e => Find(e.Path))];
        if (!Array.Exists(paths, File.Exists)) throw ListedFiles.NoneExists(file, folder, entries[0].Path, paths);
        if (turned > 0)
            notes.Add($"{turned} of {Plural.Of(paths.Length, "path")} of '{file}' {(turned == 1 ? "has" : "have")} backslashes, "
                + "as on Windows: they are read as /.");
        var (places, labels) = RepeatedImages.Once(name, paths, [.. paths.Select(RepeatedImages.FileOf)],
            [.. entries.Select(e => e.Label)], notes);
        return new FileSource(name, [.. places.Select(place => paths[place])], labels, options, notes);

        string Find(string entry)
        {
            string path = Whole(entry);
            if (!entry.Contains('\\') || File.Exists(path)
                || Whole(entry.Replace('\\', '/')) is var other && !File.Exists(other))
                return path;
            turned++;
            return other;
        }

        string Whole(string entry) => ListedFiles.OnDisk(Path.IsPathRooted(entry) ? entry : Path.Combine(folder, entry));
    }

    /// <summary>All entries of a <c>.csv</c> or <c>.jsonl</c> file in order; a label of no text is null.</summary>
    /// <param name="file">UTF-8, or what its byte order mark says.</param>
    /// <param name="notes">Told how many rows are left out because nothing can be made of them,
    /// and of the first ones why.</param>
    /// <exception cref="DataSourceException">The file cannot be read, its header is wrong,
    /// or none of its rows lists an image.</exception>
    public static List<(string Path, string? Label)> Read(string file, List<string> notes)
    {
        string text;
        try
        {
            text = RegularFile.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataSourceException($"'{file}' cannot be read: {e.Message}");
        }
        if (text.StartsWith("PK\u0003\u0004", StringComparison.Ordinal))
            throw new DataSourceException(
                $"'{file}' is a packed file, as those of Excel are, and no text. Save the list as .csv, in Excel as CSV UTF-8.");
        if (text.Length == 0)
            throw new DataSourceException(
                $"'{file}' is empty (0 bytes) and lists no image. Write a line 'path,label' and below it one for each image.");
        var others = new SortedSet<string>(StringComparer.Ordinal);
        var faults = new List<(int Line, string Problem)>();
        var entries = new List<(string Path, string? Label)>();
        foreach (var (line, path, label, problem) in
            file.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase)
            ? ManifestLines.Read(text, others) : ReadCsv(file, text, others, notes))
        {
            if ((problem ?? FaultOf(path, label)) is { } fault) faults.Add((line, fault));
            else entries.Add((path!, label));
        }
        if (entries.Count == 0)
            throw new DataSourceException(faults.Count == 0
                ? $"'{file}' must list at least one image, but lists none: there is nothing below its first line. "
                    + "Write a line for each image there."
                : $"'{file}' must list at least one image, but none of its {Counted(faults.Count)} does: {Some(faults)}.");
        if (faults.Count > 0)
            notes.Add($"{Counted(faults.Count)} of '{file}' {(faults.Count == 1 ? "is" : "are")} left out: {Some(faults)}.");
        if (entries.TrueForAll(e => e.Label is null) && others.Count > 0
            && !others.Any(name => LabelNames.Contains(name.ToLowerInvariant())))
            notes.Add($"'{file}' gives no labels: {(others.Count == 1 ? "its column" : "its columns")} "
                + string.Join(", ", others.Take(Examples).Select(name => $"'{name}'"))
                + $"{(others.Count > Examples ? ", ..." : "")} "
                + $"{(others.Count == 1 ? "is" : "are")} not used. If {(others.Count == 1 ? "it holds" : "one of them holds")} "
                + "the labels, call it 'label' or 'class'.");
        return entries;

        static string Some(List<(int Line, string Problem)> faults)
        {
            string[] kinds = [.. faults.GroupBy(f => f.Problem, f => f.Line).Select(g => g.ToArray() is [var one]
                ? $"line {one}: {g.Key}"
                : $"lines {string.Join(", ", g.Take(Examples))}{(g.Count() > Examples ? ", ..." : "")}: {g.Key}")];
            return string.Join("; ", kinds.Take(Examples)) + (kinds.Length > Examples ? "; ..." : "");
        }
    }

    private static string Counted(int rows) => rows == 1 ? "1 row" : $"{rows} rows";

    internal const int Examples = 3;

    private const int MaxPathLength = 4096, MaxLabelLength = 1000;

    /// <summary>Why nothing can be made of a row; null where all is well.</summary>
    private static string? FaultOf(string? path, string? label)
    {
        if (path?.StartsWith("data:", StringComparison.Ordinal) == true)
            return "holds an image itself, in base64, which is not read from a list: write it to a file, and its path here";
        foreach (var (what, value, longest) in new[] { ("path", path, MaxPathLength), ("label", label, MaxLabelLength) })
        {
            if (value is null) continue;
            if (value.Contains('\0')) return $"the {what} holds a NUL character";
            if (value.Contains('\uFFFD')) return $"the {what} is not UTF-8: save the file as UTF-8";
            if (value.Length > longest) return $"the {what} has {value.Length} characters, more than {longest}";
        }
        return null;
    }

    private static IEnumerable<(int Line, string? Path, string? Label, string? Problem)> ReadCsv(
        string file, string text, SortedSet<string> others, List<string> notes)
    {
        if (Separator().Match(text) is { Success: true } given)
        {
            if (given.Groups[1].Value != ",")
                throw new DataSourceException($"'{file}' must have commas between its fields, "
                    + $"but its first line is '{given.Value.Trim()}': save it with commas.");
            text = text[given.Length..]; // its line break stays, and counts
        }
        var rows = CsvRows.Parse(file, text);
        if (rows.Count == 0) yield break;
        string[] header = [.. rows[0].Fields.Select(f => f.ToLowerInvariant())];
        int path = Array.FindIndex(header, PathNames.Contains), label = Array.FindIndex(header, LabelNames.Contains);
        if (path < 0 && header is [var single] && single.Split(';', '\t') is { Length: > 1 } names
            && names.Any(PathNames.Contains))
            throw new DataSourceException($"'{file}' must have commas between its fields, "
                + $"but its first line is '{rows[0].Fields[0]}': save it with commas.");
        if (header.Where(name => name.Length > 0).GroupBy(name => name)
            .FirstOrDefault(g => g.Count() > 1 && (PathNames.Contains(g.Key) || LabelNames.Contains(g.Key))) is { } twice)
            throw new DataSourceException($"'{file}' has {twice.Count()} columns '{twice.Key}' in its first line: "
                + "leave one, or give the others other names.");
        int columns = path >= 0 ? header.Length : 2;
        if (rows.Skip(path >= 0 ? 1 : 0).Where(row => row.Fields.Skip(columns).Any(field => field.Length > 0)).ToArray()
            is { Length: > 0 } wide)
            notes.Add($"{Counted(wide.Length)} of '{file}' {(wide.Length == 1 ? "has" : "have")} more fields than "
                + $"{(path >= 0 ? "its first line" : "path and label")}, such as line {wide[0].Line}: "
                + "what is behind is not used. A path or label with a comma goes in double quotes.");
        if (Array.IndexOf(header, "accepted") is >= 0 and var accepted
            && rows.Count(row => At(row, accepted) == "false") is > 0 and var doubtful)
            notes.Add($"{Counted(doubtful)} of '{file}' {(doubtful == 1 ? "is an answer" : "are answers")} that the classifier "
                + $"did not accept, taken as {(doubtful == 1 ? "a label" : "labels")} all the same: "
                + "leave the class empty where it is not right.");
        if (path >= 0)
        {
            others.UnionWith(rows[0].Fields.Where((name, i) => name.Length > 0 && i != path));
            rows.RemoveAt(0);
        }
        else if (label >= 0)
            throw new DataSourceException(
                $"'{file}' has a column '{header[label]}', but none of the names {string.Join(", ", PathNames)} "
                + $"among its columns {string.Join(", ", header)}: rename the one that holds the paths.");
        else (path, label) = (0, 1);
        foreach (var row in rows)
            yield return (row.Line, At(row, path), At(row, label), At(row, path) is null
                ? $"a path must stand in column {path + 1}, but there is none" : null);

        static string? At((int, string[] Fields) row, int column) =>
            column >= 0 && column < row.Fields.Length && row.Fields[column].Length > 0 ? row.Fields[column] : null;
    }

    /// <summary>What a spreadsheet may write ahead of all rows.</summary>
    [GeneratedRegex("^\"?sep=([^\"\r\n])\"?(?=[\r\n]|$)", RegexOptions.IgnoreCase)] private static partial Regex Separator();
}

/// <summary>A list of image files.</summary>
[Kind("manifest")]
internal sealed class ManifestFormat : SourceFormat
{
    /// <inheritdoc/>
    public override string Form => "a manifest .csv or .jsonl";

    /// <inheritdoc/>
    public override bool Takes(string name) =>
        File.Exists(name) && Path.GetExtension(name).ToLowerInvariant() is ".csv" or ".jsonl";

    /// <inheritdoc/>
    public override IImageSource Open(string name, DataOptions options) => Manifest.Open(name, name, options);
}

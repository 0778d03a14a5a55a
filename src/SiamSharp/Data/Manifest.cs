using System.Text.Json;
using System.Text.RegularExpressions;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;

namespace SiamSharp.Data;

/// <summary>Reads lists of images with optional labels: <c>.csv</c> or <c>.jsonl</c>.</summary>
internal static partial class Manifest
{
    private static readonly string[] PathNames = ["path", "file", "filename", "file_name", "image"];
    private static readonly string[] LabelNames = ["label", "class"];

    /// <summary>Opens a manifest; relative paths start at its own folder. Missing files count as unreadable images.</summary>
    /// <exception cref="DataSourceException">The manifest cannot be read or lists nothing.</exception>
    public static IImageSource Open(string name, string file, DataOptions options)
    {
        var notes = new List<string>();
        var entries = Read(file, notes);
        string folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        int turned = 0;
        string[] paths = [.. entries.Select(e => Find(e.Path))];
        if (!Array.Exists(paths, File.Exists)) throw NoneExists(file, folder, entries[0].Path, paths);
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

        string Whole(string entry) => OnDisk(Path.IsPathRooted(entry) ? entry : Path.Combine(folder, entry));
    }

    /// <summary>Says why no file of a list is there, from what is written in it.</summary>
    private static DataSourceException NoneExists(string file, string folder, string entry, string[] paths)
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
    private static string OnDisk(string path)
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
            ? ReadJson(text, others) : ReadCsv(file, text, others, notes))
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

    private const string EachLine = "each line must be a JSON object of its own, such as {\"path\": \"a.jpg\", \"label\": "
        + "\"cat\"}, without [ ] around all of them and without commas between the lines";

    private const string CutOff =
        "it ends too early: the } at its end is missing, or each object takes several lines and must be written on one";

    private const int Examples = 3, MaxPathLength = 4096, MaxLabelLength = 1000;

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

    private static IEnumerable<(int Line, string? Path, string? Label, string? Problem)> ReadJson(
        string text, SortedSet<string> others)
    {
        foreach (var (i, line) in text.Split('\n').Index())
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            string? path = null, label = null, problem = null;
            try
            {
                using var json = JsonDocument.Parse(line);
                (path, label) = (First(json.RootElement, PathNames), First(json.RootElement, LabelNames));
                if (json.RootElement.ValueKind != JsonValueKind.Object) problem = EachLine;
                else if (ManyLabels(json.RootElement) is { } many) problem = many;
                else if (path is null) problem = $"an object must have a \"path\", but has {Names(json.RootElement)}";
                else
                    others.UnionWith(json.RootElement.EnumerateObject().Select(p => p.Name)
                        .Where(name => !PathNames.Contains(name.ToLowerInvariant())));
            }
            catch (JsonException)
            {
                problem = IsJson(line.Replace("\\", "/", StringComparison.Ordinal))
                    ? "a \\ in a JSON text is doubled: write \\\\ or / between folders"
                    : line.TrimStart().StartsWith("{\"", StringComparison.Ordinal) && !line.Contains('}') ? CutOff : EachLine;
            }
            catch (InvalidOperationException) // from reading text that is none
            {
                problem = "a text holds half of a surrogate pair, such as \\ud800, which is no character";
            }
            yield return (i + 1, path, label, problem);
        }

        static bool IsJson(string line)
        {
            try
            {
                JsonDocument.Parse(line).Dispose();
                return true;
            }
            catch (JsonException)
            {
                return false;
            }
        }

        static string? ManyLabels(JsonElement entry)
        {
            foreach (JsonProperty item in entry.EnumerateObject())
                if (LabelNames.Contains(item.Name.ToLowerInvariant())
                    && item.Value.ValueKind is JsonValueKind.Array or JsonValueKind.Object)
                    return $"its \"{item.Name}\" is {(item.Value.ValueKind == JsonValueKind.Array ? "a list" : "an object")}, "
                        + "but an image has one label: write one text or number";
            return null;
        }

        static string Names(JsonElement entry) =>
            string.Join(", ", entry.EnumerateObject().Take(Examples).Select(item => $"\"{item.Name}\"")) is { Length: > 0 } names
                ? names : "nothing";

        static string? First(JsonElement entry, string[] names)
        {
            if (entry.ValueKind != JsonValueKind.Object) return null;
            return names.SelectMany(n => entry.EnumerateObject().Where(p => p.Name.Equals(n, StringComparison.OrdinalIgnoreCase)))
                .Select(p => p.Value.ToString()).FirstOrDefault(v => v.Length > 0);
        }
    }
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

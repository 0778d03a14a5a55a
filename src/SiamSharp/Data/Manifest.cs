using System.Text.Json;

namespace SiamSharp.Data;

/// <summary>Reads lists of images with optional labels: <c>.csv</c> or <c>.jsonl</c>.</summary>
internal static class Manifest
{
    private static readonly string[] PathNames = ["path", "file", "filename", "file_name", "image"];
    private static readonly string[] LabelNames = ["label", "class"];

    /// <summary>Opens a manifest; relative paths start at its own folder. Missing files count as unreadable images.</summary>
    /// <exception cref="DataSourceException">The manifest cannot be read or lists nothing.</exception>
    public static IImageSource Open(string name, string file, DataOptions options)
    {
        var entries = Read(file);
        string folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        string[] paths = [.. entries.Select(e => Path.IsPathRooted(e.Path) ? e.Path : Path.Combine(folder, e.Path))];
        string[] missing = [.. paths.Where(p => !File.Exists(p))];
        if (missing.Length == paths.Length)
            throw new DataSourceException($"None of the {paths.Length} files that '{file}' lists exists, such as '{missing[0]}': "
                + "relative paths start at the manifest's own folder.");
        string[] notes = missing.Length == 0 ? [] :
            [$"{missing.Length} of the {paths.Length} files that '{file}' lists do not exist, such as '{missing[0]}': they "
                + "are skipped."];
        return new FileSource(name, paths, [.. entries.Select(e => e.Label)], options, notes);
    }

    /// <summary>All entries of a <c>.csv</c> or <c>.jsonl</c> file in order; a label of no text is null.</summary>
    /// <exception cref="DataSourceException">The file cannot be read or lists nothing.</exception>
    public static List<(string Path, string? Label)> Read(string file)
    {
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataSourceException($"'{file}' cannot be read: {e.Message}");
        }
        var entries = file.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase) ? ReadJson(file, text) : ReadCsv(file, text);
        return entries.Count > 0 ? entries : throw new DataSourceException(
            $"'{file}' must list at least one image, but lists none.");
    }

    private static List<(string, string?)> ReadCsv(string file, string text)
    {
        var rows = CsvRows.Parse(file, text);
        if (rows.Count == 0) return [];
        string[] header = [.. rows[0].Fields.Select(f => f.ToLowerInvariant())];
        int path = Array.FindIndex(header, PathNames.Contains), label = Array.FindIndex(header, LabelNames.Contains);
        if (path >= 0) rows.RemoveAt(0);
        else if (label >= 0)
            throw new DataSourceException(
                $"'{file}' has a column '{header[label]}', but none of the names {string.Join(", ", PathNames)} "
                + $"among its columns {string.Join(", ", header)}: rename the one that holds the paths.");
        else (path, label) = (0, 1);
        return [.. rows.Select(r => (At(r, path) ?? throw new DataSourceException(
            $"'{file}', line {r.Line}: a path must stand in column {path + 1}, but there is none."), At(r, label)))];

        static string? At((int, string[] Fields) row, int column) =>
            column >= 0 && column < row.Fields.Length && row.Fields[column].Length > 0 ? row.Fields[column] : null;
    }

    private static List<(string, string?)> ReadJson(string file, string text)
    {
        var entries = new List<(string, string?)>();
        foreach (var (i, line) in text.Split('\n').Index())
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            try
            {
                using var json = JsonDocument.Parse(line);
                string? path = First(json.RootElement, PathNames);
                if (path is null) throw new DataSourceException(
                    $"'{file}', line {i + 1}: an object must have a \"path\", but has none.");
                entries.Add((path, First(json.RootElement, LabelNames)));
            }
            catch (JsonException)
            {
                throw new DataSourceException(
                    $"'{file}', line {i + 1}: each line must be a JSON object such as "
                        + "{\"path\": \"a.jpg\", \"label\": \"cat\"}.");
            }
        }
        return entries;

        static string? First(JsonElement entry, string[] names)
        {
            if (entry.ValueKind != JsonValueKind.Object) return null;
            return names.Select(n => entry.TryGetProperty(n, out var v) ? v.ToString() : "").FirstOrDefault(v => v.Length > 0);
        }
    }
}

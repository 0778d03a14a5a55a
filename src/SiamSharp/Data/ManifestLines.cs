using System.Text.Json;

namespace SiamSharp.Data;

/// <summary>Reads lists of images with an object of JSON in each line.</summary>
internal static class ManifestLines
{
    private const string EachLine = "each line must be a JSON object of its own, such as {\"path\": \"a.jpg\", \"label\": "
        + "\"cat\"}, without [ ] around all of them and without commas between the lines";

    private const string CutOff =
        "it ends too early: the } at its end is missing, or each object takes several lines and must be written on one";

    /// <summary>Path and label of each line, or what is wrong with it.</summary>
    /// <param name="text">The whole list.</param>
    /// <param name="others">Told of all keys that are no path.</param>
    internal static IEnumerable<(int Line, string? Path, string? Label, string? Problem)> Read(
        string text, SortedSet<string> others)
    {
        foreach (var (i, line) in text.Split('\n').Index())
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            string? path = null, label = null, problem = null;
            try
            {
                using var json = JsonDocument.Parse(line);
                (path, label) = (First(json.RootElement, Manifest.PathNames), First(json.RootElement, Manifest.LabelNames));
                if (json.RootElement.ValueKind != JsonValueKind.Object) problem = EachLine;
                else if (ManyLabels(json.RootElement) is { } many) problem = many;
                else if (path is null) problem = $"an object must have a \"path\", but has {Names(json.RootElement)}";
                else
                    others.UnionWith(json.RootElement.EnumerateObject().Select(p => p.Name)
                        .Where(name => !Manifest.PathNames.Contains(name.ToLowerInvariant())));
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
                if (Manifest.LabelNames.Contains(item.Name.ToLowerInvariant())
                    && item.Value.ValueKind is JsonValueKind.Array or JsonValueKind.Object)
                    return $"its \"{item.Name}\" is {(item.Value.ValueKind == JsonValueKind.Array ? "a list" : "an object")}, "
                        + "but an image has one label: write one text or number";
            return null;
        }

        static string Names(JsonElement entry) =>
            string.Join(", ", entry.EnumerateObject().Take(Manifest.Examples).Select(item => $"\"{item.Name}\""))
                is { Length: > 0 } names ? names : "nothing";

        static string? First(JsonElement entry, string[] names)
        {
            if (entry.ValueKind != JsonValueKind.Object) return null;
            return names.SelectMany(n => entry.EnumerateObject().Where(p => p.Name.Equals(n, StringComparison.OrdinalIgnoreCase)))
                .Select(p => p.Value.ToString()).FirstOrDefault(v => v.Length > 0);
        }
    }
}

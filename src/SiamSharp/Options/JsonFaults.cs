using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace SiamSharp.Options;

/// <summary>What is wrong with a text that is no JSON, and what to write instead.</summary>
internal static partial class JsonFaults
{
    /// <summary>What is wrong with a text that is no JSON, without the place, in words that say what to do
    /// where that is known.</summary>
    internal static string Reason(JsonException e, string text)
    {
        string start = text.TrimStart('\uFEFF', ' ', '\t', '\r', '\n');
        if (start.Length == 0) return "it is empty: write an object, { ... }";
        if (start[0] is not ('{' or '[' or '"' or '/'))
            return Listing().IsMatch(start)
                ? "it is the listing of `siam options`, not a recipe, which looks like {\"training\": {\"epochs\": 3}}: "
                    + "write what differs, or take the recipe.json of a run, which has all options"
                : start.StartsWith("<<<<<<<", StringComparison.Ordinal) ? "two versions of it were merged and the conflict is "
                    + "not resolved: keep one of both, and take out the lines that begin with <<<<<<<, ======= and >>>>>>>"
                : "it is no JSON, which begins with {" + (YamlKey().IsMatch(start)
                    ? ". It looks like YAML: write {\"training\": {\"epochs\": 3}} for training: epochs: 3" : "");
        if (EndsTooEarly(text)) return "it ends too early: it was cut off, or a }, ] or \" is missing at its end";
        if (text.IndexOfAny(['\u201C', '\u201D', '\u201E']) is >= 0 and var curly)
            return $"it has curly quotes, {text[curly]}, as text programs make: write straight ones, \"";
        string reason = e.Message.Split(" Path: ")[0].Split(" LineNumber:")[0];
        if (reason.Contains("is invalid after a value", StringComparison.Ordinal))
            return "a comma is missing ahead of what stands there";
        if (reason.Contains("after a single JSON value", StringComparison.Ordinal))
            return "something stands behind the end of the object: take it out, such as one } too many";
        return DuplicateKey().Match(reason) is { Success: true } twice
            ? $"\"{twice.Groups[1].Value}\" is there twice in one object: leave one of the two out" : reason;
    }

    /// <summary>What to write in place of a value that other languages have and JSON has not, with its path;
    /// null where the fault is another.</summary>
    internal static string? WrongValue(JsonException e, string text)
    {
        if (e.LineNumber is not long line || e.BytePositionInLine is not long column) return null;
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int at = 0;
        for (; line > 0 && at < bytes.Length; at++)
            if (bytes[at] == '\n') line--;
        at += (int)column;
        if (at >= bytes.Length) return null;
        if (at > 0 && bytes[at - 1] == '-') at--; // told of the letter behind it
        Match value = OtherValue().Match(Encoding.UTF8.GetString(bytes, at, Math.Min(16, bytes.Length - at)));
        if (!value.Success) return null;
        string found = value.Value, path = PathBefore(bytes.AsSpan(0, at));
        return (path.Length == 0 ? "" : $"{path}: ") + (found.ToLowerInvariant() switch
        {
            "true" or "false" => $"{found} is {found.ToLowerInvariant()} in JSON: write it in small letters",
            "none" or "nil" or "undefined" => $"{found} is no value in JSON: leave the key out for its default",
            "'" => "texts stand in double quotes, \"...\"",
            "." => "a fraction needs a digit ahead of its point: write 0.5 for .5",
            "+" => "numbers have no + ahead of them: leave it out",
            _ => $"{found} is no value in JSON: give a number",
        });
    }

    [GeneratedRegex(@"^(-?(nan|inf(inity)?)\b|true\b|false\b|none\b|nil\b|undefined\b|'|\.(?=\d)|\+(?=\d))",
        RegexOptions.IgnoreCase)]
    private static partial Regex OtherValue();

    /// <summary>The path of the value that comes next behind a sound beginning of JSON.</summary>
    private static string PathBefore(ReadOnlySpan<byte> start)
    {
        var keys = new List<string>(); // one for each object or list that is open
        try
        {
            var reader = new Utf8JsonReader(start, isFinalBlock: false,
                new(new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }));
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray) keys.Add("");
                else if (reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray) keys.RemoveAt(keys.Count - 1);
                else if (reader.TokenType == JsonTokenType.PropertyName) keys[^1] = reader.GetString()!;
            }
        }
        catch (JsonException)
        {
            // what was read so far says enough
        }
        return string.Join('.', keys.Where(key => key.Length > 0));
    }

    /// <summary>Whether all is well up to the end, where something is still open.</summary>
    private static bool EndsTooEarly(string text)
    {
        try
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text.TrimEnd());
            var reader = new Utf8JsonReader(bytes, isFinalBlock: false,
                new(new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }));
            while (reader.Read())
            {
            }
            return reader.CurrentDepth > 0 || reader.BytesConsumed < bytes.Length;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"^(The v|V)alues (shown are )?for grey images|^[a-z]\w*\.[\w.]+ = ")] private static partial Regex Listing();

    [GeneratedRegex(@"^[A-Za-z_][\w.-]*:(\s|$)")] private static partial Regex YamlKey();

    [GeneratedRegex("^Duplicate property '(.*)' encountered")] private static partial Regex DuplicateKey();
}

using System.Text.Encodings.Web;
using System.Text.Json;
using SiamSharp.Files;

namespace SiamSharp.Data;

/// <summary>An image that was left out.</summary>
/// <param name="Path">Where it comes from: a path, or <c>FILE#index</c>.</param>
/// <param name="Reason">Why, in one line.</param>
public sealed record SkippedFile(string Path, string Reason)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>
    /// Writes one JSON object per line, such as <c>{"path":"a.jpg","reason":"is empty"}</c>; replaces the file.
    /// </summary>
    /// <param name="file">Usually <c>skipped.jsonl</c> in the run's folder.</param>
    /// <param name="skipped">What to write; nothing gives an empty file.</param>
    public static void Write(string file, IEnumerable<SkippedFile> skipped) =>
        FileWriting.WriteText(file, string.Concat(skipped.Select(s => JsonSerializer.Serialize(s, Json) + "\n")));
}

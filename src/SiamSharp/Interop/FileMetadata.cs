using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using SiamSharp.Recipes;
using SiamSharp.Training;

namespace SiamSharp.Interop;

/// <summary>What stands beside the tensors of an encoder or a classifier; any fault of it is a <see cref="RunException"/> that names the file.</summary>
internal sealed class FileMetadata(string path, IReadOnlyDictionary<string, string> values)
{
    public string Path => path;

    /// <summary>A whole number from 1 to <paramref name="most"/>.</summary>
    public int Count(string key, int most) => Read(key, text => int.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) is int n && n >= 1 && n <= most
        ? n
        : throw new FormatException($"is {text}, but must be 1 to {most}"));

    /// <summary>A finite number.</summary>
    public double Number(string key) => Read(key, text => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture) is double x && double.IsFinite(x)
        ? x
        : throw new FormatException($"is {text}, but must be finite"));

    /// <summary>Names.</summary>
    public string[] Names(string key) => Read(key, text => JsonSerializer.Deserialize<string[]>(text) is string[] names && names.All(name => name is not null)
        ? names
        : throw new FormatException("must be a list of names"));

    /// <summary>Options, which follow their rules.</summary>
    public T Options<T>(string key) where T : class => Read(key, text => OptionsJson.Read<T>(JsonNode.Parse(text) as JsonObject ?? throw new FormatException("must be a JSON object")));

    public RunException Fault(string problem) => new($"{path} is damaged: {problem}. Copy it again from where it was made, or make it again.");

    private T Read<T>(string key, Func<string, T> read)
    {
        if (!values.TryGetValue(key, out string? text)) throw Fault($"\"{key}\" is missing in its metadata");
        try { return read(text); }
        catch (Exception fault) when (fault is FormatException or OverflowException or JsonException or RecipeException)
        {
            throw Fault($"\"{key}\" in its metadata: {fault.Message.ReplaceLineEndings(" ").TrimEnd('.')}");
        }
    }
}

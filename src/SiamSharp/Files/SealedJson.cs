using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace SiamSharp.Files;

/// <summary>A JSON object that carries a hash of everything else in it, so that a number that was changed or damaged since is
/// not used in silence.</summary>
internal static class SealedJson
{
    /// <summary>Puts the hash in; any earlier one is replaced.</summary>
    /// <returns>The object given.</returns>
    internal static JsonObject Seal(JsonObject content)
    {
        content.Remove(FileHash.Name);
        content[FileHash.Name] = HashOf(content);
        return content;
    }

    /// <summary>Takes the hash out again.</summary>
    /// <param name="content">An object without one is taken as it is: earlier versions wrote none.</param>
    /// <exception cref="JsonException">It is no object, or the hash is not that of the rest.</exception>
    internal static JsonObject Unseal(JsonNode? content)
    {
        if (content is not JsonObject found) throw new JsonException("it is no JSON object");
        try
        {
            bool isSealed = found.Remove(FileHash.Name, out JsonNode? hash);
            string own = HashOf(found); // reads every text, one without a hash too
            return !isSealed || (hash is JsonValue value && value.TryGetValue(out string? digits) && digits == own)
                ? found
                : throw new JsonException("it was changed or damaged since it was written");
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            throw new JsonException("a key stands in it twice, or a text in it is no UTF-8", e);
        }
    }

    /// <summary>Of the object as it is written in one line, which the blanks and escapes of a file do not change.</summary>
    private static string HashOf(JsonObject content) => FileHash.Of(Encoding.UTF8.GetBytes(content.ToJsonString()));
}

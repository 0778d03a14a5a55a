using System.Text.Json.Nodes;

namespace SiamSharp.Embeddings;

/// <summary>What a file of representations says of itself: its format, and what made the vectors.</summary>
internal static class StoredOrigin
{
    internal const string Format = "siamsharp-embeddings-1";

    internal static JsonObject Write(EmbeddingOrigin? origin)
    {
        JsonObject about = origin?.ToJson() ?? [];
        about["format"] = Format;
        return about;
    }

    /// <summary>What it says; null where it says nothing.</summary>
    internal static EmbeddingOrigin? Of(string path, JsonObject? about)
    {
        if (about is null || !about.ContainsKey("encoder")) return null;
        try
        {
            return EmbeddingOrigin.Of(about);
        }
        catch (FormatException e)
        {
            throw new EmbeddingFileException(path,
                $"what it says of its encoder cannot be read: {e.Message}. Repeat `siam embed`", e);
        }
    }
}

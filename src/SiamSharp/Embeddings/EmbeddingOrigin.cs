using System.Text.Json.Nodes;
using SiamSharp.Data;
using SiamSharp.Options;

namespace SiamSharp.Embeddings;

/// <summary>What made the vectors of a file; it is kept with them, because vectors of two encoders cannot be compared.</summary>
/// <param name="Encoder">Its <see cref="SiamSharp.Encoder.ContentHash"/>, 32 hexadecimal digits.</param>
/// <param name="Name">What the user called the encoder, such as a run's folder.</param>
/// <param name="Data">How the images were decoded.</param>
public sealed record EmbeddingOrigin(string Encoder, string Name, DataOptions Data)
{
    // What an image is decoded to does not depend on these.
    private static readonly DataOptions s_indifferent = new();

    /// <summary>The encoder and the options that the user's vectors are made with.</summary>
    /// <param name="encoder">The encoder.</param>
    /// <param name="name">What the user called it.</param>
    /// <param name="data">How images are decoded; the size and channels are the encoder's.</param>
    public static EmbeddingOrigin Of(Encoder encoder, string name, DataOptions data) =>
        new(encoder.ContentHash(), name, Decoding(data with { Size = encoder.Size, Channels = encoder.Channels }));

    /// <summary>Refuses vectors that cannot be compared with those of a file.</summary>
    /// <param name="path">The file, of which this is the origin.</param>
    /// <param name="other">What made the other vectors.</param>
    /// <exception cref="EmbeddingFileException">Another encoder, or images that were decoded in another way.</exception>
    public void Check(string path, EmbeddingOrigin other)
    {
        if (Encoder != other.Encoder)
            throw new EmbeddingFileException(path, $"its vectors were made with the encoder of {Name} ({Encoder[..8]}...), "
                + $"but {other.Name} holds another one ({other.Encoder[..8]}...). Use the encoder of {Name}, "
                + $"or make the file again with `siam embed` and {other.Name}", use: "used with this encoder");
        if (Decoding(Data) == Decoding(other.Data)) return;
        JsonObject own = OptionsJson.Write(Decoding(Data)), others = OptionsJson.Write(Decoding(other.Data));
        var differing = own.Where(option => !JsonNode.DeepEquals(option.Value, others[option.Key])).ToArray();
        throw new EmbeddingFileException(path, "its images were decoded with "
            + $"{string.Join(", ", differing.Select(o => Setting(o.Key, o.Value)))}, but these are with "
            + $"{string.Join(", ", differing.Select(o => Setting(o.Key, others[o.Key])))}. Use the same for both",
            use: "used with these options");

        static string Setting(string key, JsonNode? value) => $"data.{key}={value?.ToString() ?? "none"}";
    }

    /// <summary>The options without those that change no pixel.</summary>
    private static DataOptions Decoding(DataOptions data) =>
        data with
        {
            MemoryGiB = s_indifferent.MemoryGiB,
            Threads = s_indifferent.Threads,
            MaxMegapixels = s_indifferent.MaxMegapixels
        };

    internal JsonObject ToJson() =>
        new() { ["encoder"] = Encoder, ["name"] = Name, ["data"] = OptionsJson.Write(Decoding(Data)) };

    /// <exception cref="FormatException">It is no origin.</exception>
    internal static EmbeddingOrigin Of(JsonObject json)
    {
        if (json["encoder"] is not JsonValue hash || !hash.TryGetValue(out string? encoder) || encoder.Length != 32
            || !encoder.All(char.IsAsciiHexDigitLower))
            throw new FormatException("\"encoder\" must be 32 hexadecimal digits");
        if (json["name"] is not JsonValue text || !text.TryGetValue(out string? name))
            throw new FormatException("\"name\" must be a text");
        if (json["data"] is not JsonObject data) throw new FormatException("\"data\" must be an object");
        try
        {
            return new(encoder, name, OptionsJson.Read<DataOptions>((JsonObject)data.DeepClone()));
        }
        catch (OptionsException e)
        {
            throw new FormatException($"\"data\": {e.Message.ReplaceLineEndings(" ").TrimEnd('.')}", e);
        }
    }
}

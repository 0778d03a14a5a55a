using System.Text.Json;
using System.Text.Json.Nodes;
using SiamSharp.Files;

namespace SiamSharp.Options;

/// <summary>Records in JSON files that carry a hash of themselves; see <see cref="SealedJson"/>.</summary>
internal static class SealedFile
{
    /// <summary>Reads a record from a file that may carry a hash.</summary>
    /// <exception cref="JsonException">As <see cref="SealedJson.Unseal"/>, or it is no such record.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    internal static T Read<T>(string path) =>
        SealedJson.Unseal(JsonNode.Parse(RegularFile.ReadAllText(path))).Deserialize<T>(OptionsJson.Serializer)!;

    /// <summary>Writes a record as JSON with its hash; <see cref="Read"/> reads it.</summary>
    internal static void Write<T>(string path, T content) =>
        FileWriting.WriteText(path, SealedJson.Seal(JsonSerializer.SerializeToNode(content, OptionsJson.Serializer)!.AsObject())
            .ToJsonString(OptionsJson.Serializer) + "\n");
}

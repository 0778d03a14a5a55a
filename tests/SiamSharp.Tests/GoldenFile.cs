using System.Text.Json.Nodes;
using TorchSharp;
using static TorchSharp.torch;

namespace SiamSharp.Tests;

/// <summary>Answers of the field's reference implementations; each file names its source.</summary>
internal static class GoldenFile
{
    internal static JsonObject Read(string name) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", name + ".json")))!.AsObject();

    /// <summary>A float64 tensor stored as <c>{ "shape": [...], "data": [...] }</c>.</summary>
    internal static Tensor Tensor(JsonNode? node) =>
        tensor([.. node!["data"]!.AsArray().Select(v => v!.GetValue<double>())], [.. node["shape"]!.AsArray().Select(v => v!.GetValue<long>())]);
}

using System.Text.Json;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Reference;

/// <summary>A file of golden values; each names its source.</summary>
public sealed class GoldenFile(string name)
{
    private readonly JsonElement _root =
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", name))).RootElement;

    public JsonElement this[params string[] path] => path.Aggregate(_root, (element, key) => element.GetProperty(key));

    public double Number(params string[] path) => this[path].GetDouble();

    /// <summary>A float64 tensor.</summary>
    public Tensor Tensor(params string[] path)
    {
        double[] data = [.. this[path].GetProperty("data").EnumerateArray().Select(v => v.GetDouble())];
        return tensor(data, dtype: ScalarType.Float64).reshape([.. Shape(this[path].GetProperty("shape"))]);
    }

    public static IEnumerable<long> Shape(JsonElement shape) => shape.EnumerateArray().Select(n => n.GetInt64());
}

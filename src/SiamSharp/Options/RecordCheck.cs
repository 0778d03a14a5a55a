using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using static SiamSharp.Options.OptionsJson;

namespace SiamSharp.Options;

/// <summary>Checks an options record that is built already: its values, as <see cref="TreeCheck"/> does in a tree,
/// and its rules.</summary>
internal static class RecordCheck
{
    internal const string NoNull = "null is not allowed; leave the key out for its default";

    /// <summary>All that <see cref="OptionsJson.Check{T}"/> finds.</summary>
    internal static List<Fault> FaultsOf(object options)
    {
        var faults = new List<Fault>();
        CheckObject(options, "", null, faults);
        if ((faults.Count == 0 ? options : WithoutFaults(options, faults)) is { } sound) AddRules(sound, faults);
        return faults;
    }

    /// <summary>Adds the rules that options break, but for what stands in the place of something that is wrong itself.</summary>
    internal static void AddRules(object options, List<Fault> faults)
    {
        var broken = new List<Fault>();
        CheckRules(options, "", broken);
        string[] wrong = [.. faults.Select(f => f.Path)];
        faults.AddRange(
            broken.Where(b => !wrong.Any(path => b.Path == path || b.Path.StartsWith(path + ".", StringComparison.Ordinal))));
    }

    /// <summary>A copy with the defaults in the place of what is wrong; null where there can be none.</summary>
    private static object? WithoutFaults(object options, List<Fault> faults)
    {
        try
        {
            var tree = (JsonObject)JsonSerializer.SerializeToNode(options, options.GetType(), AnyNumber)!;
            foreach (string[] keys in faults.Select(fault => fault.Path.Split('.')))
                if (keys[..^1].Aggregate((JsonNode?)tree, (node, key) => (node as JsonObject)?[key]) is not JsonObject owner
                    || !owner.Remove(keys[^1]))
                    return null;
            return tree.Deserialize(options.GetType(), AnyNumber);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            return null; // a framework that only the calling program knows
        }
    }

    /// <summary>Checks every value of a record, and of the records in it, as <see cref="TreeCheck"/> does in a tree.</summary>
    private static void CheckObject(object? value, string path, ICustomAttributeProvider? declared, List<Fault> faults)
    {
        if (value is null)
        {
            faults.Add(new Fault(path, NoNull));
            return;
        }
        JsonTypeInfo info = Serializer.GetTypeInfo(value.GetType());
        switch (info.Kind)
        {
            case JsonTypeInfoKind.Object:
                foreach (JsonPropertyInfo property in info.Properties.Where(p => p.Get is not null && p.Set is not null))
                    CheckObject(property.Get!(value), OptionTree.Join(path, property.Name), property.AttributeProvider, faults);
                break;
            case JsonTypeInfoKind.Enumerable:
                foreach (var (i, item) in ((System.Collections.IEnumerable)value).Cast<object?>().Index())
                    CheckObject(item, OptionTree.Join(path, $"{i}"), declared, faults);
                break;
            default:
                faults.AddRange(
                    ValueCheck.ProblemsOf(value, declared, JsonSerializer.Serialize(value, value.GetType(), AnyNumber).Trim('"'))
                        .Select(problem => new Fault(path, problem)));
                break;
        }
    }

    /// <summary>Asks every options record in the tree for its own rules.</summary>
    private static void CheckRules(object options, string path, List<Fault> faults)
    {
        if (options is IHasRules rules)
            faults.AddRange(rules.Faults().Select(f => new Fault(OptionTree.Join(path, f.Path), f.Problem)));
        JsonTypeInfo info = Serializer.GetTypeInfo(options.GetType());
        if (info.Kind == JsonTypeInfoKind.Enumerable && options is System.Collections.IEnumerable items)
        {
            int i = 0;
            foreach (object item in items) CheckRules(item, OptionTree.Join(path, $"{i++}"), faults);
        }
        if (info.Kind != JsonTypeInfoKind.Object) return;
        foreach (JsonPropertyInfo property in info.Properties)
            if (property.Get?.Invoke(options) is { } value) CheckRules(value, OptionTree.Join(path, property.Name), faults);
    }
}

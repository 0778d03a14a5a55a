using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using SiamSharp.Messages;
using static SiamSharp.Options.OptionsJson;

namespace SiamSharp.Options;

/// <summary>Checks the names, types and ranges of a tree against the options record that it is to become.</summary>
/// <param name="root">What the whole tree is to be.</param>
internal sealed class TreeCheck(Type root)
{
    private readonly List<(JsonObject Owner, string Key)> _wrong = [];
    private bool _inPlace;

    /// <summary>All that was found.</summary>
    public List<Fault> Faults { get; } = [];

    /// <summary>Checks a whole tree.</summary>
    public void Check(JsonObject tree) => CheckNode(tree, root, "", null, null);

    /// <summary>Notes a fault of a value; <paramref name="owner"/> is the object that holds it, null for the item of a list
    /// or a kind, which nothing can replace.</summary>
    private void Add(Fault fault, JsonObject? owner, string key = "")
    {
        Faults.Add(fault);
        if (owner is null) _inPlace = true;
        else _wrong.Add((owner, key));
    }

    /// <summary>Leaves out all values that have a fault; false where that is not possible.</summary>
    public bool WithoutFaults()
    {
        foreach (var (owner, key) in _wrong) owner.Remove(key);
        return !_inPlace;
    }

    private void CheckNode(
        JsonNode? node, Type type, string path, ICustomAttributeProvider? declared, JsonObject? owner)
    {
        string key = path[(path.LastIndexOf('.') + 1)..];
        if (node is null)
        {
            Add(new Fault(path, RecordCheck.NoNull), owner, key);
            return;
        }
        JsonTypeInfo info = Serializer.GetTypeInfo(type);
        switch (info.Kind)
        {
            case JsonTypeInfoKind.Object when node is JsonObject tree:
                if (info.PolymorphismOptions is { } kinds)
                {
                    if (DerivedType(kinds, tree, path) is not { } derived) return;
                    info = Serializer.GetTypeInfo(derived);
                }
                CheckProperties(tree, info, path);
                break;
            case JsonTypeInfoKind.Enumerable when node is JsonArray items:
                for (int i = 0; i < items.Count; i++)
                    CheckNode(items[i], info.ElementType!, OptionTree.Join(path, $"{i}"), declared, null);
                break;
            case JsonTypeInfoKind.None:
                if (node is JsonArray && key is "pretrain" or "train" or "test")
                {
                    Add(new Fault(path, "takes one source: put the folders into one, or their files into the lines "
                        + "of a manifest.csv; a part of a source is one range, #FIRST..END"), owner, key);
                    break;
                }
                foreach (string problem in ValueCheck.ProblemsOf(node, type, declared)) Add(new Fault(path, problem), owner, key);
                break;
            default:
                string wanted = info.Kind == JsonTypeInfoKind.Enumerable ? "a list, "
                    + (Serializer.GetTypeInfo(info.ElementType!).Kind == JsonTypeInfoKind.None
                        ? $"such as [{(path == "seeds" ? "1, 2, 3" : ValueCheck.Items(node, info.ElementType!))}]"
                        : path == "rows" ? "such as [{ \"name\": \"a\" }]" : "[ ... ]")
                    : $"an object, {{ ... }}; its options: {string.Join(", ",
                        OptionsOf(info).Select(key => OptionTree.Join(path, key)))}";
                Add(new Fault(path, $"{ValueCheck.Show(node)} is not "
                    + $"{wanted}{WhyNoJson(node)}{(key == "highPass" ? "; --set views.highPass.sigma=0 switches it off" : "")}"),
                    owner, key);
                break;
        }
    }

    /// <summary>Why a text that looks like an object or a list was taken as a text; empty for anything else.</summary>
    private static string WhyNoJson(JsonNode node)
    {
        if (node is JsonValue shell && shell.TryGetValue(out string? powerShell)
            && powerShell.StartsWith("@{", StringComparison.Ordinal))
            return ". That is what PowerShell writes in the place of a deep object: "
                + "write the file again with ConvertTo-Json -Depth 9";
        if (node is not JsonValue value || !value.TryGetValue(out string? text) || text.TrimStart() is not ['{' or '[', ..])
            return "";
        try
        {
            ParseNode(text);
            return "";
        }
        catch (JsonException e)
        {
            return $". It is no JSON: {JsonFaults.Reason(e, text)}";
        }
    }

    /// <summary>The keys that an object of a type can have, of one of several kinds that of the kind.</summary>
    private static IEnumerable<string> OptionsOf(JsonTypeInfo info) =>
        info.PolymorphismOptions is { } kinds ? [kinds.TypeDiscriminatorPropertyName]
            : info.Properties.Where(p => p.Set is not null).Select(p => p.Name);

    private Type? DerivedType(JsonPolymorphismOptions kinds, JsonObject tree, string path)
    {
        string key = kinds.TypeDiscriminatorPropertyName;
        string? name = tree[key] is JsonValue value && value.TryGetValue(out string? given) ? given : null;
        foreach (JsonDerivedType kind in kinds.DerivedTypes)
            if (name is not null && name.Equals(kind.TypeDiscriminator as string, StringComparison.Ordinal))
                return kind.DerivedType;

        string known = string.Join(", ", kinds.DerivedTypes.Select(kind => kind.TypeDiscriminator));
        Add(new Fault(OptionTree.Join(path, key), name is "" ? $"has no value; give one of: {known}"
            : $"{(tree[key] is { } wrong ? ValueCheck.Show(wrong) : "nothing")} is none of: {known}"
                + (name is null ? "" : Nearest.Question(name, kinds.DerivedTypes.Select(kind => (string)kind.TypeDiscriminator!)))
                + (tree[key] is { } text ? WhyNoJson(text) : "")), null);
        return null;
    }

    private void CheckProperties(JsonObject tree, JsonTypeInfo info, string path)
    {
        JsonPolymorphismOptions? kinds = info.PolymorphismOptions
            ?? (info.Type.BaseType is { } b && b != typeof(object) ? Serializer.GetTypeInfo(b).PolymorphismOptions : null);
        string? discriminator = kinds?.TypeDiscriminatorPropertyName;
        JsonPropertyInfo[] known = [.. info.Properties.Where(p => p.Set is not null)];
        foreach (var (key, value) in tree)
        {
            if (key == discriminator) continue;
            if (known.FirstOrDefault(p => p.Name == key) is { } property)
                CheckNode(value, property.PropertyType, OptionTree.Join(path, key), property.AttributeProvider, tree);
            else
            {
                string[] having = [.. (kinds?.DerivedTypes ?? []).Where(k => Serializer.GetTypeInfo(k.DerivedType).Properties
                    .Any(p => p.Set is not null && p.Name == key)).Select(k => $"{k.TypeDiscriminator}")];
                if (having.Length > 0)
                {
                    Add(new Fault(OptionTree.Join(path, key), $"there is no such option for {KindIn(tree, kinds!)}, only for "
                        + $"{string.Join(", ", having)}; known here: {string.Join(", ", known.Select(p => p.Name))}"), tree, key);
                    continue;
                }
                if (root.GetCustomAttributes<ExpectedKeysAttribute>()
                    .FirstOrDefault(e => e.Part == path && e.Keys.Contains(key)) is { } expected)
                {
                    Add(new Fault(OptionTree.Join(path, key), expected.Advice), tree, key);
                    continue;
                }
                if (key.Contains('.') && known.Any(p => p.Name == key.Split('.')[0]))
                {
                    Add(new Fault(OptionTree.Join(path, key), "in a file an object stands for each point: write "
                        + key.Split('.').Reverse()
                            .Aggregate(value?.ToJsonString() ?? "null", (inner, name) => $"{{\"{name}\": {inner}}}")),
                        tree, key);
                    continue;
                }
                if (value is JsonObject inside
                    && inside.Select(p => p.Key).Where(k => known.Any(p => p.Name == k)).ToArray() is { Length: > 0 } deeper)
                {
                    Add(new Fault(OptionTree.Join(path, key), "there is no such option; what is in it, "
                        + $"{string.Join(", ", deeper)}, "
                        + $"belongs one level higher: take it out of \"{key}\""), tree, key);
                    continue;
                }
                if (path.Length > 0 && Serializer.GetTypeInfo(root).Properties.Any(p => p.Name == key))
                {
                    Add(new Fault(OptionTree.Join(path, key),
                        $"there is no such option; \"{key}\" stands at the top: take it out of \"{path}\""), tree, key);
                    continue;
                }
                string? meant = Nearest.To(key, known.Select(p => p.Name)) is { } near ? OptionTree.Join(path, near)
                    : value is JsonObject ? null : OptionListing.PathTo(root, key);
                Add(new Fault(OptionTree.Join(path, key), "there is no such option; "
                    + (meant is null ? "known here: " : $"did you mean {meant}? Known here: ")
                    + string.Join(", ", known.Select(p => p.Name))),
                    tree, key);
            }
        }
    }

    private static string KindIn(JsonObject tree, JsonPolymorphismOptions kinds) =>
        tree[kinds.TypeDiscriminatorPropertyName] is JsonValue value && value.TryGetValue(out string? name) ? name : "it";
}

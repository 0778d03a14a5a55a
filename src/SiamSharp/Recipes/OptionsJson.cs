using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using SiamSharp.Data;

namespace SiamSharp.Recipes;

/// <summary>Options records to strict JSON and back: one format in code, file, run folder and checkpoint.</summary>
/// <remarks>Comments and trailing commas are allowed; unknown keys, duplicates and nulls are not.</remarks>
public static class OptionsJson
{
    private static readonly JsonDocumentOptions s_document = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        AllowDuplicateProperties = false,
    };

    /// <summary>The serialiser's settings: camelCase names, indented, discriminators in any position.</summary>
    public static JsonSerializerOptions Serializer { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NewLine = "\n",
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowOutOfOrderMetadataProperties = true,
        NumberHandling = JsonNumberHandling.Strict,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { Methods.FrameworkAttribute.AddKinds } },
    };

    /// <summary>Reads one JSON object.</summary>
    /// <param name="text">JSON with comments.</param>
    /// <param name="name">What to call the document in a message, such as its path.</param>
    /// <exception cref="RecipeException">The text is no JSON object.</exception>
    public static JsonObject Parse(string text, string name)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: s_document) as JsonObject
                ?? throw new RecipeException([new Fault(name, "must be one JSON object, { ... }")]);
        }
        catch (JsonException e)
        {
            string where = e.LineNumber is long line ? $"line {line + 1}: " : "";
            throw new RecipeException([new Fault(name, where + e.Message.Split(" LineNumber:")[0])]);
        }
    }

    /// <summary>Reads a file of one JSON object.</summary>
    /// <param name="path">JSON with comments.</param>
    /// <exception cref="RecipeException">It cannot be read, or is no JSON object.</exception>
    public static JsonObject ParseFile(string path)
    {
        try
        {
            return Parse(RegularFile.ReadAllText(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RecipeException([new Fault(path, $"cannot be read ({e.Message.TrimEnd('.')})")]);
        }
    }

    /// <summary>The options as a tree with every value in it.</summary>
    public static JsonObject Write<T>(T options) where T : notnull =>
        JsonSerializer.SerializeToNode(options, Serializer)!.AsObject();

    /// <summary>Makes the options record of a tree, after checking names, types, ranges and rules.</summary>
    /// <param name="tree">A JSON object; what it lacks takes the record's default.</param>
    /// <exception cref="RecipeException">Anything is wrong; all faults are listed.</exception>
    public static T Read<T>(JsonObject tree) where T : notnull
    {
        var faults = new List<Fault>();
        CheckNode(tree, typeof(T), "", null, faults);
        // With the defaults in the place of what is wrong, rules across values can still be checked.
        if (WithoutFaults(tree, faults) is not { } sound) throw new RecipeException(faults);

        T options = sound.Deserialize<T>(Serializer)!;
        CheckRules(options, "", faults);
        return faults.Count > 0 ? throw new RecipeException(faults) : options;
    }

    /// <summary>The tree without the values that have a fault; null where one of them cannot be left out, as a kind or an item of a list.</summary>
    private static JsonObject? WithoutFaults(JsonObject tree, List<Fault> faults)
    {
        if (faults.Count == 0) return tree;
        var sound = (JsonObject)tree.DeepClone();
        foreach (Fault fault in faults)
        {
            string[] keys = fault.Path.Split('.');
            JsonNode? parent = keys[..^1].Aggregate((JsonNode?)sound, (node, key) => node is JsonObject o ? o[key] : null);
            if (keys[^1] is "name" or "shape" || parent is not JsonObject owner || !owner.Remove(keys[^1])) return null;
        }
        return sound;
    }

    /// <summary>The name of a kind among several, such as <c>simclr</c> for <c>SimClrOptions</c>.</summary>
    public static string KindOf<T>(T options) where T : notnull
    {
        string key = Serializer.GetTypeInfo(typeof(T)).PolymorphismOptions?.TypeDiscriminatorPropertyName
            ?? throw new ArgumentException($"{typeof(T).Name} has no kinds; name the type that does.");
        return (string)Write(options)[key]!;
    }

    /// <summary>Every single option of a record, at its value there.</summary>
    /// <param name="options">Such as a <see cref="Recipe"/>.</param>
    public static IReadOnlyList<OptionDescription> Describe<T>(T options) where T : notnull
    {
        var found = new List<OptionDescription>();
        Describe(options, "", found);
        return found;
    }

    private static void Describe(object options, string path, List<OptionDescription> found)
    {
        Type type = options.GetType();
        string? kindKey = type.BaseType is { } b && b != typeof(object) ? Serializer.GetTypeInfo(b).PolymorphismOptions?.TypeDiscriminatorPropertyName : null;
        if (kindKey is not null)
        {
            JsonPolymorphismOptions kinds = Serializer.GetTypeInfo(type.BaseType!).PolymorphismOptions!;
            string name = (string)kinds.DerivedTypes.Single(k => k.DerivedType == type).TypeDiscriminator!;
            found.Add(new(Join(path, kindKey), name, string.Join(", ", kinds.DerivedTypes.Select(k => k.TypeDiscriminator)), type, null));
        }
        foreach (JsonPropertyInfo property in Serializer.GetTypeInfo(type).Properties)
        {
            if (property.Get?.Invoke(options) is not { } value) continue;
            string at = Join(path, property.Name);
            var member = property.AttributeProvider as PropertyInfo;
            if (value is System.Collections.IEnumerable list and not string && list.Cast<object>().FirstOrDefault() is IHasRules)
                foreach (var (i, item) in list.Cast<object>().Index()) Describe(item, Join(at, $"{i}"), found);
            else if (Serializer.GetTypeInfo(value.GetType()).Kind == JsonTypeInfoKind.Object) Describe(value, at, found);
            else
            {
                RangeAttribute? range = member?.GetCustomAttribute<RangeAttribute>();
                string allowed = range is not null ? $"{range.Minimum} to {range.Maximum}"
                    : value is Enum or bool ? Wanted(value.GetType()).Replace("one of: ", "", StringComparison.Ordinal) : "";
                found.Add(new(at, JsonSerializer.Serialize(value, value.GetType(), s_oneLine).Trim('"'), allowed, type, member));
            }
        }
    }

    private static readonly JsonSerializerOptions s_oneLine = new(Serializer) { WriteIndented = false };

    private static void CheckNode(JsonNode? node, Type type, string path, ICustomAttributeProvider? declared, List<Fault> faults)
    {
        if (node is null)
        {
            faults.Add(new Fault(path, "null is not allowed; leave the key out for its default"));
            return;
        }
        JsonTypeInfo info = Serializer.GetTypeInfo(type);
        switch (info.Kind)
        {
            case JsonTypeInfoKind.Object when node is JsonObject tree:
                if (info.PolymorphismOptions is { } kinds)
                {
                    if (DerivedType(kinds, tree, path, faults) is not { } derived) return;
                    info = Serializer.GetTypeInfo(derived);
                }
                CheckProperties(tree, info, path, faults);
                break;
            case JsonTypeInfoKind.Enumerable when node is JsonArray items:
                for (int i = 0; i < items.Count; i++) CheckNode(items[i], info.ElementType!, Join(path, $"{i}"), declared, faults);
                break;
            case JsonTypeInfoKind.None:
                CheckValue(node, type, path, declared, faults);
                break;
            default:
                string wanted = info.Kind == JsonTypeInfoKind.Enumerable ? $"a list, {(Serializer.GetTypeInfo(info.ElementType!).Kind == JsonTypeInfoKind.None ? $"such as [{Show(node)}]" : "[ ... ]")}"
                    : $"an object, {{ ... }}; its options: {string.Join(", ", OptionsOf(info).Select(key => Join(path, key)))}";
                faults.Add(new Fault(path, $"{Show(node)} is not {wanted}"));
                break;
        }
    }

    /// <summary>The keys that an object of a type can have, of one of several kinds that of the kind.</summary>
    private static IEnumerable<string> OptionsOf(JsonTypeInfo info) =>
        info.PolymorphismOptions is { } kinds ? [kinds.TypeDiscriminatorPropertyName] : info.Properties.Where(p => p.Set is not null).Select(p => p.Name);

    private static Type? DerivedType(JsonPolymorphismOptions kinds, JsonObject tree, string path, List<Fault> faults)
    {
        string key = kinds.TypeDiscriminatorPropertyName;
        string? name = tree[key] is JsonValue value && value.TryGetValue(out string? text) ? text : null;
        foreach (JsonDerivedType kind in kinds.DerivedTypes)
            if (name is not null && name.Equals(kind.TypeDiscriminator as string, StringComparison.Ordinal)) return kind.DerivedType;

        string known = string.Join(", ", kinds.DerivedTypes.Select(kind => kind.TypeDiscriminator));
        faults.Add(new Fault(Join(path, key), $"{(tree[key] is { } found ? Show(found) : "nothing")} is none of: {known}"));
        return null;
    }

    private static void CheckProperties(JsonObject tree, JsonTypeInfo info, string path, List<Fault> faults)
    {
        string? discriminator = info.PolymorphismOptions?.TypeDiscriminatorPropertyName
            ?? (info.Type.BaseType is { } b && b != typeof(object) ? Serializer.GetTypeInfo(b).PolymorphismOptions?.TypeDiscriminatorPropertyName : null);
        foreach (var (key, value) in tree)
        {
            if (key == discriminator) continue;
            JsonPropertyInfo[] known = [.. info.Properties.Where(p => p.Set is not null)];
            JsonPropertyInfo? property = known.FirstOrDefault(p => p.Name == key);
            if (property is null)
                faults.Add(new Fault(Join(path, key), $"there is no such option; known here: {string.Join(", ", known.Select(p => p.Name))}"));
            else
                CheckNode(value, property.PropertyType, Join(path, key), property.AttributeProvider, faults);
        }
    }

    private static void CheckValue(JsonNode node, Type type, string path, ICustomAttributeProvider? declared, List<Fault> faults)
    {
        object? value;
        try
        {
            value = node.Deserialize(type, Serializer);
        }
        catch (JsonException)
        {
            faults.Add(new Fault(path, $"{Show(node)} is not {Wanted(type)}"));
            return;
        }
        foreach (RangeAttribute range in declared?.GetCustomAttributes(typeof(RangeAttribute), true) ?? [])
            if (!range.IsValid(value)) faults.Add(new Fault(path, $"{Show(node)} is outside {range.Minimum} to {range.Maximum}"));
    }

    private static string Wanted(Type type) => type switch
    {
        { IsEnum: true } => "one of: " + string.Join(", ", Enum.GetValues(type).Cast<object>().Select(v => JsonSerializer.Serialize(v, type, Serializer).Trim('"'))),
        _ when type == typeof(string) => "a text, \"...\"",
        _ when type == typeof(bool) => "true or false",
        _ when type == typeof(double) || type == typeof(float) => "a number",
        _ => "a whole number in its range",
    };

    /// <summary>Asks every options record in the tree for its own rules.</summary>
    private static void CheckRules(object options, string path, List<Fault> faults)
    {
        if (options is IHasRules rules)
            faults.AddRange(rules.Faults().Select(f => new Fault(Join(path, f.Path), f.Problem)));
        JsonTypeInfo info = Serializer.GetTypeInfo(options.GetType());
        if (info.Kind == JsonTypeInfoKind.Enumerable && options is System.Collections.IEnumerable items)
        {
            int i = 0;
            foreach (object item in items) CheckRules(item, Join(path, $"{i++}"), faults);
        }
        if (info.Kind != JsonTypeInfoKind.Object) return;
        foreach (JsonPropertyInfo property in info.Properties)
            if (property.Get?.Invoke(options) is { } value) CheckRules(value, Join(path, property.Name), faults);
    }

    private static string Show(JsonNode node) => node.ToJsonString() is { Length: > 60 } text ? text[..60] + "..." : node.ToJsonString();

    private static string Join(string path, string key) => path.Length == 0 ? key : key.Length == 0 ? path : $"{path}.{key}";
}

using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using SiamSharp.Messages;
using static SiamSharp.Options.OptionsJson;

namespace SiamSharp.Options;

/// <summary>Which options there are: all of a record, and those that a name or a path may mean.</summary>
internal static class OptionListing
{
    /// <summary>Every single option of a record, at its value there.</summary>
    /// <param name="options">Such as a recipe.</param>
    internal static IReadOnlyList<OptionDescription> Describe<T>(T options) where T : notnull
    {
        var found = new List<OptionDescription>();
        Describe(options, "", found);
        return found;
    }

    private static void Describe(object options, string path, List<OptionDescription> found)
    {
        Type type = options.GetType();
        string? kindKey = type.BaseType is { } b && b != typeof(object)
            ? Serializer.GetTypeInfo(b).PolymorphismOptions?.TypeDiscriminatorPropertyName : null;
        if (kindKey is not null)
        {
            JsonPolymorphismOptions kinds = Serializer.GetTypeInfo(type.BaseType!).PolymorphismOptions!;
            string name = (string)kinds.DerivedTypes.Single(k => k.DerivedType == type).TypeDiscriminator!;
            found.Add(new(OptionTree.Join(path, kindKey), name,
                string.Join(", ", kinds.DerivedTypes.Select(k => k.TypeDiscriminator)), type, null));
        }
        foreach (JsonPropertyInfo property in Serializer.GetTypeInfo(type).Properties)
        {
            if (property.Get?.Invoke(options) is not { } value) continue;
            string at = OptionTree.Join(path, property.Name);
            var member = property.AttributeProvider as PropertyInfo;
            if (value is System.Collections.IEnumerable list and not string && list.Cast<object>().FirstOrDefault() is IHasRules)
                foreach (var (i, item) in list.Cast<object>().Index()) Describe(item, OptionTree.Join(at, $"{i}"), found);
            else if (Serializer.GetTypeInfo(value.GetType()).Kind == JsonTypeInfoKind.Object) Describe(value, at, found);
            else
            {
                RangeAttribute? range = member?.GetCustomAttribute<RangeAttribute>();
                string allowed = range is not null ? ValueCheck.Bounds(range) : value is Enum or bool
                    ? ValueCheck.Wanted(value.GetType(), null).Replace("one of: ", "", StringComparison.Ordinal) : "";
                found.Add(new(at, JsonSerializer.Serialize(value, value.GetType(), OneLine).Trim('"'), allowed, type, member));
            }
        }
    }

    /// <summary>The part of which a name is one of several kinds, such as <c>method</c> for <c>byol</c>;
    /// null where it is none.</summary>
    internal static string? PartOfKind(Type root, string name) => Serializer.GetTypeInfo(root).Properties.FirstOrDefault(p =>
        Serializer.GetTypeInfo(p.PropertyType).PolymorphismOptions
            ?.DerivedTypes.Any(kind => kind.TypeDiscriminator is string own && own == name) == true)?.Name;

    /// <summary>The kinds of a part that have an option which others of its kinds lack, such as <c>moco-v2</c> for
    /// <c>method.queueSize</c>; none for any other path.</summary>
    /// <param name="root">The type of a document, such as a recipe's.</param>
    /// <param name="path">Of a part and its option.</param>
    internal static string[] KindsWith(Type root, string path) =>
        path.Split('.') is [var part, var option]
            && Serializer.GetTypeInfo(root).Properties.FirstOrDefault(p => p.Name == part) is { } property
            && Serializer.GetTypeInfo(property.PropertyType).PolymorphismOptions is { } kinds
            ? [.. kinds.DerivedTypes.Where(kind => Serializer.GetTypeInfo(kind.DerivedType).Properties
                .Any(p => p.Set is not null && p.Name == option)).Select(kind => $"{kind.TypeDiscriminator}")]
            : [];

    /// <summary>What options are called in other tools.</summary>
    private static readonly Dictionary<string, string> s_usualNames =
        new() { ["lr"] = "learningRate", ["wd"] = "weightDecay", ["bs"] = "batchSize" };

    /// <summary>The path of an option that is called so, or nearly so, somewhere in the options of a type;
    /// null where there is none.</summary>
    /// <param name="root">The type of a document, such as a recipe's.</param>
    /// <param name="name">The last part of a path, such as <c>epochs</c>.</param>
    internal static string? PathTo(Type root, string name)
    {
        var paths = new Dictionary<string, string>();
        Collect(Serializer.GetTypeInfo(root), "");
        return Nearest.To(s_usualNames.GetValueOrDefault(name.ToLowerInvariant(), name), paths.Keys) is { } near
            ? paths[near] : null;

        void Collect(JsonTypeInfo info, string path)
        {
            JsonTypeInfo[] kinds = info.PolymorphismOptions is { } options
                ? [.. options.DerivedTypes.Select(k => Serializer.GetTypeInfo(k.DerivedType))] : [info];
            foreach (JsonPropertyInfo property in kinds.SelectMany(k => k.Properties).Where(p => p.Set is not null))
            {
                string at = OptionTree.Join(path, property.Name);
                JsonTypeInfo inner = Serializer.GetTypeInfo(property.PropertyType);
                if (inner.Kind == JsonTypeInfoKind.Enumerable
                    && Serializer.GetTypeInfo(inner.ElementType!).Kind == JsonTypeInfoKind.Object)
                    Collect(Serializer.GetTypeInfo(inner.ElementType!), OptionTree.Join(at, "0"));
                else if (inner.Kind == JsonTypeInfoKind.Object && inner.Type != typeof(JsonObject)) Collect(inner, at);
                else paths.TryAdd(property.Name, at);
            }
        }
    }
}

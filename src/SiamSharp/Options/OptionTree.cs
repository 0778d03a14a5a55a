using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using SiamSharp.Messages;

namespace SiamSharp.Options;

/// <summary>The three things done to the tree of a recipe: lay one over another, set one value, list the differences.</summary>
internal static class OptionTree
{
    /// <summary>Lays <paramref name="patch"/> over <paramref name="tree"/>: objects key by key, anything else whole.</summary>
    public static void Merge(JsonObject tree, JsonObject patch)
    {
        foreach (var (key, value) in patch)
        {
            if (tree[key] is JsonObject below && AsObject(key, value) is { } over && !ChangesKind(key, below, over))
                Merge(below, over);
            else tree[key] = (AsObject(key, value) ?? value)?.DeepClone();
        }
    }

    /// <summary>Sets the value at a path such as <c>views.branches.0.masks.0.cell</c>.</summary>
    /// <param name="tree">The recipe.</param>
    /// <param name="assignment"><c>path=value</c>; the value is JSON, or a text where it is no JSON.</param>
    /// <exception cref="OptionsException">No <c>=</c>, or the path leads through something that is not there.</exception>
    public static void Set(JsonObject tree, string assignment) => SetOne(tree, assignment);

    /// <summary>Sets the values of one layer, whose order decides only between two values of one option:
    /// what is set of a part holds beside a kind that is set later.</summary>
    /// <param name="tree">The recipe.</param>
    /// <param name="assignments"><c>path=value</c>, in order.</param>
    /// <exception cref="OptionsException">Any of them has no <c>=</c>, or leads through something that is not there;
    /// all of these are listed.</exception>
    public static void Set(JsonObject tree, IReadOnlyList<string> assignments)
    {
        var faults = new List<Fault>();
        for (int i = 0; i < assignments.Count; i++)
        {
            try
            {
                if (SetOne(tree, assignments[i]) is not { } part) continue;
                // Another kind has dropped what lower layers say of the part, and what earlier assignments of this one
                // say of it too: set that again.
                foreach (string earlier in assignments.Take(i).Where(a => IsOptionOf(part, a))) SetOne(tree, earlier);
            }
            catch (OptionsException e)
            {
                faults.AddRange(e.Faults);
            }
        }
        if (faults.Count > 0) throw new OptionsException(faults);
    }

    /// <summary>The part whose kind an assignment names: <c>optimizer</c> for <c>optimizer=lars</c> and
    /// <c>optimizer.name=lars</c>; null where it names none.</summary>
    internal static (string Part, string Key, JsonNode? Kind)? KindNamedBy(string assignment)
    {
        var (path, value) = SplitAssignment(assignment);
        string[] keys = path.Split('.');
        if (keys.Length > 1 && IsKind(keys[^2], keys[^1])) return (string.Join('.', keys[..^1]), keys[^1], value);
        return AsObject(keys[^1], value) is { } part
            && part.FirstOrDefault(p => IsKind(keys[^1], p.Key)) is { Key: { } key } named
            ? (path, key, named.Value) : null;
    }

    /// <summary>Sets one value.</summary>
    /// <returns>The path of the part that became another kind; null where none did.</returns>
    private static string? SetOne(JsonObject tree, string assignment)
    {
        var (path, value) = SplitAssignment(assignment);
        string[] keys = path.Split('.');
        JsonNode? node = tree;
        for (int i = 0; i < keys.Length - 1; i++)
        {
            // A part that is not there yet has its defaults; whether there can be one of that name is for the check to
            // say, and what null is there too.
            if (node is JsonObject whole && !(whole.TryGetPropertyValue(keys[i], out JsonNode? there) && there is null))
                whole[keys[i]] ??= new JsonObject();
            else if (node is JsonObject) return null;
            node = Child(node, keys[i])
                ?? throw new OptionsException([new Fault(path, "there is no "
                    + $"'{string.Join('.', keys[..(i + 1)])}'" + (node is JsonArray items
                        ? $": there {(items.Count == 1 ? "is one, number 0" : $"are {items.Count}, from number 0 on")}. "
                            + "More are added in a recipe's file" : "")
                    + Nearest.Question(keys[i], (node as JsonObject)?.Select(o => o.Key) ?? []))]);
        }

        string last = keys[^1];
        if (node is JsonObject parent && keys.Length > 1 && IsKind(keys[^2], last) && !JsonNode.DeepEquals(parent[last], value))
        {
            // Another kind starts from its own defaults: nothing of the former kind stays.
            parent.Clear();
            parent[last] = value;
            return string.Join('.', keys[..^1]);
        }
        if (node is JsonObject owner)
        {
            bool changes = owner[last] is JsonObject below && AsObject(last, value) is { } over && ChangesKind(last, below, over);
            Merge(owner, new JsonObject { [last] = value });
            return changes ? path : null;
        }
        if (node is JsonArray list && int.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            && index < list.Count)
            list[index] = value;
        else
            throw new OptionsException([new Fault(path, $"there is no '{last}' to set")]);
        return null;
    }

    /// <summary>Whether an assignment sets an option of a part, and not its kind.</summary>
    private static bool IsOptionOf(string part, string assignment)
    {
        string path = assignment.Split('=')[0];
        return (path == part || path.StartsWith(part + ".", StringComparison.Ordinal)) && KindNamedBy(assignment)?.Part != part;
    }

    /// <summary>Every path at which two recipes differ, with both values.</summary>
    public static IReadOnlyList<Fault> Differences(JsonNode? stored, JsonNode? given, string path = "")
    {
        string At(string key) => path.Length == 0 ? key : $"{path}.{key}";
        // the options of another kind say nothing
        if (stored is JsonObject a && given is JsonObject b
            && Differences(a["name"], b["name"], At("name")) is { Count: > 0 } kinds)
            return kinds;
        if (stored is JsonObject from && given is JsonObject to)
            return [.. from.Select(p => p.Key).Union(to.Select(p => p.Key))
                .SelectMany(key => Differences(from[key], to[key], At(key)))];
        if (stored is JsonArray x && given is JsonArray y && x.Count == y.Count)
            return [.. Enumerable.Range(0, x.Count).SelectMany(i => Differences(x[i], y[i], At($"{i}")))];
        return JsonNode.DeepEquals(stored, given) ? []
            : [new Fault(path, $"the run has {Show(stored)}, asked for is {Show(given)}")];
    }

    private static (string Path, JsonNode? Value) SplitAssignment(string assignment)
    {
        int equals = assignment.IndexOf('=', StringComparison.Ordinal);
        if (equals < 1)
            throw new OptionsException([new Fault(assignment, "write it as path=value, for example training.epochs=20")]);
        string text = assignment[(equals + 1)..], name = assignment[..equals];
        if (Plain(name) is var plain && plain != name)
            throw new OptionsException(
                [new Fault(name, $"points stand between the parts of an option's path: write {plain}={text}")]);
        if (assignment[equals - 1] == ' ' || text.StartsWith(' '))
            throw new OptionsException(
                [new Fault(assignment, $"write it without spaces around =: {assignment[..equals].Trim()}={text.Trim()}")]);
        try
        {
            return (assignment[..equals], OptionsJson.ParseNode(text));
        }
        catch (JsonException)
        {
            return (assignment[..equals], JsonValue.Create(text));
        }
    }

    /// <summary>A path and a key below it; either may be empty.</summary>
    internal static string Join(string path, string key) => path.Length == 0 ? key : key.Length == 0 ? path : $"{path}.{key}";

    /// <summary>A path as it is written here, of one as other languages and variables write it:
    /// <c>views.branches[0].count</c>, <c>training:epochs</c>, <c>training__epochs</c>.</summary>
    private static string Plain(string path) => path.Replace("__", ".", StringComparison.Ordinal).Replace(':', '.')
        .Replace('/', '.').Replace("[", ".", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);

    /// <summary>A choice among kinds: the <c>name</c> of method, backbone and optimiser, the <c>shape</c> of a mask.</summary>
    private static bool IsKind(string room, string key) =>
        key == "shape" || (key == "name" && (room is "method" or "backbone" or "optimizer"));

    /// <summary>An object as it is; the bare name of a method, backbone or optimiser as the object with that name.</summary>
    private static JsonObject? AsObject(string key, JsonNode? value) => value switch
    {
        JsonObject tree => tree,
        JsonValue name when IsKind(key, "name") && !name.ToJsonString().StartsWith("\"@{", StringComparison.Ordinal) =>
            new JsonObject { ["name"] = name.DeepClone() },
        _ => null,
    };

    private static bool ChangesKind(string key, JsonObject below, JsonObject over) =>
        over.Any(p => IsKind(key, p.Key) && !JsonNode.DeepEquals(below[p.Key], p.Value));

    /// <summary>What lies at a path; null where nothing does.</summary>
    internal static JsonNode? At(JsonNode? tree, string path) => path.Split('.').Aggregate(tree, Child);

    private static JsonNode? Child(JsonNode? node, string key) => node switch
    {
        JsonObject tree => tree[key],
        JsonArray list
            when int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index < list.Count =>
            list[index],
        _ => null,
    };

    private static string Show(JsonNode? node) => node?.ToJsonString() ?? "nothing";
}

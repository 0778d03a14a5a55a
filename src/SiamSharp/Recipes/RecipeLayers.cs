using System.Text.Json.Nodes;
using SiamSharp.Options;

namespace SiamSharp.Recipes;

/// <summary>Lays layers of a recipe over one another, and finds which preset of views they name.</summary>
internal static class RecipeLayers
{
    internal static void Lay(JsonObject tree, IEnumerable<RecipeLayer> layers, Func<string, bool> assigned, List<Fault> faults)
    {
        foreach (RecipeLayer layer in layers)
        {
            OptionTree.Merge(tree, layer.Tree);
            try
            {
                OptionTree.Set(tree, [.. layer.Assignments.Where(assigned)]);
            }
            catch (OptionsException e)
            {
                faults.AddRange(e.Faults);
            }
        }
    }

    /// <summary>The layers without the views of those that were written for another preset than the last.</summary>
    internal static IEnumerable<RecipeLayer> WithoutOtherPresets(IReadOnlyList<RecipeLayer> layers)
    {
        string preset = ViewPresets.Default;
        int first = 0;
        for (int i = 0; i < layers.Count; i++)
        {
            JsonObject own = new() { ["views"] = new JsonObject() };
            Lay(own, [layers[i]], NamesPreset, []);
            if (PresetOf(own) is not { } named || named == preset) continue;
            (preset, first) = (named, i);
        }
        return layers.Select((layer, i) => i >= first ? layer : new RecipeLayer(
            [.. layer.Tree.Where(part => part.Key != "views")
                .Select(part => KeyValuePair.Create(part.Key, part.Value?.DeepClone()))],
            [.. layer.Assignments.Where(a => RoomOf(a) != "views")]));
    }

    /// <summary>What layers say, laid over one another, without the parts whose kind or preset the assignments change.</summary>
    /// <remarks>A layer that names no kind is written for that of the defaults.</remarks>
    internal static JsonObject KeptOf(IReadOnlyList<JsonObject> layers, IReadOnlyList<string> assignments)
    {
        JsonObject kept = [], defaults = OptionsJson.Write(new Recipe());
        foreach (JsonObject layer in layers) OptionTree.Merge(kept, layer);
        foreach (var (part, key, kind) in assignments.Select(OptionTree.KindNamedBy).OfType<(string, string, JsonNode?)>())
            if (OptionTree.At(kept, part) is JsonObject said
                && !JsonNode.DeepEquals(said[key] ?? OptionTree.At(defaults, part)?[key], kind))
                said.Clear();
        JsonObject assigned = new() { ["views"] = new JsonObject() };
        Lay(assigned, [new RecipeLayer([], assignments)], NamesPreset, []);
        if (PresetOf(assigned) is { } preset && preset != (PresetOf(kept) ?? ViewPresets.Default)) kept.Remove("views");
        return kept;
    }

    internal static string? PresetOf(JsonObject tree) =>
        tree["views"] is JsonObject views && views["preset"] is JsonValue p && p.TryGetValue(out string? name) ? name : null;

    internal static bool NamesPreset(string assignment) => assignment.Split('=')[0] is "views" or "views.preset";

    internal static string RoomOf(string assignment) => assignment.Split('.', '=')[0];
}

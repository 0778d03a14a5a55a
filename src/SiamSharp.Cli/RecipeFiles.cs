using System.Text.Json.Nodes;
using SiamSharp.Data;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Recipes;

namespace SiamSharp.Cli;

/// <summary>Recipes by name (those that come with the program) or by file.</summary>
internal static class RecipeFiles
{
    private static readonly string s_folder = Path.Combine(AppContext.BaseDirectory, "recipes");

    /// <summary>The layers that a <c>--recipe</c> option stands for: none when it was not given.</summary>
    internal static IReadOnlyList<JsonObject> Layers(string? nameOrFile)
    {
        if (nameOrFile is null) return [];
        if (nameOrFile.TrimStart().StartsWith('{'))
            throw new OptionsException([new Fault("--recipe", "takes a name or a file, not the options themselves: "
                + "write them into a file, or give each as --set path=value, such as --set training.epochs=20")]);
        string builtIn = Path.Combine(s_folder, nameOrFile + ".json");
        string file = File.Exists(nameOrFile) ? nameOrFile : builtIn;
        if (!File.Exists(file) && Directory.Exists(nameOrFile))
        {
            string inside = Path.Combine(nameOrFile, "recipe.json");
            throw new OptionsException([new Fault("--recipe", $"{nameOrFile} is a folder, "
                + $"but a recipe is a file{(File.Exists(inside) ? $": --recipe {inside} is that of the run in it" : "")}")]);
        }
        if (!File.Exists(file))
            throw new OptionsException([new Fault("--recipe", $"there is no file {nameOrFile} and no recipe of that name; known: "
                + $"{string.Join(", ", Names())}" + Nearest.Question(
                    nameOrFile.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? nameOrFile[..^5] : nameOrFile, Names()))]);
        if (Path.GetFileName(file) != "recipe.json"
            && Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, "recipe.json") is var own && File.Exists(own)
            && Path.GetFileName(file) is "metrics.jsonl" or "evaluation.json" or "draws.json" or "images.json" or "notes.json"
                or "skipped.jsonl" or "start.json")
            throw new OptionsException(
                [new Fault("--recipe", $"{file} is a file of a run, but not its recipe: --recipe {Shell.PathWord(own)}")]);
        JsonObject layer = OptionsJson.ParseFile(file);
        return !layer.ContainsKey("rows") ? [layer]
            : throw new OptionsException([new Fault(
                "--recipe", $"{file} is a study, not a recipe: run it with `siam study {Shell.Word(file)} --out DIR`")]);
    }

    /// <summary>Resolves a recipe over the one that a <c>--recipe</c> option names; a fault that stands in that file is
    /// told with its name.</summary>
    internal static Recipe Resolve(
        string? nameOrFile, IReadOnlyList<string> assignments, Func<DataOptions, IImageSource> open, JsonObject? stored = null)
    {
        IReadOnlyList<JsonObject> layers = Layers(nameOrFile);
        try
        {
            return Recipe.Resolve(layers, assignments, open, stored);
        }
        catch (OptionsException e) when (layers is [var layer] && e.Faults.Any(fault => StandsIn(layer, fault)))
        {
            throw new OptionsException([.. e.Faults.Select(fault =>
                StandsIn(layer, fault) ? fault with { Path = $"{nameOrFile}, {fault.Path}" } : fault)]);
        }

        bool StandsIn(JsonNode? node, Fault fault)
        {
            if (assignments.Any(a => fault.Path.StartsWith(a.Split('=')[0], StringComparison.Ordinal))) return false;
            string[] parts = fault.Path.Split('.');
            foreach (string part in parts[..^1])
                node = node is JsonObject tree ? tree[part]
                    : node is JsonArray list && int.TryParse(part, out int i) && i >= 0 && i < list.Count ? list[i] : null;
            return node is JsonObject last ? last.ContainsKey(parts[^1])
                : node is JsonArray items && int.TryParse(parts[^1], out int at) && at >= 0 && at < items.Count;
        }
    }

    internal static IEnumerable<string> Names() => Directory.Exists(s_folder)
        ? Directory.EnumerateFiles(s_folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)).Order()
        : [];
}

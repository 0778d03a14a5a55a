using System.Text.Json.Nodes;
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
        string builtIn = Path.Combine(s_folder, nameOrFile + ".json");
        string file = File.Exists(nameOrFile) ? nameOrFile : builtIn;
        if (!File.Exists(file) && Directory.Exists(nameOrFile))
        {
            string inside = Path.Combine(nameOrFile, "recipe.json");
            throw new RecipeException([new Fault("--recipe", $"{nameOrFile} is a folder, but a recipe is a file{(File.Exists(inside) ? $": --recipe {inside} is that of the run in it" : "")}")]);
        }
        if (!File.Exists(file))
            throw new RecipeException([new Fault("--recipe", $"there is no file {nameOrFile} and no recipe of that name; known: {string.Join(", ", Names())}{Nearest.Question(nameOrFile, Names())}")]);
        JsonObject layer = OptionsJson.ParseFile(file);
        return !layer.ContainsKey("rows") ? [layer]
            : throw new RecipeException([new Fault("--recipe", $"{file} is a study, not a recipe: run it with `siam study {Shell.Word(file)} --out DIR`")]);
    }

    internal static IEnumerable<string> Names() => Directory.Exists(s_folder)
        ? Directory.EnumerateFiles(s_folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)).Order()
        : [];
}

using System.CommandLine;

using SiamSharp.Recipes;

namespace SiamSharp.Cli.Commands;

/// <summary>Options that several commands share.</summary>
internal static class CommonOptions
{
    /// <summary>The whole path of a file to write, whose folder is made where it is missing.</summary>
    /// <param name="file">As given by the user.</param>
    /// <param name="ending">What it must end in, such as <c>.png</c>.</param>
    internal static string Output(string file, string ending)
    {
        if (!Path.GetExtension(file).Equals(ending, StringComparison.OrdinalIgnoreCase))
            throw new RecipeException([new Fault("--out", $"\"{file}\" does not end in {ending}, which is what is written")]);
        string path = Path.GetFullPath(file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    internal static readonly Option<bool> Json = new("--json")
    {
        Description = "Print one JSON document on standard output and nothing else there.",
        Recursive = true,
    };

    internal static readonly Option<bool> Debug = new("--debug")
    {
        Description = "Show the stack trace of a failure.",
        Recursive = true,
    };

    internal static Option<string> Recipe() => new("--recipe")
    {
        Description = "A recipe: the name of a built-in one, or a JSON file.",
        HelpName = "NAME|FILE",
    };

    internal static Option<string[]> Set() => new("--set")
    {
        Description = "Override one option, such as training.epochs=20 (`siam options` lists all); may be repeated.",
        HelpName = "path=value",
        DefaultValueFactory = _ => [],
    };

    internal static Option<string> Data(string description) => new("--data") { Description = description, HelpName = "SRC", Required = true };

    internal static Option<string> Run() => new("--run") { Description = "The run's folder.", HelpName = "DIR", Required = true };
}

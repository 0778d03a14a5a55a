using System.CommandLine;

namespace SiamSharp.Cli.Commands;

/// <summary>Options that several commands share.</summary>
internal static class CommonOptions
{
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
        Description = $"A JSON file, or the name of a recipe that is there: {string.Join(", ", RecipeFiles.Names())}.",
        HelpName = "NAME|FILE",
    };

    /// <summary>Of a command that takes the options of a whole recipe.</summary>
    internal static Option<string[]> Set() =>
        Set("Override one option, such as training.epochs=20 (`siam options` lists all); may be repeated.");

    /// <summary>Of a command that only decodes images.</summary>
    internal static Option<string[]> SetData() => Set(
        "How images are decoded, such as data.channels=3 or data.alpha=white (`siam options data` lists all); may be repeated.");

    internal static Option<string[]> Set(string description) => new("--set")
    {
        Description = description,
        HelpName = "path=value",
        DefaultValueFactory = _ => [],
    };

    internal static Option<string> Data(string description) =>
        new("--data") { Description = description, HelpName = "SRC", Required = true };

    internal static Option<string> Run() => new("--run") { Description = "The run's folder.", HelpName = "DIR", Required = true };
}

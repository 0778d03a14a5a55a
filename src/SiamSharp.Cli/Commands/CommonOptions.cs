using System.CommandLine;

namespace SiamSharp.Cli.Commands;

/// <summary>Options that several commands share.</summary>
internal static class CommonOptions
{
    internal static readonly Option<bool> Json = new("--json")
    {
        Description = "Print the result as one JSON document. Nothing else then goes to standard output.",
        Recursive = true,
    };

    internal static readonly Option<bool> Debug = new("--debug")
    {
        Description = "If the command fails, show the stack trace too.",
        Recursive = true,
    };

    internal static Option<string> Recipe() => new("--recipe")
    {
        Description = "A named set of options, or a JSON file of your own. simclr is small and fast. Without a recipe you get "
            + $"SimCLR with a ResNet-18 and 100 epochs. Names: {string.Join(", ", RecipeFiles.Names())}.",
        HelpName = "NAME|FILE",
    };

    /// <summary>Of a command that takes the options of a whole recipe.</summary>
    internal static Option<string[]> Set() =>
        Set("Set one option, such as training.epochs=20. You can give --set several times. `siam options` lists all options.");

    /// <summary>Of a command that only decodes images.</summary>
    internal static Option<string[]> SetData() => Set(
        "Set how images are decoded, such as data.channels=3 or data.alpha=white. You can give --set several times. "
        + "`siam options data` lists all options.");

    internal static Option<string[]> Set(string description) => new("--set")
    {
        Description = description,
        HelpName = "path=value",
        DefaultValueFactory = _ => [],
    };

    internal static Option<string> Data(string description) =>
        new("--data") { Description = description, HelpName = "SRC", Required = true };

    internal static Option<string> Run() => new("--run")
    {
        Description = "Folder of the run: the --out of `siam pretrain`.",
        HelpName = "DIR",
        Required = true,
    };
}

using System.CommandLine;
using SiamSharp.Embeddings;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Recipes;

namespace SiamSharp.Cli;

/// <summary>What is wrong with an option that a command has not, and what was probably meant.</summary>
internal static class UnknownOption
{
    internal static string Fault(ParseResult parsed, Command command, string token)
    {
        string name = token.Split('=')[0];
        string? value = token.Contains('=') ? token[(name.Length + 1)..]
            : parsed.UnmatchedTokens.Skip(1).FirstOrDefault(t => !t.StartsWith('-'));
        Option[] options = [.. command.Options];
        bool sets = options.Any(o => o.Name == "--set");
        string? path = sets ? OptionListing.PathTo(typeof(Recipe), name.TrimStart('-')) : null;
        // A name that is exactly one of the recipe's goes before one that is nearly one of the command's;
        // nearly one of the recipe's it is too often.
        bool exact = path is not null && CanSet(command, path)
            && (Same(path.Split('.')[^1], name.TrimStart('-')) || Same(path.Split('.')[^1], name.TrimStart('-') + "s"));
        if (name is "--output" or "-o" && options.Any(o => o.Name == "--out"))
            return $"there is no option {name} here. Did you mean --out?";
        if (name is "--out" or "--output" or "-o" && options.All(o => o.Name != "--out"))
            return $"there is no option {name} here: {WhereResultsGo(parsed, command)}.";
        if (!exact && Nearest.To(name.TrimStart('-'), options.Select(o => o.Name.TrimStart('-'))) is { } near)
            return $"there is no option {name} here. Did you mean {options.First(o => o.Name.TrimStart('-') == near).Name}?";
        if (command.Name == "predict" && name is "--threshold" or "--min-accuracy")
            return "the threshold belongs to the classifier, which chose it for the accuracy that was asked for: siam classify "
                + "fit ... --min-accuracy SHARE. For a threshold of your own take the column probability of --out answers.csv.";
        if (command.Name == "views" && name == "--run")
            return "for the views of a run give its recipe: "
                + $"siam views --data SRC --recipe {Shell.Word(Path.Combine(value ?? "RUN", "recipe.json"))} --out views.png.";
        if (command.Name is "embed" or "study" && name == "--resume")
            return $"leave out --resume: the same siam {command.Name} goes on where it was stopped.";
        if (command.Name == "quickstart" && name == "--resume")
            return "a quickstart that was interrupted goes on as any run: "
                + "siam pretrain --data fashion-mnist:sample#train --out DIR --resume.";
        if (command.Name == "quickstart" && name == "--recipe")
            return "quickstart has a recipe of its own, which --set changes, such as --set "
                + "method=" + (value is { Length: > 0 } kind && OptionListing.PartOfKind(typeof(Recipe), kind) == "method"
                    ? kind : "byol") + ". "
                + $"With another: siam pretrain --data fashion-mnist:sample --recipe {Shell.Word(value ?? "byol")} --out DIR.";
        if (command.Name == "quickstart" && name == "--data")
            return "quickstart runs on images that come with the program. For your own: "
                + $"siam pretrain --data {Shell.Word(value ?? "FOLDER")} --recipe simclr "
                + $"--out {Shell.Word(parsed.GetValue<string?>("--out") ?? "DIR")}.";
        if (Hint(parsed, command, name, value) is { } hint)
            return $"there is no option {name} here: {hint}{(hint.EndsWith('?') ? "" : ".")}";
        if (exact) return $"there is no option {name} here. Did you mean --set {Shell.Word($"{path}={value ?? "..."}")}?";
        string[] known = [.. options.Where(o => !o.Hidden && o.Name is not ("--help" or "--version")).Select(o => o.Name)];
        return $"there is no option {name} here; "
            + (known.Length == 0
                ? $"{Usage.CommandLine(parsed.CommandResult)} takes "
                    + $"--json only{(command.Name == "doctor" ? ", and looks at this machine, its GPU included" : "")}."
                : $"there {(known.Length == 1 ? "is" : "are")} {string.Join(", ", known)}.");
    }

    /// <summary>What to do in place of an option that people expect; null where that is not known.</summary>
    private static string? Hint(ParseResult parsed, Command command, string name, string? value)
    {
        string typed = Usage.CommandLine(parsed.CommandResult);
        bool Has(string option) => command.Options.Any(o => o.Name == option);
        return name switch
        {
            "--overwrite" or "--force" or "-f" when Has("--resume") =>
                "no run is written over. Choose another --out, remove the folder, or go on with it by --resume",
            "--overwrite" or "--force" or "-f" when Has("--out") =>
                "leave it out. A file of the same kind is replaced, and no other",
            "--verbose" or "-v" =>
                "did you mean --debug, which shows the stack trace of a failure, or --json, which prints all numbers?",
            "--delete" or "--remove" => "siam deletes no images. With --json > FILE.json the groups are yours to go through",
            "--model" when command.Name == "fit" =>
                "--model is for classify predict; fit makes a classifier of an encoder: did you mean --run DIR?",
            "--classifier" when typed.EndsWith("safetensors", StringComparison.Ordinal) => "a classifier is a .safetensors file "
                + "as it is; siam export onnx --classifier makes a model of it, and --run exports the weights of a run's encoder",
            "--opset" => "opset 17 is always written",
            "--dry-run" => "what a run would do is said before its first step; "
                + "`siam data inspect` and `siam views` show images and views without training",
            "--data" when Has("--train") => $"judging takes two sets: --train {Shell.Word($"{value ?? "LABELLED"}#train")} "
                + $"--test {Shell.Word($"{value ?? "LABELLED"}#test")}",
            "--data" when Has("--index") => $"{typed} takes a file of vectors. {EmbeddingFile.EmbedFirst(value ?? "FOLDER")}",
            "--train" or "--input" or "--images" or "--folder" when Has("--data") =>
                $"did you mean --data {Shell.Word(value ?? "SRC")}?",
            "--test" when Has("--min-accuracy") => "a part of the images is held out by itself. "
                + "To judge the encoder on images of your own: siam evaluate linear --run DIR --train LABELLED --test LABELLED",
            "--top" or "--count" or "--num" or "-n" when Has("-k") => $"did you mean -k {value ?? "10"}?",
            "--labels" when Has("--data") =>
                $"labels belong to the source: --data {Shell.Word($"FOLDER@{value ?? "labels.csv"}")}",
            "--backbone" or "--weights" when Has("--run") => $"{typed} takes runs alone. A run can begin with weights, "
                + "siam pretrain --set backbone.weights=FILE; embed, search and classify fit take --backbone",
            _ => null,
        };
    }

    /// <summary>Where a command that has no --out writes what it finds, and how that is kept.</summary>
    private static string WhereResultsGo(ParseResult parsed, Command command) => command.Name == "report"
        ? "report.html is always written into the folder of the run or study"
        : command.Options.Any(o => o.Name == "--train")
        ? "the scores are always written into the run's folder, as evaluation.json and report.html"
        : $"what {Usage.CommandLine(parsed.CommandResult)} finds is shown. To keep it, add --json > FILE.json";

    /// <summary>Whether a command's --set takes an option of a recipe.</summary>
    private static bool CanSet(Command command, string path) =>
        command.Name is "pretrain" or "quickstart" or "study" or "views" or "options"
            || (path.StartsWith("data.", StringComparison.Ordinal) && path != "data.size")
            || (path.StartsWith("evaluation.", StringComparison.Ordinal) && command.Options.Any(o => o.Name == "--train"));

    private static bool Same(string a, string b) =>
        string.Equals(a, b.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal),
            StringComparison.OrdinalIgnoreCase);
}

using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using SiamSharp.Data;
using SiamSharp.Embeddings;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Recipes;

namespace SiamSharp.Cli;

/// <summary>What is wrong with a command line that cannot be read, and what was probably meant.</summary>
internal static class Usage
{
    /// <summary>A sentence for each fault.</summary>
    internal static IReadOnlyList<string> Faults(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        if (parsed.UnmatchedTokens.Count > 0) return [Unmatched(parsed, command)];
        if (UnusableValues(parsed).ToArray() is { Length: > 0 } unusable) return unusable;
        // of NumberOptions
        List<string> faults = [.. parsed.Errors.Select(e => e.Message).Where(message => message.StartsWith('-'))];
        if (command.Subcommands.Count > 0)
            faults.Add($"{CommandLine(parsed.CommandResult)} needs one more word: "
                + $"{string.Join(", ", command.Subcommands.Select(c => c.Name))}");
        foreach (Argument argument in command.Arguments)
            if (argument.Arity.MinimumNumberOfValues > 0 && parsed.GetResult(argument) is null or { Tokens.Count: 0 })
                faults.Add($"{argument.Name} is missing: "
                    + $"{Lower(argument.Description)} Write {CommandLine(parsed.CommandResult)} {argument.Name}");
        foreach (Option option in command.Options.Where(option => option.Name != "--set"))
            if (parsed.GetResult(option)?.Tokens.FirstOrDefault(t => t.Value.Contains(" --", StringComparison.Ordinal))?.Value
                is { } swallowed && !Path.Exists(swallowed))
                faults.Add($"{option.Name} was given all of '{swallowed}': the closing quote stands too late");
        foreach (Option option in command.Options)
        {
            OptionResult? result = parsed.GetResult(option);
            if (result is null or { Implicit: true })
            {
                if (option.Required)
                    faults.Add($"{option.Name} is missing: give {option.Name} {option.HelpName}, {Lower(option.Description)}");
            }
            else if (result.IdentifierTokenCount > 1 && option.Arity.MaximumNumberOfValues == 1)
                faults.Add($"{option.Name} is there "
                    + $"{(result.IdentifierTokenCount == 2 ? "twice" : $"{result.IdentifierTokenCount} times")}, "
                    + $"but takes one {option.HelpName}."
                    + (option.Name is "--data" or "--train" or "--test" ? $" {ImageSources.OneSource}"
                    : option.Name == "--index"
                    ? " Two sets are compared as one: embed both in one go, as the lines of one manifest.csv" : ""));
            else if (result.Tokens.Count == 0 && option.Arity.MinimumNumberOfValues > 0)
                faults.Add($"{option.Name} is there without its {option.HelpName}");
        }
        return faults.Count > 0 ? faults : [.. parsed.Errors.Select(e => e.Message)];
    }

    /// <summary>Whether a name is empty, as a variable leaves it that is not set, or is an option that there is not.</summary>
    internal static bool HasUnusableValue(ParseResult parsed) => parsed.Action is not HelpAction && UnusableValues(parsed).Any();

    private static IEnumerable<string> UnusableValues(ParseResult parsed)
    {
        const string why = "is empty: a variable that is not set?";
        Command command = parsed.CommandResult.Command;
        foreach (Argument argument in command.Arguments)
            if (OptionInPlaceOf(parsed, argument) is { } option)
                yield return $"there is no option {option} here, and {argument.Name} stands alone. "
                    + $"Write {CommandLine(parsed.CommandResult)} {argument.Name}";
        foreach (Argument argument in command.Arguments)
            if (parsed.GetResult(argument)?.Tokens.Any(t => string.IsNullOrWhiteSpace(t.Value)) == true)
                yield return $"{argument.Name} {why}";
        foreach (Option option in command.Options.Where(option => option.Name != "--set"))
            if (parsed.GetResult(option)?.Tokens.Any(t => string.IsNullOrWhiteSpace(t.Value)) == true)
                yield return $"{option.Name} {why} Give {option.Name} {option.HelpName}";
    }

    /// <summary>What was taken for an argument, but is meant as an option that there is not; null where all is well.</summary>
    private static string? OptionInPlaceOf(ParseResult parsed, Argument argument) =>
        parsed.GetResult(argument)?.Tokens is [var first, ..] && first.Value.StartsWith("--", StringComparison.Ordinal)
            && !Path.Exists(first.Value)
            ? first.Value : null;

    /// <summary>Whether --help is asked of a command that there is not.</summary>
    internal static bool IsHelpOfNothing(ParseResult parsed) =>
        parsed.Action is HelpAction && parsed.CommandResult.Command.Subcommands.Count > 0
            && parsed.UnmatchedTokens is [var word, ..] && !word.StartsWith('-');

    /// <summary>The command as typed, without options: <c>siam data inspect</c>.</summary>
    internal static string CommandLine(CommandResult result) => result.Parent is CommandResult parent
        ? $"{CommandLine(parent)} {result.Command.Name}"
        : "siam";

    private static string Unmatched(ParseResult parsed, Command command)
    {
        string token = parsed.UnmatchedTokens[0], typed = CommandLine(parsed.CommandResult);
        if (parsed.Tokens.Any(t => t.Value == "--"))
            return $"leave out the -- that stands alone: it ends the options of `dotnet run`, and siam needs none.";
        if (token[0] is '\u2010' or '\u2011' or '\u2012' or '\u2013' or '\u2014' or '\u2212')
            return $"'{token}' begins with a long dash, as text programs make of two hyphens: "
                + $"write --{token.TrimStart('\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2212', '-')}.";
        if (command.Arguments.FirstOrDefault(a => OptionInPlaceOf(parsed, a) is not null) is { } taken && !token.StartsWith('-'))
            return $"there is no option {OptionInPlaceOf(parsed, taken)} here, and {taken.Name} stands alone. "
                + $"Did you mean {typed} {Shell.Word(token)}?";
        string[] commands = [.. command.Subcommands.Select(c => c.Name)];
        if (commands.Length > 0)
        {
            if (token is "help") return $"there is no command '{token}'. Did you mean {typed} --help?";
            if (token is "split" && commands.Contains("inspect"))
                return $"there is no command '{token}' here. "
                    + "Behind a source #train takes four fifths of each class and #test the rest, in every command: "
                    + $"{Shell.Word($"{parsed.UnmatchedTokens.Skip(1).FirstOrDefault() ?? "SRC"}#train")}.";
            if (token.Contains(',') && commands.Contains("all") && token.Split(',').All(commands.Contains))
                return $"'{token}' are several where one is taken at a time; {typed} all takes all of them.";
            if (commands is [var only] && !token.StartsWith('-'))
                return $"there is no command '{token}' here. Did you mean {typed} {only} {Shell.Word(token)}?";
            if (command.Subcommands.FirstOrDefault(c => c.Subcommands.Any(inner => inner.Name == token)) is { } above)
                return $"there is no command '{token}' here. Did you mean {typed} {above.Name} {token}?";
            string meant = Nearest.To(token, commands) is { } near ? $" Did you mean {typed} {near}?" : "";
            if (token is "version" || (parsed.CommandResult.Parent is null && token.ToLowerInvariant() is "-v" or "--ver"))
                return $"{typed} has no {(token.StartsWith('-') ? "option" : "command")} {token}. Did you mean siam --version?";
            return token.StartsWith('-') && parsed.Tokens is not []
                ? $"{typed} has no option {token}: first comes one of {string.Join(", ", commands)}, "
                    + $"as in {typed} {commands[0]} ..."
                : $"there is no command '{token}' here; choose one of: {string.Join(", ", commands)}.{meant}";
        }
        return token.StartsWith('-') ? UnknownOption(parsed, command, token) : StrayWord(parsed, command, token);
    }

    private static string UnknownOption(ParseResult parsed, Command command, string token)
    {
        string name = token.Split('=')[0];
        string? value = token.Contains('=') ? token[(name.Length + 1)..]
            : parsed.UnmatchedTokens.Skip(1).FirstOrDefault(t => !t.StartsWith('-'));
        Option[] options = [.. command.Options];
        bool sets = options.Any(o => o.Name == "--set");
        string? path = sets ? OptionsJson.PathTo(typeof(Recipe), name.TrimStart('-')) : null;
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
                + "method=" + (value is { Length: > 0 } kind && OptionsJson.PartOfKind(typeof(Recipe), kind) == "method"
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
                ? $"{CommandLine(parsed.CommandResult)} takes "
                    + $"--json only{(command.Name == "doctor" ? ", and looks at this machine, its GPU included" : "")}."
                : $"there {(known.Length == 1 ? "is" : "are")} {string.Join(", ", known)}.");
    }

    /// <summary>What to do in place of an option that people expect; null where that is not known.</summary>
    private static string? Hint(ParseResult parsed, Command command, string name, string? value)
    {
        string typed = CommandLine(parsed.CommandResult);
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
        : $"what {CommandLine(parsed.CommandResult)} finds is shown. To keep it, add --json > FILE.json";

    /// <summary>Whether a command's --set takes an option of a recipe.</summary>
    private static bool CanSet(Command command, string path) =>
        command.Name is "pretrain" or "quickstart" or "study" or "views" or "options"
            || (path.StartsWith("data.", StringComparison.Ordinal) && path != "data.size")
            || (path.StartsWith("evaluation.", StringComparison.Ordinal) && command.Options.Any(o => o.Name == "--train"));

    private static string StrayWord(ParseResult parsed, Command command, string token)
    {
        string typed = CommandLine(parsed.CommandResult);
        if (token == "help") return $"'help' is no command. Did you mean {typed} --help?";
        if (string.IsNullOrWhiteSpace(token) || token is "`" or "^" or "\\")
            return $"'{token}' stands there alone. A command that goes on in the next line ends "
                + $"in {(OperatingSystem.IsWindows() ? "` in PowerShell and in ^ in the command prompt" : "\\")}, "
                + "with nothing behind it, not even a space. Or write all of it in one line.";
        if (parsed.Tokens.Select(t => t.Value).ToList() is var words && words.IndexOf(token) is >= 2 and var place
            && words[place - 2] == "--set" && words[place - 1].Contains('=') && token.IndexOf('=') > 0)
            return $"'{token}' stands there without an option. Each setting has its own: "
                + $"--set {Shell.Word(words[place - 1])} --set {Shell.Word(token)}";
        if (token.Length > 1 && token[0] == '/' && !Path.Exists(token)
            && command.Options.FirstOrDefault(o => o.Name == "--" + token[1..]) is { } windows)
            return $"'{token}' stands there without an option. Options begin with two hyphens here: {windows.Name}.";
        if (Last(parsed, "--set", token) is { } assignment)
        {
            string value = token.TrimStart('=') is { Length: > 0 } after ? after
                : parsed.UnmatchedTokens.Skip(1).FirstOrDefault() ?? "...";
            return $"--set {assignment} has no value{(token.StartsWith('=') ? ": there are no spaces around =" : "")}. "
                + $"Did you mean --set {Shell.Word($"{assignment.TrimEnd('=')}={value}")}?";
        }
        if (FilesOfOneFolder(parsed, command, token) is { } files) return files;
        if (command.Name == "quickstart" && Path.Exists(token.Split('#', '@')[0]))
            return "quickstart runs on images that come with the program. For your own: "
                + $"siam pretrain --data {Shell.Word(token)} --recipe simclr --out DIR.";
        if (parsed.Tokens.Select(t => t.Value).ToList() is var given && given.IndexOf(token) is >= 1 and var labelled
            && given[labelled - 1] == "--beside-labelled")
            return "--beside-labelled takes no file: it goes by the labels that stand in the index. "
                + $"siam embed --data {Shell.Word($"FOLDER@{token}")} writes them there.";
        if (command.Options.FirstOrDefault(o => o.HelpName == "R,G,B" && parsed.GetResult(o)?.Tokens is [var first, ..]
            && Following(parsed, first.Value, token) is not null) is { } list)
            return $"'{token}' stands there without an option. Commas stand between the numbers: {list.Name} "
                + $"{parsed.GetResult(list)!.Tokens[0].Value},"
                + $"{Following(parsed, parsed.GetResult(list)!.Tokens[0].Value, token)!.Replace(' ', ',')}";
        Option[] open = [.. command.Options.Where(o => o.Required && parsed.GetResult(o) is null or { Implicit: true })];
        if (open.Length == 0 && command.Options.FirstOrDefault(o => o.Name == "--run") is { } run
            && parsed.GetResult(run) is null or { Implicit: true }
            && command.Options.All(o => o.Name != "--backbone" || parsed.GetResult(o) is null or { Implicit: true }))
            open = [run];
        if (open is [{ Name: "--index" }, ..]
            && (Directory.Exists(token) || (open.Length == 1 && File.Exists(token) && !EmbeddingFile.IsKnown(token))))
            return $"'{token}' holds images, but {typed} takes a file of vectors. {EmbeddingFile.EmbedFirst(token)}, and then: "
                + $"{typed} --index vectors.parquet";
        if (open.Length > 0)
            return $"'{token}' stands there without an option. Did you mean "
                + $"{string.Join(' ', open.Zip(parsed.UnmatchedTokens, (option, word) => $"{option.Name} {Shell.Word(word)}"))}?";
        foreach (Option option in command.Options)
            if (parsed.GetResult(option) is { Implicit: false, Tokens: [.., var before] }
                && Following(parsed, before.Value, token) is { } rest)
                return Path.Exists(before.Value) && Path.Exists(token)
                    ? $"{option.Name} takes one name, but there are {before.Value} and {token}, "
                        + "perhaps put there by the shell for a wildcard. Give one."
                    : $"'{token}' stands there without an option. A name with spaces goes in quotes: "
                        + $"did you mean {option.Name} {Shell.Word($"{before.Value} {rest}")}?";
        return command.Arguments.Count == 0
            ? $"'{token}' stands there without an option. Leave it out, or write the option that it belongs to ahead of it."
            : $"'{token}' is one word too many: "
                + $"{typed} takes one {string.Join(' ', command.Arguments.Select(a => a.Name))} at a time. Leave it out.";
    }

    /// <summary>What to say where a shell has put the names of a folder in place of a wildcard; null where it has not.</summary>
    private static string? FilesOfOneFolder(ParseResult parsed, Command command, string token)
    {
        Token[] tokens = [.. parsed.Tokens];
        int at = Array.FindIndex(tokens, t => t.Value == token);
        bool isSource = at >= 1 &&
            (command.Arguments.Any(a => a.Name == "SRC"
            && parsed.GetResult(a)?.Tokens is [.., var source] && source.Value == tokens[at - 1].Value)
            || at >= 2 && tokens[at - 2].Value == "--data");
        if (!isSource) return null;
        string? folder = Path.GetDirectoryName(tokens[at - 1].Value);
        string[] words =
            [.. tokens.Skip(at - 1).Select(t => t.Value).TakeWhile(w => Path.Exists(w) && Path.GetDirectoryName(w) == folder)];
        if (words.Length < 2 || folder is null) return null;
        if (words.Any(Directory.Exists) && words.Length < Directory.EnumerateFileSystemEntries(folder.Length > 0 ? folder : ".")
            .Count(e => !Path.GetFileName(e).StartsWith('.')))
            return $"{string.Join(" and ", words.Select(w => $"'{w}'"))} are {words.Length} sources where one is "
                + $"taken. {ImageSources.OneSource}";
        return $"{string.Join(", ", words.Take(2).Select(w => $"'{w}'"))}{(words.Length > 2 ? ", ..." : "")} are {words.Length} "
            + "names where one is taken, perhaps put there by the shell for a wildcard. "
            + $"Give the folder that they are in: {Shell.Word(folder.Length > 0 ? folder : ".")}";
    }

    /// <summary>The assignment without a value that stands directly ahead of a word.</summary>
    private static string? Last(ParseResult parsed, string option, string token)
    {
        int at = parsed.Tokens.ToList().FindIndex(t => t.Value == token);
        return at >= 2 && parsed.Tokens[at - 2].Value == option && parsed.Tokens[at - 1].Value is var assignment
            && (!assignment.Contains('=') || assignment.EndsWith('='))
            ? assignment : null;
    }

    /// <summary>The words from one on that stand behind a value, up to the next option.</summary>
    private static string? Following(ParseResult parsed, string before, string token)
    {
        int at = parsed.Tokens.ToList().FindIndex(t => t.Value == token);
        return at >= 1 && parsed.Tokens[at - 1].Value == before
            ? string.Join(' ', parsed.Tokens.Skip(at).Select(t => t.Value).TakeWhile(t => !t.StartsWith('-'))) : null;
    }

    private static bool Same(string a, string b) =>
        string.Equals(a, b.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal),
            StringComparison.OrdinalIgnoreCase);

    private static string Lower(string? description) =>
        description is [var first, var second, ..] && char.IsUpper(first) && !char.IsUpper(second)
            ? char.ToLowerInvariant(first) + description[1..] : description ?? "";
}

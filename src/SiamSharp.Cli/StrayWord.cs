using System.CommandLine;
using System.CommandLine.Parsing;
using SiamSharp.Data;
using SiamSharp.Embeddings;
using SiamSharp.Messages;

namespace SiamSharp.Cli;

/// <summary>What is wrong with a word that belongs to no option, and what was probably meant.</summary>
internal static class StrayWord
{
    internal static string Fault(ParseResult parsed, Command command, string token)
    {
        string typed = Usage.CommandLine(parsed.CommandResult);
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
}

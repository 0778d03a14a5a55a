using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using SiamSharp.Data;
using SiamSharp.Messages;

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
        return token.StartsWith('-') ? UnknownOption.Fault(parsed, command, token) : StrayWord.Fault(parsed, command, token);
    }

    private static string Lower(string? description) =>
        description is [var first, var second, ..] && char.IsUpper(first) && !char.IsUpper(second)
            ? char.ToLowerInvariant(first) + description[1..] : description ?? "";
}

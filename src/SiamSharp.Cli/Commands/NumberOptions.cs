using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;
using SiamSharp.Messages;

namespace SiamSharp.Cli.Commands;

/// <summary>Options that take numbers, or one name of several: read strictly, checked while the command line is read.</summary>
internal static class NumberOptions
{
    /// <summary>A whole number.</summary>
    /// <param name="name">With its hyphens.</param>
    /// <param name="description">For the help.</param>
    /// <param name="least">Allowed.</param>
    /// <param name="most">Allowed.</param>
    /// <param name="otherwise">Where the option is not given.</param>
    internal static Option<int> Whole(string name, string description, int least, int most, int otherwise) => new(name)
    {
        Description = description,
        HelpName = "N",
        DefaultValueFactory = _ => otherwise,
        CustomParser = result => Read<int>(name, result,
            text => Numbers.TryWhole(text, out int number) && number >= least && number <= most ? number : null,
            $"a whole number {(most == int.MaxValue ? $"of {least} or more" : $"from {least} to {most}")}", whole: true),
    };

    /// <summary>A number with or without a fraction.</summary>
    /// <param name="name">With its hyphens.</param>
    /// <param name="description">For the help.</param>
    /// <param name="isAllowed">Which are.</param>
    /// <param name="allowed">The same in words, behind "a number".</param>
    /// <param name="otherwise">Where the option is not given; null = 0, and the help names no default.</param>
    internal static Option<double> Real(
        string name, string description, Func<double, bool> isAllowed, string allowed, double? otherwise) =>
        new(name)
        {
            Description = description,
            HelpName = "NUMBER",
            DefaultValueFactory = otherwise is double value ? _ => value : null,
            CustomParser = result => Read<double>(name, result,
                text => Numbers.TryReal(text, out double number) && isAllowed(number) ? number : null,
                $"a number {allowed}", whole: false,
                text => Numbers.TryReal(text, out double number) && number >= MinPercent && isAllowed(number / 100)
                    ? string.Create(CultureInfo.InvariantCulture, $"; write it as a share: {number / 100}") : ""),
        };

    private const double MinPercent = 10; // below, a number is hardly meant in hundredths

    /// <summary>Numbers with commas between them; empty where the option is not given.</summary>
    /// <param name="name">With its hyphens.</param>
    /// <param name="description">For the help.</param>
    /// <param name="otherwise">What the command takes where the option is not given, for the help.</param>
    internal static Option<double[]> List(string name, string description, double[] otherwise) => new(name)
    {
        // The library would write the default with | between the numbers.
        Description =
            $"{description} [default: {string.Join(',', otherwise.Select(n => n.ToString(CultureInfo.InvariantCulture)))}]",
        HelpName = "R,G,B",
        CustomParser = result =>
        {
            string text = result.Tokens is [var token, ..] ? token.Value : "";
            double[] numbers =
                [.. text.Split(',', '|').Select(part => Numbers.TryReal(part, out double number) ? number : double.NaN)];
            if (!numbers.Any(double.IsNaN)) return numbers;
            result.AddError($"{name}: \"{text}\" is not a list of numbers with points in them and commas between them, "
                + $"such as {string.Join(',', otherwise.Select(n => n.ToString(CultureInfo.InvariantCulture)))}");
            return null;
        },
    };

    /// <summary>One of the names of an enumeration, in small letters.</summary>
    internal static Option<T> Choice<T>(string name, string description) where T : struct, Enum
    {
        string[] names = [.. Enum.GetNames<T>().Select(JsonNamingPolicy.KebabCaseLower.ConvertName)];
        return new(name)
        {
            Description = $"{description} One of: {string.Join(", ", names)}.",
            HelpName = "NAME",
            CustomParser = result =>
            {
                string text = result.Tokens is [var token, ..] ? token.Value : "";
                int index = Array.IndexOf(names, text.ToLowerInvariant());
                if (index < 0)
                    result.AddError($"{name}: \"{text}\" is none of: {string.Join(", ", names)}{Nearest.Question(text, names)}");
                return index < 0 ? default : Enum.GetValues<T>()[index];
            },
        };
    }

    private static T Read<T>(
        string name, ArgumentResult result, Func<string, T?> read, string wanted, bool whole,
        Func<string, string>? mend = null) where T : struct
    {
        string text = result.Tokens is [var token, ..] ? token.Value : "";
        if (read(text) is T number) return number;
        result.AddError($"{name}: \"{text}\" is not {wanted}{Numbers.Mending(text, whole)}{mend?.Invoke(text)}");
        return default;
    }
}

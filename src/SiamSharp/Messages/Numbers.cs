using System.Globalization;
using System.Text.RegularExpressions;

namespace SiamSharp.Messages;

/// <summary>Numbers that people write: digits, a sign, a point, an exponent, and nothing else. A comma is never taken for a
/// separator of thousands.</summary>
internal static partial class Numbers
{
    /// <summary>Reads a finite number.</summary>
    internal static bool TryReal(string text, out double number) => double.TryParse(
        text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
        CultureInfo.InvariantCulture, out number)
        && double.IsFinite(number) && text.All(c => char.IsAsciiDigit(c) || c is '.' or '+' or '-' or 'e' or 'E');

    /// <summary>Reads a whole number.</summary>
    internal static bool TryWhole(string text, out int number) => int.TryParse(text, NumberStyles.AllowLeadingSign,
        CultureInfo.InvariantCulture, out number)
        && text.All(c => char.IsAsciiDigit(c) || c is '+' or '-');

    /// <summary>What to write in place of a text that is no number, as the end of a sentence;
    /// empty where that is not known.</summary>
    /// <param name="text">What was written.</param>
    /// <param name="whole">Whether a whole number is wanted.</param>
    internal static string Mending(string text, bool whole)
    {
        string trimmed = text.Trim(), plain = string.Concat(trimmed.Where(c => c is not (',' or '_' or ' ' or '\'')));
        if (trimmed != text && (whole ? TryWhole(trimmed, out _) : TryReal(trimmed, out _)))
            return $"; write {trimmed}, without spaces";
        if (!whole && trimmed.Count(c => c == ',') == 1 && !trimmed.Contains('.') && TryReal(trimmed.Replace(',', '.'), out _))
            return $"; write the fraction with a point: {trimmed.Replace(',', '.')}";
        if (trimmed.EndsWith('%') && TryReal(trimmed[..^1], out double percent))
            return whole ? "" : string.Create(CultureInfo.InvariantCulture, $"; write it as a share: {percent / 100}");
        if (!whole && Bytes().Match(trimmed) is { Success: true } bytes && TryReal(bytes.Groups[1].Value, out double amount))
            return string.Create(CultureInfo.InvariantCulture, $"; it is counted in GiB: "
                + $"write {amount * Math.Pow(1024, "MGT".IndexOf(bytes.Groups[2].Value.ToUpperInvariant()[0]) - 1):0.###}");
        if (LeadingNumber().Match(trimmed) is { Success: true } number
            && (whole ? TryWhole(number.Groups[1].Value, out _) : TryReal(number.Groups[1].Value, out _)))
            return $"; write the number alone, without \"{number.Groups[2].Value}\"";
        if (trimmed.IndexOf(' ') is > 0 and var space && trimmed[space..].Contains('='))
            return $"; each setting has its own --set: --set {trimmed[(space + 1)..]}";
        if (plain == trimmed) return "";
        if (whole && !IsInThousands(trimmed)) return "";
        return whole ? TryWhole(plain, out _) ? $"; write {plain}, without separators" : ""
            : TryReal(plain, out _) ? $"; write {plain}, without separators" : "";
    }

    [GeneratedRegex(@"^([0-9.]+) ?([MGT])i?B?$", RegexOptions.IgnoreCase)] private static partial Regex Bytes();

    [GeneratedRegex(@"^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?) ?([A-Za-z][A-Za-z0-9/]*)$")]
    private static partial Regex LeadingNumber();

    /// <summary>Whether all groups behind the first have three digits: 1,000 but not 3,5.</summary>
    private static bool IsInThousands(string text) => text.Split(',', '_', ' ', '\'').Skip(1).All(group => group.Length == 3);
}

using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using SiamSharp.Messages;
using static SiamSharp.Options.OptionsJson;

namespace SiamSharp.Options;

/// <summary>What is wrong with a single value, and what to write in its place.</summary>
internal static class ValueCheck
{
    /// <summary>What is wrong with a single value of a tree.</summary>
    internal static string[] ProblemsOf(JsonNode node, Type type, ICustomAttributeProvider? declared)
    {
        object? value = null;
        try
        {
            // A number for an enum, or one in quotes, would be taken for the member at that place.
            if (!type.IsEnum || (node is JsonValue name && name.TryGetValue(out string? text)
                && NamesOf(type).Contains(text, StringComparer.OrdinalIgnoreCase)))
                value = node.Deserialize(type, Serializer);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
        }
        if (value is null && IsWhole(type) && Beyond(node, declared) is { } range)
            return [$"{Show(node)} is outside {Bounds(range)}"];
        if (value is null) return [$"{Show(node)} is not {Wanted(type, declared)}{Mending(node, type, declared)}"];
        string[] problems = [.. ProblemsOf(value, declared, Show(node))];
        return problems.Length == 0
            && value is (double.PositiveInfinity or double.NegativeInfinity or float.PositiveInfinity or float.NegativeInfinity)
            ? [$"{Show(node)} is too large for a number"]
            : problems;
    }

    /// <summary>What is wrong with a single value: it is outside its range, or no member of its enum.</summary>
    internal static IEnumerable<string> ProblemsOf(object value, ICustomAttributeProvider? declared, string shown)
    {
        foreach (RangeAttribute range in declared?.GetCustomAttributes(typeof(RangeAttribute), true) ?? [])
            if (!range.IsValid(value)) yield return $"{shown} is outside "
                + $"{Bounds(range)}" + (value is >= 10.0 and <= 100.0 and double percent && range.Maximum is 1.0
                    ? string.Create(CultureInfo.InvariantCulture, $"; write it as a share: {percent / 100}") : "");
        if (value is Enum && !Enum.IsDefined(value.GetType(), value))
            yield return $"{shown} is not {Wanted(value.GetType(), declared)}";
    }

    /// <summary>The range that a number of any size lies outside of; null where it lies within, or is no number.</summary>
    private static RangeAttribute? Beyond(JsonNode node, ICustomAttributeProvider? declared) =>
        node.GetValueKind() == JsonValueKind.Number
            && double.TryParse(node.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
            ? (declared?.GetCustomAttributes(typeof(RangeAttribute), true) ?? []).Cast<RangeAttribute>()
                .FirstOrDefault(r => number < Convert.ToDouble(r.Minimum, CultureInfo.InvariantCulture)
                    || number > Convert.ToDouble(r.Maximum, CultureInfo.InvariantCulture))
            : null;

    internal static string Bounds(RangeAttribute range) =>
        string.Create(CultureInfo.InvariantCulture, $"{range.Minimum:0.##########} to {range.Maximum:0.##########}");

    /// <summary>What to write in place of a value that is none, as the end of a sentence;
    /// empty where that is not known.</summary>
    private static string Mending(JsonNode node, Type type, ICustomAttributeProvider? declared)
    {
        if (node is not JsonValue value) return "";
        if (value.TryGetValue(out string? part)
            && declared?.GetCustomAttributes(typeof(PartOfAttribute), true) is [PartOfAttribute whole]
            && OptionListing.PartOfKind(whole.Document, part) is { } of)
            return $"; write {{ \"{of}\": \"{part}\" }}";
        if (!value.TryGetValue(out string? text))
            return IsWhole(type) && Numbers.TryReal(node.ToJsonString(), out double real) && real == Math.Round(real)
                && Math.Abs(real) <= int.MaxValue
                ? string.Create(CultureInfo.InvariantCulture, $"; write {(long)real}") : "";
        if (type.IsEnum)
            return text.ToLowerInvariant() is "gpu" && NamesOf(type).Contains("cuda") ? "; did you mean cuda?"
                : Nearest.Question(text, NamesOf(type));
        if (type == typeof(bool))
            return text.ToLowerInvariant() is "true" or "false" ? $"; write {text.ToLowerInvariant()}, without quotes" : "";
        if (!IsNumber(type)) return "";
        return (IsWhole(type) ? Numbers.TryWhole(text, out _) : Numbers.TryReal(text, out _)) ? $"; write {text}, without quotes"
            : Numbers.Mending(text, IsWhole(type));
    }

    private static bool IsNumber(Type type) => type == typeof(double) || type == typeof(float) || IsWhole(type);

    private static bool IsWhole(Type type) => type == typeof(int) || type == typeof(long);

    /// <summary>What was given for a list, as its items: <c>1,2,5</c> where numbers are wanted.</summary>
    internal static string Items(JsonNode node, Type element) =>
        IsNumber(element) && node is JsonValue value && value.TryGetValue(out string? text)
            ? string.Join(',', text.Trim('[', ']', '{', '}', '(', ')', ' ').Split(',')
                .Select(item => item.EndsWith('%') && Numbers.TryReal(item[..^1], out double percent)
                    ? (percent / 100).ToString(CultureInfo.InvariantCulture) : item))
            : Show(node);

    internal static string Wanted(Type type, ICustomAttributeProvider? declared) => type switch
    {
        { IsEnum: true } => "one of: " + string.Join(", ", NamesOf(type)),
        _ when type == typeof(string) => "a text, \"...\"",
        _ when type == typeof(bool) => "true or false",
        _ when type == typeof(double) || type == typeof(float) => "a number" + Between(declared),
        _ when type == typeof(JsonObject) => "an object, such as { \"training\": { \"epochs\": 20 } }",
        _ when type == typeof(JsonArray) => "a list, [ ... ]",
        _ => "a whole number" + Between(declared),
    };

    private static string Between(ICustomAttributeProvider? declared) =>
        declared?.GetCustomAttributes(typeof(RangeAttribute), true).FirstOrDefault() is RangeAttribute range
            ? $", {Bounds(range)}" : "";

    private static IEnumerable<string> NamesOf(Type type) =>
        Enum.GetValues(type).Cast<object>().Select(v => JsonSerializer.Serialize(v, type, Serializer).Trim('"'));

    internal static string Show(JsonNode node) =>
        node.ToJsonString() is { Length: > 60 } text ? text[..60] + "..." : node.ToJsonString();
}

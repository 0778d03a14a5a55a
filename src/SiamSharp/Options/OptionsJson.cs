using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using SiamSharp.Files;

namespace SiamSharp.Options;

/// <summary>Options records to strict JSON and back: one format in code, file, run folder and checkpoint.</summary>
/// <remarks>Comments and trailing commas are allowed; unknown keys, duplicates and nulls are not.</remarks>
public static class OptionsJson
{
    private static readonly JsonDocumentOptions s_document = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        AllowDuplicateProperties = false,
    };

    /// <summary>The serialiser's settings: camelCase names, indented, discriminators in any position.</summary>
    public static JsonSerializerOptions Serializer => s_serializer;

    private static JsonSerializerOptions s_serializer = MakeSerializer();

    /// <summary>Looks for kinds anew: others have become known.</summary>
    internal static void Forget()
    {
        s_serializer = MakeSerializer();
        s_oneLine = new(s_serializer) { WriteIndented = false };
        s_anyNumber = new(s_oneLine) { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };
    }

    private static JsonSerializerOptions MakeSerializer() => new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        NewLine = "\n",
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowOutOfOrderMetadataProperties = true,
        NumberHandling = JsonNumberHandling.Strict,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { Kinds.AddTo } },
    };

    /// <summary>Reads one JSON object.</summary>
    /// <param name="text">JSON with comments.</param>
    /// <param name="name">What to call the document in a message, such as its path.</param>
    /// <exception cref="OptionsException">The text is no JSON object.</exception>
    public static JsonObject Parse(string text, string name)
    {
        try
        {
            JsonNode? node = ParseNode(text);
            return node as JsonObject
                ?? throw new OptionsException([new Fault(name,
                    $"must be one JSON object, but is {(node is JsonArray ? "a list" : "a single value")}: "
                        + "a recipe looks like {\"training\": {\"epochs\": 20}}, and a study like {\"pretrain\": "
                        + "\"FOLDER\", \"test\": \"FOLDER\", \"rows\": [{\"name\": \"a\"}]}")]);
        }
        catch (JsonException e)
        {
            string where = e.LineNumber is long line ? $"line {line + 1}: " : "";
            throw new OptionsException([new Fault(name, where + (JsonFaults.WrongValue(e, text) ?? JsonFaults.Reason(e, text)))]);
        }
    }

    /// <summary>Reads a file of one JSON object.</summary>
    /// <param name="path">JSON with comments.</param>
    /// <exception cref="OptionsException">It cannot be read, or is no JSON object.</exception>
    public static JsonObject ParseFile(string path)
    {
        try
        {
            return Parse(RegularFile.ReadAllText(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OptionsException([new Fault(path, $"cannot be read ({e.Message.TrimEnd('.')})")]);
        }
    }

    /// <summary>Reads any JSON.</summary>
    /// <exception cref="JsonException">It is none, names a key twice, or holds half a character, which System.Text.Json would
    /// notice only when it is looked at.</exception>
    internal static JsonNode? ParseNode(string text)
    {
        // Ahead of JsonNode.Parse, which fails otherwise at half a character.
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(WholeCharacters(text)),
            new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        while (reader.Read())
        {
            if (!reader.ValueIsEscaped) continue;
            try
            {
                reader.GetString();
            }
            catch (InvalidOperationException)
            {
                throw new JsonException($"\"{Encoding.UTF8.GetString(reader.ValueSpan)}\" holds half a character (a surrogate "
                    + "without its other half): write the whole character.",
                    null, text.AsSpan(0, Encoding.UTF8.GetCharCount(
                        Encoding.UTF8.GetBytes(text).AsSpan(0, (int)reader.TokenStartIndex))).Count('\n'), null);
            }
        }
        return JsonNode.Parse(text, documentOptions: s_document);
    }

    private static string WholeCharacters(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
                throw new JsonException(
                    "there is half a character (a surrogate without its other half): write the whole character.", null,
                    text.AsSpan(0, i).Count('\n'), null);
            i++;
        }
        return text;
    }

    /// <summary>The options as a tree with every value in it.</summary>
    public static JsonObject Write<T>(T options) where T : notnull =>
        JsonSerializer.SerializeToNode(options, Serializer)!.AsObject();

    /// <summary>Makes the options record of a tree, after checking names, types, ranges and rules.</summary>
    /// <param name="tree">A JSON object; what it lacks takes the record's default.</param>
    /// <param name="name">What to call the document in a message, such as its path;
    /// empty where the options' own paths say enough.</param>
    /// <exception cref="OptionsException">Anything is wrong; all faults are listed.</exception>
    public static T Read<T>(JsonObject tree, string name = "") where T : notnull
    {
        var check = new TreeCheck(typeof(T));
        check.Check(tree = (JsonObject)tree.DeepClone());
        // With the defaults in the place of what is wrong, rules across values can still be checked.
        T? options = check.WithoutFaults() ? tree.Deserialize<T>(Serializer) : default;
        if (options is not null) RecordCheck.AddRules(options, check.Faults);
        if (check.Faults.Count == 0) return options!;
        throw new OptionsException(name.Length == 0 ? check.Faults
            : [.. check.Faults.Select(f => f with { Path = f.Path.Length == 0 ? name : $"{name}, {f.Path}" })]);
    }

    /// <summary>Refuses options that are out of their ranges or break a rule, as <see cref="Read{T}"/> does,
    /// wherever they were built.</summary>
    /// <param name="options">An options record, such as a recipe.</param>
    /// <param name="path">What comes before the options' own paths in a message, such as <c>optimizer</c>.</param>
    /// <returns>The options.</returns>
    /// <exception cref="OptionsException">Anything is wrong; all faults are listed.</exception>
    public static T Check<T>(T options, string path = "") where T : notnull
    {
        ArgumentNullException.ThrowIfNull(options);
        return RecordCheck.FaultsOf(options) is { Count: > 0 } faults
            ? throw new OptionsException([.. faults.Select(f => f with { Path = OptionTree.Join(path, f.Path) })]) : options;
    }

    /// <summary>The name of a kind among several, such as <c>simclr</c> for <c>SimClrOptions</c>.</summary>
    public static string KindOf<T>(T options) where T : notnull
    {
        string key = Serializer.GetTypeInfo(typeof(T)).PolymorphismOptions?.TypeDiscriminatorPropertyName
            ?? throw new ArgumentException($"{typeof(T).Name} has no kinds; name the type that does.");
        return (string)Write(options)[key]!;
    }

    /// <summary>The same on one line.</summary>
    internal static JsonSerializerOptions OneLine => s_oneLine;

    /// <summary>The same on one line, with numbers that are not finite.</summary>
    internal static JsonSerializerOptions AnyNumber => s_anyNumber;

    private static JsonSerializerOptions s_oneLine = new(Serializer) { WriteIndented = false };

    private static JsonSerializerOptions s_anyNumber =
        new(s_oneLine) { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };
}

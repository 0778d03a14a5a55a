using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using SiamSharp.Files;
using SiamSharp.Messages;

namespace SiamSharp.Options;

/// <summary>Options records to strict JSON and back: one format in code, file, run folder and checkpoint.</summary>
/// <remarks>Comments and trailing commas are allowed; unknown keys, duplicates and nulls are not.</remarks>
public static partial class OptionsJson
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
            throw new OptionsException([new Fault(name, where + (WrongValue(e, text) ?? Reason(e, text)))]);
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

    /// <summary>What is wrong with a text that is no JSON, without the place, in words that say what to do
    /// where that is known.</summary>
    private static string Reason(JsonException e, string text)
    {
        string start = text.TrimStart('\uFEFF', ' ', '\t', '\r', '\n');
        if (start.Length == 0) return "it is empty: write an object, { ... }";
        if (start[0] is not ('{' or '[' or '"' or '/'))
            return Listing().IsMatch(start)
                ? "it is the listing of `siam options`, not a recipe, which looks like {\"training\": {\"epochs\": 3}}: "
                    + "write what differs, or take the recipe.json of a run, which has all options"
                : start.StartsWith("<<<<<<<", StringComparison.Ordinal) ? "two versions of it were merged and the conflict is "
                    + "not resolved: keep one of both, and take out the lines that begin with <<<<<<<, ======= and >>>>>>>"
                : "it is no JSON, which begins with {" + (YamlKey().IsMatch(start)
                    ? ". It looks like YAML: write {\"training\": {\"epochs\": 3}} for training: epochs: 3" : "");
        if (EndsTooEarly(text)) return "it ends too early: it was cut off, or a }, ] or \" is missing at its end";
        if (text.IndexOfAny(['\u201C', '\u201D', '\u201E']) is >= 0 and var curly)
            return $"it has curly quotes, {text[curly]}, as text programs make: write straight ones, \"";
        string reason = e.Message.Split(" Path: ")[0].Split(" LineNumber:")[0];
        if (reason.Contains("is invalid after a value", StringComparison.Ordinal))
            return "a comma is missing ahead of what stands there";
        if (reason.Contains("after a single JSON value", StringComparison.Ordinal))
            return "something stands behind the end of the object: take it out, such as one } too many";
        return DuplicateKey().Match(reason) is { Success: true } twice
            ? $"\"{twice.Groups[1].Value}\" is there twice in one object: leave one of the two out" : reason;
    }

    /// <summary>What to write in place of a value that other languages have and JSON has not, with its path;
    /// null where the fault is another.</summary>
    private static string? WrongValue(JsonException e, string text)
    {
        if (e.LineNumber is not long line || e.BytePositionInLine is not long column) return null;
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int at = 0;
        for (; line > 0 && at < bytes.Length; at++)
            if (bytes[at] == '\n') line--;
        at += (int)column;
        if (at >= bytes.Length) return null;
        if (at > 0 && bytes[at - 1] == '-') at--; // told of the letter behind it
        Match value = OtherValue().Match(Encoding.UTF8.GetString(bytes, at, Math.Min(16, bytes.Length - at)));
        if (!value.Success) return null;
        string found = value.Value, path = PathBefore(bytes.AsSpan(0, at));
        return (path.Length == 0 ? "" : $"{path}: ") + (found.ToLowerInvariant() switch
        {
            "true" or "false" => $"{found} is {found.ToLowerInvariant()} in JSON: write it in small letters",
            "none" or "nil" or "undefined" => $"{found} is no value in JSON: leave the key out for its default",
            "'" => "texts stand in double quotes, \"...\"",
            "." => "a fraction needs a digit ahead of its point: write 0.5 for .5",
            "+" => "numbers have no + ahead of them: leave it out",
            _ => $"{found} is no value in JSON: give a number",
        });
    }

    [GeneratedRegex(@"^(-?(nan|inf(inity)?)\b|true\b|false\b|none\b|nil\b|undefined\b|'|\.(?=\d)|\+(?=\d))",
        RegexOptions.IgnoreCase)]
    private static partial Regex OtherValue();

    /// <summary>The path of the value that comes next behind a sound beginning of JSON.</summary>
    private static string PathBefore(ReadOnlySpan<byte> start)
    {
        var keys = new List<string>(); // one for each object or list that is open
        try
        {
            var reader = new Utf8JsonReader(start, isFinalBlock: false,
                new(new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }));
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray) keys.Add("");
                else if (reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray) keys.RemoveAt(keys.Count - 1);
                else if (reader.TokenType == JsonTokenType.PropertyName) keys[^1] = reader.GetString()!;
            }
        }
        catch (JsonException)
        {
            // what was read so far says enough
        }
        return string.Join('.', keys.Where(key => key.Length > 0));
    }

    /// <summary>Whether all is well up to the end, where something is still open.</summary>
    private static bool EndsTooEarly(string text)
    {
        try
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text.TrimEnd());
            var reader = new Utf8JsonReader(bytes, isFinalBlock: false,
                new(new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }));
            while (reader.Read())
            {
            }
            return reader.CurrentDepth > 0 || reader.BytesConsumed < bytes.Length;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"^(The v|V)alues (shown are )?for grey images|^[a-z]\w*\.[\w.]+ = ")] private static partial Regex Listing();

    [GeneratedRegex(@"^[A-Za-z_][\w.-]*:(\s|$)")] private static partial Regex YamlKey();

    [GeneratedRegex("^Duplicate property '(.*)' encountered")] private static partial Regex DuplicateKey();

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
        var findings = new Findings(typeof(T));
        CheckNode(tree = (JsonObject)tree.DeepClone(), typeof(T), "", null, null, findings);
        // With the defaults in the place of what is wrong, rules across values can still be checked.
        T? options = findings.WithoutFaults() ? tree.Deserialize<T>(Serializer) : default;
        if (options is not null) AddRules(options, findings.Faults);
        if (findings.Faults.Count == 0) return options!;
        throw new OptionsException(name.Length == 0 ? findings.Faults
            : [.. findings.Faults.Select(f => f with { Path = f.Path.Length == 0 ? name : $"{name}, {f.Path}" })]);
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
        return FaultsOf(options) is { Count: > 0 } faults
            ? throw new OptionsException([.. faults.Select(f => f with { Path = Join(path, f.Path) })]) : options;
    }

    /// <summary>All that <see cref="Check{T}"/> finds.</summary>
    internal static List<Fault> FaultsOf(object options)
    {
        var faults = new List<Fault>();
        CheckObject(options, "", null, faults);
        if ((faults.Count == 0 ? options : WithoutFaults(options, faults)) is { } sound) AddRules(sound, faults);
        return faults;
    }

    /// <summary>Adds the rules that options break, but for what stands in the place of something that is wrong itself.</summary>
    private static void AddRules(object options, List<Fault> faults)
    {
        var broken = new List<Fault>();
        CheckRules(options, "", broken);
        string[] wrong = [.. faults.Select(f => f.Path)];
        faults.AddRange(
            broken.Where(b => !wrong.Any(path => b.Path == path || b.Path.StartsWith(path + ".", StringComparison.Ordinal))));
    }

    /// <summary>A copy with the defaults in the place of what is wrong; null where there can be none.</summary>
    private static object? WithoutFaults(object options, List<Fault> faults)
    {
        try
        {
            var tree = (JsonObject)JsonSerializer.SerializeToNode(options, options.GetType(), s_anyNumber)!;
            foreach (string[] keys in faults.Select(fault => fault.Path.Split('.')))
                if (keys[..^1].Aggregate((JsonNode?)tree, (node, key) => (node as JsonObject)?[key]) is not JsonObject owner
                    || !owner.Remove(keys[^1]))
                    return null;
            return tree.Deserialize(options.GetType(), s_anyNumber);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            return null; // a framework that only the calling program knows
        }
    }

    /// <summary>What a check has found so far.</summary>
    private sealed class Findings(Type root)
    {
        private readonly List<(JsonObject Owner, string Key)> _wrong = [];
        private bool _inPlace;

        /// <summary>What the whole tree is to be.</summary>
        public Type Root => root;

        public List<Fault> Faults { get; } = [];

        /// <summary>Notes a fault of a value; <paramref name="owner"/> is the object that holds it, null for the item of a list
        /// or a kind, which nothing can replace.</summary>
        public void Add(Fault fault, JsonObject? owner, string key = "")
        {
            Faults.Add(fault);
            if (owner is null) _inPlace = true;
            else _wrong.Add((owner, key));
        }

        /// <summary>Leaves out all values that have a fault; false where that is not possible.</summary>
        public bool WithoutFaults()
        {
            foreach (var (owner, key) in _wrong) owner.Remove(key);
            return !_inPlace;
        }
    }

    /// <summary>The name of a kind among several, such as <c>simclr</c> for <c>SimClrOptions</c>.</summary>
    public static string KindOf<T>(T options) where T : notnull
    {
        string key = Serializer.GetTypeInfo(typeof(T)).PolymorphismOptions?.TypeDiscriminatorPropertyName
            ?? throw new ArgumentException($"{typeof(T).Name} has no kinds; name the type that does.");
        return (string)Write(options)[key]!;
    }

    /// <summary>Every single option of a record, at its value there.</summary>
    /// <param name="options">Such as a recipe.</param>
    internal static IReadOnlyList<OptionDescription> Describe<T>(T options) where T : notnull
    {
        var found = new List<OptionDescription>();
        Describe(options, "", found);
        return found;
    }

    private static void Describe(object options, string path, List<OptionDescription> found)
    {
        Type type = options.GetType();
        string? kindKey = type.BaseType is { } b && b != typeof(object)
            ? Serializer.GetTypeInfo(b).PolymorphismOptions?.TypeDiscriminatorPropertyName : null;
        if (kindKey is not null)
        {
            JsonPolymorphismOptions kinds = Serializer.GetTypeInfo(type.BaseType!).PolymorphismOptions!;
            string name = (string)kinds.DerivedTypes.Single(k => k.DerivedType == type).TypeDiscriminator!;
            found.Add(new(Join(path, kindKey), name,
                string.Join(", ", kinds.DerivedTypes.Select(k => k.TypeDiscriminator)), type, null));
        }
        foreach (JsonPropertyInfo property in Serializer.GetTypeInfo(type).Properties)
        {
            if (property.Get?.Invoke(options) is not { } value) continue;
            string at = Join(path, property.Name);
            var member = property.AttributeProvider as PropertyInfo;
            if (value is System.Collections.IEnumerable list and not string && list.Cast<object>().FirstOrDefault() is IHasRules)
                foreach (var (i, item) in list.Cast<object>().Index()) Describe(item, Join(at, $"{i}"), found);
            else if (Serializer.GetTypeInfo(value.GetType()).Kind == JsonTypeInfoKind.Object) Describe(value, at, found);
            else
            {
                RangeAttribute? range = member?.GetCustomAttribute<RangeAttribute>();
                string allowed = range is not null ? Bounds(range) : value is Enum or bool
                    ? Wanted(value.GetType(), null).Replace("one of: ", "", StringComparison.Ordinal) : "";
                found.Add(new(at, JsonSerializer.Serialize(value, value.GetType(), s_oneLine).Trim('"'), allowed, type, member));
            }
        }
    }

    private static JsonSerializerOptions s_oneLine = new(Serializer) { WriteIndented = false };

    private static JsonSerializerOptions s_anyNumber =
        new(s_oneLine) { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    private const string NoNull = "null is not allowed; leave the key out for its default";

    private static void CheckNode(
        JsonNode? node, Type type, string path, ICustomAttributeProvider? declared, JsonObject? owner, Findings found)
    {
        string key = path[(path.LastIndexOf('.') + 1)..];
        if (node is null)
        {
            found.Add(new Fault(path, NoNull), owner, key);
            return;
        }
        JsonTypeInfo info = Serializer.GetTypeInfo(type);
        switch (info.Kind)
        {
            case JsonTypeInfoKind.Object when node is JsonObject tree:
                if (info.PolymorphismOptions is { } kinds)
                {
                    if (DerivedType(kinds, tree, path, found) is not { } derived) return;
                    info = Serializer.GetTypeInfo(derived);
                }
                CheckProperties(tree, info, path, found);
                break;
            case JsonTypeInfoKind.Enumerable when node is JsonArray items:
                for (int i = 0; i < items.Count; i++)
                    CheckNode(items[i], info.ElementType!, Join(path, $"{i}"), declared, null, found);
                break;
            case JsonTypeInfoKind.None:
                if (node is JsonArray && key is "pretrain" or "train" or "test")
                {
                    found.Add(new Fault(path, "takes one source: put the folders into one, or their files into the lines "
                        + "of a manifest.csv; a part of a source is one range, #FIRST..END"), owner, key);
                    break;
                }
                foreach (string problem in ProblemsOf(node, type, declared)) found.Add(new Fault(path, problem), owner, key);
                break;
            default:
                string wanted = info.Kind == JsonTypeInfoKind.Enumerable ? "a list, "
                    + (Serializer.GetTypeInfo(info.ElementType!).Kind == JsonTypeInfoKind.None
                        ? $"such as [{(path == "seeds" ? "1, 2, 3" : Items(node, info.ElementType!))}]"
                        : path == "rows" ? "such as [{ \"name\": \"a\" }]" : "[ ... ]")
                    : $"an object, {{ ... }}; its options: {string.Join(", ", OptionsOf(info).Select(key => Join(path, key)))}";
                found.Add(new Fault(path, $"{Show(node)} is not "
                    + $"{wanted}{WhyNoJson(node)}{(key == "highPass" ? "; --set views.highPass.sigma=0 switches it off" : "")}"),
                    owner, key);
                break;
        }
    }

    /// <summary>Why a text that looks like an object or a list was taken as a text; empty for anything else.</summary>
    private static string WhyNoJson(JsonNode node)
    {
        if (node is JsonValue shell && shell.TryGetValue(out string? powerShell)
            && powerShell.StartsWith("@{", StringComparison.Ordinal))
            return ". That is what PowerShell writes in the place of a deep object: "
                + "write the file again with ConvertTo-Json -Depth 9";
        if (node is not JsonValue value || !value.TryGetValue(out string? text) || text.TrimStart() is not ['{' or '[', ..])
            return "";
        try
        {
            ParseNode(text);
            return "";
        }
        catch (JsonException e)
        {
            return $". It is no JSON: {Reason(e, text)}";
        }
    }

    /// <summary>The keys that an object of a type can have, of one of several kinds that of the kind.</summary>
    private static IEnumerable<string> OptionsOf(JsonTypeInfo info) =>
        info.PolymorphismOptions is { } kinds ? [kinds.TypeDiscriminatorPropertyName]
            : info.Properties.Where(p => p.Set is not null).Select(p => p.Name);

    private static Type? DerivedType(JsonPolymorphismOptions kinds, JsonObject tree, string path, Findings found)
    {
        string key = kinds.TypeDiscriminatorPropertyName;
        string? name = tree[key] is JsonValue value && value.TryGetValue(out string? given) ? given : null;
        foreach (JsonDerivedType kind in kinds.DerivedTypes)
            if (name is not null && name.Equals(kind.TypeDiscriminator as string, StringComparison.Ordinal))
                return kind.DerivedType;

        string known = string.Join(", ", kinds.DerivedTypes.Select(kind => kind.TypeDiscriminator));
        found.Add(new Fault(Join(path, key), name is "" ? $"has no value; give one of: {known}"
            : $"{(tree[key] is { } wrong ? Show(wrong) : "nothing")} is none of: {known}"
                + (name is null ? "" : Nearest.Question(name, kinds.DerivedTypes.Select(kind => (string)kind.TypeDiscriminator!)))
                + (tree[key] is { } text ? WhyNoJson(text) : "")), null);
        return null;
    }

    private static void CheckProperties(JsonObject tree, JsonTypeInfo info, string path, Findings found)
    {
        JsonPolymorphismOptions? kinds = info.PolymorphismOptions
            ?? (info.Type.BaseType is { } b && b != typeof(object) ? Serializer.GetTypeInfo(b).PolymorphismOptions : null);
        string? discriminator = kinds?.TypeDiscriminatorPropertyName;
        JsonPropertyInfo[] known = [.. info.Properties.Where(p => p.Set is not null)];
        foreach (var (key, value) in tree)
        {
            if (key == discriminator) continue;
            if (known.FirstOrDefault(p => p.Name == key) is { } property)
                CheckNode(value, property.PropertyType, Join(path, key), property.AttributeProvider, tree, found);
            else
            {
                string[] having = [.. (kinds?.DerivedTypes ?? []).Where(k => Serializer.GetTypeInfo(k.DerivedType).Properties
                    .Any(p => p.Set is not null && p.Name == key)).Select(k => $"{k.TypeDiscriminator}")];
                if (having.Length > 0)
                {
                    found.Add(new Fault(Join(path, key), $"there is no such option for {KindIn(tree, kinds!)}, only for "
                        + $"{string.Join(", ", having)}; known here: {string.Join(", ", known.Select(p => p.Name))}"), tree, key);
                    continue;
                }
                if (found.Root.GetCustomAttributes<ExpectedKeysAttribute>()
                    .FirstOrDefault(e => e.Part == path && e.Keys.Contains(key)) is { } expected)
                {
                    found.Add(new Fault(Join(path, key), expected.Advice), tree, key);
                    continue;
                }
                if (key.Contains('.') && known.Any(p => p.Name == key.Split('.')[0]))
                {
                    found.Add(new Fault(Join(path, key), "in a file an object stands for each point: write "
                        + key.Split('.').Reverse()
                            .Aggregate(value?.ToJsonString() ?? "null", (inner, name) => $"{{\"{name}\": {inner}}}")),
                        tree, key);
                    continue;
                }
                if (value is JsonObject inside
                    && inside.Select(p => p.Key).Where(k => known.Any(p => p.Name == k)).ToArray() is { Length: > 0 } deeper)
                {
                    found.Add(new Fault(Join(path, key), $"there is no such option; what is in it, {string.Join(", ", deeper)}, "
                        + $"belongs one level higher: take it out of \"{key}\""), tree, key);
                    continue;
                }
                if (path.Length > 0 && Serializer.GetTypeInfo(found.Root).Properties.Any(p => p.Name == key))
                {
                    found.Add(new Fault(Join(path, key),
                        $"there is no such option; \"{key}\" stands at the top: take it out of \"{path}\""), tree, key);
                    continue;
                }
                string? meant = Nearest.To(key, known.Select(p => p.Name)) is { } near ? Join(path, near)
                    : value is JsonObject ? null : PathTo(found.Root, key);
                found.Add(new Fault(Join(path, key), "there is no such option; "
                    + (meant is null ? "known here: " : $"did you mean {meant}? Known here: ")
                    + string.Join(", ", known.Select(p => p.Name))),
                    tree, key);
            }
        }
    }

    private static string KindIn(JsonObject tree, JsonPolymorphismOptions kinds) =>
        tree[kinds.TypeDiscriminatorPropertyName] is JsonValue value && value.TryGetValue(out string? name) ? name : "it";

    /// <summary>What is wrong with a single value of a tree.</summary>
    private static string[] ProblemsOf(JsonNode node, Type type, ICustomAttributeProvider? declared)
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
    private static IEnumerable<string> ProblemsOf(object value, ICustomAttributeProvider? declared, string shown)
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

    private static string Bounds(RangeAttribute range) =>
        string.Create(CultureInfo.InvariantCulture, $"{range.Minimum:0.##########} to {range.Maximum:0.##########}");

    /// <summary>What to write in place of a value that is none, as the end of a sentence;
    /// empty where that is not known.</summary>
    private static string Mending(JsonNode node, Type type, ICustomAttributeProvider? declared)
    {
        if (node is not JsonValue value) return "";
        if (value.TryGetValue(out string? part)
            && declared?.GetCustomAttributes(typeof(PartOfAttribute), true) is [PartOfAttribute whole]
            && PartOfKind(whole.Document, part) is { } of)
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
    private static string Items(JsonNode node, Type element) =>
        IsNumber(element) && node is JsonValue value && value.TryGetValue(out string? text)
            ? string.Join(',', text.Trim('[', ']', '{', '}', '(', ')', ' ').Split(',')
                .Select(item => item.EndsWith('%') && Numbers.TryReal(item[..^1], out double percent)
                    ? (percent / 100).ToString(CultureInfo.InvariantCulture) : item))
            : Show(node);

    /// <summary>The part of which a name is one of several kinds, such as <c>method</c> for <c>byol</c>;
    /// null where it is none.</summary>
    internal static string? PartOfKind(Type root, string name) => Serializer.GetTypeInfo(root).Properties.FirstOrDefault(p =>
        Serializer.GetTypeInfo(p.PropertyType).PolymorphismOptions
            ?.DerivedTypes.Any(kind => kind.TypeDiscriminator is string own && own == name) == true)?.Name;

    /// <summary>The kinds of a part that have an option which others of its kinds lack, such as <c>moco-v2</c> for
    /// <c>method.queueSize</c>; none for any other path.</summary>
    /// <param name="root">The type of a document, such as a recipe's.</param>
    /// <param name="path">Of a part and its option.</param>
    internal static string[] KindsWith(Type root, string path) =>
        path.Split('.') is [var part, var option]
            && Serializer.GetTypeInfo(root).Properties.FirstOrDefault(p => p.Name == part) is { } property
            && Serializer.GetTypeInfo(property.PropertyType).PolymorphismOptions is { } kinds
            ? [.. kinds.DerivedTypes.Where(kind => Serializer.GetTypeInfo(kind.DerivedType).Properties
                .Any(p => p.Set is not null && p.Name == option)).Select(kind => $"{kind.TypeDiscriminator}")]
            : [];

    /// <summary>What options are called in other tools.</summary>
    private static readonly Dictionary<string, string> s_usualNames =
        new() { ["lr"] = "learningRate", ["wd"] = "weightDecay", ["bs"] = "batchSize" };

    /// <summary>The path of an option that is called so, or nearly so, somewhere in the options of a type;
    /// null where there is none.</summary>
    /// <param name="root">The type of a document, such as a recipe's.</param>
    /// <param name="name">The last part of a path, such as <c>epochs</c>.</param>
    internal static string? PathTo(Type root, string name)
    {
        var paths = new Dictionary<string, string>();
        Collect(Serializer.GetTypeInfo(root), "");
        return Nearest.To(s_usualNames.GetValueOrDefault(name.ToLowerInvariant(), name), paths.Keys) is { } near
            ? paths[near] : null;

        void Collect(JsonTypeInfo info, string path)
        {
            JsonTypeInfo[] kinds = info.PolymorphismOptions is { } options
                ? [.. options.DerivedTypes.Select(k => Serializer.GetTypeInfo(k.DerivedType))] : [info];
            foreach (JsonPropertyInfo property in kinds.SelectMany(k => k.Properties).Where(p => p.Set is not null))
            {
                string at = Join(path, property.Name);
                JsonTypeInfo inner = Serializer.GetTypeInfo(property.PropertyType);
                if (inner.Kind == JsonTypeInfoKind.Enumerable
                    && Serializer.GetTypeInfo(inner.ElementType!).Kind == JsonTypeInfoKind.Object)
                    Collect(Serializer.GetTypeInfo(inner.ElementType!), Join(at, "0"));
                else if (inner.Kind == JsonTypeInfoKind.Object && inner.Type != typeof(JsonObject)) Collect(inner, at);
                else paths.TryAdd(property.Name, at);
            }
        }
    }

    private static string Wanted(Type type, ICustomAttributeProvider? declared) => type switch
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

    /// <summary>Checks every value of a record, and of the records in it, as <see cref="CheckNode"/> does in a tree.</summary>
    private static void CheckObject(object? value, string path, ICustomAttributeProvider? declared, List<Fault> faults)
    {
        if (value is null)
        {
            faults.Add(new Fault(path, NoNull));
            return;
        }
        JsonTypeInfo info = Serializer.GetTypeInfo(value.GetType());
        switch (info.Kind)
        {
            case JsonTypeInfoKind.Object:
                foreach (JsonPropertyInfo property in info.Properties.Where(p => p.Get is not null && p.Set is not null))
                    CheckObject(property.Get!(value), Join(path, property.Name), property.AttributeProvider, faults);
                break;
            case JsonTypeInfoKind.Enumerable:
                foreach (var (i, item) in ((System.Collections.IEnumerable)value).Cast<object?>().Index())
                    CheckObject(item, Join(path, $"{i}"), declared, faults);
                break;
            default:
                faults.AddRange(
                    ProblemsOf(value, declared, JsonSerializer.Serialize(value, value.GetType(), s_anyNumber).Trim('"'))
                        .Select(problem => new Fault(path, problem)));
                break;
        }
    }

    /// <summary>Asks every options record in the tree for its own rules.</summary>
    private static void CheckRules(object options, string path, List<Fault> faults)
    {
        if (options is IHasRules rules)
            faults.AddRange(rules.Faults().Select(f => new Fault(Join(path, f.Path), f.Problem)));
        JsonTypeInfo info = Serializer.GetTypeInfo(options.GetType());
        if (info.Kind == JsonTypeInfoKind.Enumerable && options is System.Collections.IEnumerable items)
        {
            int i = 0;
            foreach (object item in items) CheckRules(item, Join(path, $"{i++}"), faults);
        }
        if (info.Kind != JsonTypeInfoKind.Object) return;
        foreach (JsonPropertyInfo property in info.Properties)
            if (property.Get?.Invoke(options) is { } value) CheckRules(value, Join(path, property.Name), faults);
    }

    private static string Show(JsonNode node) =>
        node.ToJsonString() is { Length: > 60 } text ? text[..60] + "..." : node.ToJsonString();

    private static string Join(string path, string key) => path.Length == 0 ? key : key.Length == 0 ? path : $"{path}.{key}";
}

using System.Globalization;
using System.Text.Json;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Views;

namespace SiamSharp;

/// <summary>What stands beside the tensors of a file of ours; any fault of it is a <see cref="RunException"/> that
/// names file and key.</summary>
internal sealed class FileMetadata(string path, IReadOnlyDictionary<string, string> values)
{
    /// <summary>What <c>format</c> says in an encoder's file, and in a classifier's.</summary>
    public const string EncoderFormat = "siamsharp-encoder-1", ClassifierFormat = "siamsharp-classifier-1";

    public string Path => path;

    /// <summary>Whether a file is a classifier.</summary>
    public static bool IsClassifier(string path)
    {
        try
        {
            return SafeTensors.ReadMetadata(path).GetValueOrDefault("format") == ClassifierFormat;
        }
        catch (Exception e) when (e is SafeTensorsException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Whether there is such an entry.</summary>
    public bool Has(string key) => values.ContainsKey(key);

    /// <summary>A whole number from 1 to <paramref name="most"/>.</summary>
    public int Count(string key, int most) => (int)Count(key, 1, most);

    /// <summary>A whole number from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public long Count(string key, long least, long most) => Read(key, text =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long n) && n >= least && n <= most
            ? n
            : throw new FormatException(
                $"is {Shown(text)}, but must be a whole number from {least}{(most < int.MaxValue ? $" to {most}" : "")}"));

    /// <summary>A finite number.</summary>
    public double Number(string key) => Number(key, double.MinValue, double.MaxValue);

    /// <summary>A number from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public double Number(string key, double least, double most) => Read(key, text =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double x) && x >= least && x <= most
            ? x
            : throw new FormatException($"is {Shown(text)}, but must be "
                + (least == double.MinValue ? "finite"
                    : string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most}"))));

    /// <summary>Any text.</summary>
    public string Text(string key) => Read(key, text => text);

    /// <summary>32 hexadecimal digits.</summary>
    public string Hash(string key) => Read(key, text => text.Length == 32 && text.All(char.IsAsciiHexDigitLower)
        ? text
        : throw new FormatException($"is {Shown(text)}, but must be a hash of 32 digits"));

    /// <summary>Names.</summary>
    public string[] Names(string key) =>
        Read(key, text => JsonSerializer.Deserialize<string[]>(text) is string[] names && names.All(name => name is not null)
            ? names
            : throw new FormatException("must be a list of names"));

    /// <summary>What images go through; of this kind where it is known.</summary>
    public Preprocessing Preprocessing(int? channelsKnown = null, int size = int.MaxValue)
    {
        const string key = "preprocessing";
        var read = Options<Preprocessing>(key);
        int channels = channelsKnown ?? Math.Max(1, read.Std?.Count ?? 1);
        string? problem = read switch
        {
            { HighPass: null } or { Mean: null } or { Std: null } or { ConstantChannels: null } =>
                "must have highPass, mean, std and constantChannels",
            _ when read.Mean.Count != channels || read.Std.Count != channels => $"has {Plural.Of(read.Mean.Count, "mean")} and "
                + $"{Plural.Of(read.Std.Count, "deviation")} for {Plural.Of(channels, "channel")}",
            _ when !read.Mean.All(double.IsFinite) || !read.Std.All(s => double.IsFinite(s) && s > 0) =>
                "has a mean that is not finite, or a deviation that is not above 0",
            _ when read.ConstantChannels.Any(c => c < 0 || c >= channels) =>
                $"names a constant channel outside of 0 to {channels - 1}",
            _ when read.HighPass.Sigma > 0 && read.HighPass.Kernel / 2 >= size =>
                $"has a kernel of {read.HighPass.Kernel} pixels, too wide for images of {size}",
            _ => null,
        };
        return problem is null ? read : throw Fault($"\"{key}\" in its metadata {problem}");
    }

    /// <summary>Options, which follow their rules.</summary>
    public T Options<T>(string key) where T : class => Read(key, text => OptionsJson.Read<T>(OptionsJson.Parse(text, key)));

    public RunException Fault(string problem) =>
        new($"{path} is damaged: {problem}. Copy it again from where it was made, or make it again.");

    private T Read<T>(string key, Func<string, T> read)
    {
        if (!values.TryGetValue(key, out string? text)) throw Fault($"\"{key}\" is missing in its metadata");
        try { return read(text); }
        catch (Exception fault) when (fault is FormatException or OverflowException or JsonException or OptionsException
            or InvalidOperationException or ArgumentException)
        {
            throw Fault($"\"{key}\" in its metadata: {fault.Message.ReplaceLineEndings(" ").TrimEnd('.')}");
        }
    }

    // control characters escaped
    private static string Shown(string text) => JsonSerializer.Serialize(text.Length > 40 ? text[..40] + "..." : text)[1..^1];
}

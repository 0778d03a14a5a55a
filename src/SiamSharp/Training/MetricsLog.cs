using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using SiamSharp.Files;

namespace SiamSharp.Training;

/// <summary>Appends lines to metrics.jsonl; goes back to a known length when a run is resumed.</summary>
internal sealed class MetricsLog : IDisposable
{
    private static readonly string[] s_needed = ["step", "loss"];

    private readonly string _path;
    private readonly FileStream _file;
    private readonly XxHash128 _hash = new();

    /// <summary>Opens the log and cuts it to what it held at the checkpoint.</summary>
    /// <param name="path">metrics.jsonl; need not be there.</param>
    /// <param name="length">Its bytes at the checkpoint; 0 at a run's beginning.</param>
    /// <param name="hash">Their hash; null where it is not known.</param>
    /// <param name="notes">Told what is missing or changed: the run goes on without it.</param>
    /// <exception cref="RunException">The file cannot be written.</exception>
    internal MetricsLog(string path, long length, string? hash, IProgress<string>? notes)
    {
        _path = path;
        FileStream? file = null;
        FileWriting.Writing(path, () =>
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
            long found = file.Length;
            byte[] kept = new byte[Math.Min(found, length)];
            file.ReadExactly(kept);
            if (found < length)
            {
                kept = kept[..(kept.AsSpan().LastIndexOf((byte)'\n') + 1)]; // the last line may be cut
                notes?.Report($"{path} {(found == 0 ? "is missing or empty" : $"has {found} bytes of {length}")}: "
                    + "the lines that are lost stay so, and the run goes on without them.");
            }
            // another file, whose line would be cut
            if (found >= length && kept is [.., not (byte)'\n']) kept = kept[..(kept.AsSpan().LastIndexOf((byte)'\n') + 1)];
            _hash.Append(kept);
            if (found >= length && hash is not null && hash != Hash)
                notes?.Report($"{path} was changed or damaged since the run wrote it. The run goes on; "
                    + "its earlier lines are not to be trusted.");
            file.SetLength(kept.Length);
            file.Seek(0, SeekOrigin.End);
        });
        _file = file!;
    }

    /// <summary>Bytes written so far, all on disk after <see cref="Flush"/>.</summary>
    internal long Length => _file.Position;

    /// <summary>XxHash128 of those.</summary>
    internal string Hash => FileHash.DigitsOf(_hash);

    /// <summary>Appends one line of numbers, in full precision.</summary>
    /// <exception cref="RunException">The disk is full.</exception>
    internal void Write(
        long step, int epoch, double learningRate, double gradientNorm, double loss,
        IEnumerable<(string Name, double Value)> terms)
    {
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture,
            $"{{\"step\":{step},\"epoch\":{epoch},\"lr\":{learningRate:R},\"grad_norm\":{gradientNorm:R},\"loss\":{loss:R}");
        foreach (var (name, value) in terms.Where(t => double.IsFinite(t.Value)))
            line.Append(CultureInfo.InvariantCulture, $",\"{name}\":{value:R}");
        byte[] bytes = Encoding.UTF8.GetBytes(line.Append("}\n").ToString());
        FileWriting.Writing(_path, () => _file.Write(bytes));
        _hash.Append(bytes);
    }

    internal void Flush() => FileWriting.Writing(_path, () => _file.Flush(flushToDisk: true));

    public void Dispose() => _file.Dispose();

    /// <summary>The lines of a log: each an object of numbers, with step and loss among them.</summary>
    /// <param name="path">metrics.jsonl; none where it is not there.</param>
    /// <returns>The lines that are right, and a sentence on each that is not; a last line that was cut is
    /// left out without one.</returns>
    internal static (IReadOnlyList<JsonObject> Lines, IReadOnlyList<string> Problems) Read(string path)
    {
        if (!File.Exists(path)) return ([], []);
        var (lines, problems) = (new List<JsonObject>(), new List<string>());
        string[] texts = RegularFile.ReadAllText(path).Split('\n');
        foreach (var (number, text) in texts.Index())
        {
            if (text.Length == 0 && number == texts.Length - 1) continue;
            string? problem = Parse(text, out JsonObject line);
            if (problem is null) lines.Add(line);
            else if (number < texts.Length - 1) problems.Add($"{path}, line {number + 1}, is left out: {problem}.");
        }
        return (lines, problems);
    }

    private static string? Parse(string text, out JsonObject line)
    {
        line = [];
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object) return "it is no JSON object";
            foreach (JsonProperty item in document.RootElement.EnumerateObject())
            {
                if (item.Value.ValueKind != JsonValueKind.Number
                    || !item.Value.TryGetDouble(out double value) || !double.IsFinite(value))
                    return $"\"{item.Name}\" is no number";
                line[item.Name] = value;
            }
            return s_needed.FirstOrDefault(name => !document.RootElement.TryGetProperty(name, out _)) is { } missing
                ? $"it has no \"{missing}\"" : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            return "it is no JSON";
        }
    }
}

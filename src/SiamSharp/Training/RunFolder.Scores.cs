using System.Text.Json;
using System.Text.Json.Nodes;
using SiamSharp.Evaluation;
using SiamSharp.Files;
using SiamSharp.Options;

namespace SiamSharp.Training;

// What a run measured and what is said of it: metrics, scores, confusions, notes.
public sealed partial class RunFolder
{
    /// <summary>What is wrong with metrics.jsonl, in whole sentences: lines that are no numbers of a run, or bytes that are not
    /// those that it wrote.</summary>
    /// <returns>Nothing where all is well, or where only the last line was cut.</returns>
    public IReadOnlyList<string> MetricsProblems()
    {
        IReadOnlyList<string> lines = MetricsLog.Read(MetricsPath).Problems;
        if (lines.Count > 0)
            return [.. lines.SkipLast(1), $"{lines[^1]} Remove {(lines.Count == 1 ? "that line" : "those lines")}, "
                + "or put a copy of the file back; all others are shown."];
        return MetricsFault() is { } fault ? [fault] : [];
    }

    /// <summary>That metrics.jsonl does not hold the bytes that the run wrote, in whole sentences; null where it does,
    /// or where no checkpoint tells.</summary>
    internal string? MetricsFault()
    {
        try
        {
            if (SavedRun.Find(this) is not { } saved) return null;
            byte[] bytes = File.Exists(MetricsPath) ? RegularFile.ReadAllBytes(MetricsPath) : [];
            if (bytes.Length < saved.MetricsLength)
                return $"{MetricsPath} "
                    + (bytes.Length == 0 ? "is missing or empty" : $"has {bytes.Length} bytes, "
                        + $"and the run wrote {saved.MetricsLength}: it was cut short, or is of another run") + ". "
                    + "What it lacks cannot be shown. Put a copy of the file back where there is one; else it is lost; "
                    + "a new run in another folder writes one of its own.";
            return saved.Wrote(bytes)
                ? null
                : $"{MetricsPath} was changed or damaged since the run wrote it: its numbers are not to be trusted. "
                    + "Put a copy of the file back where there is one.";
        }
        catch (RunException)
        {
            return null; // no checkpoint to compare with
        }
    }

    /// <summary>The scores stored so far; empty when there are none.</summary>
    /// <exception cref="RunException">evaluation.json is damaged.</exception>
    public IReadOnlyList<Score> ReadScores()
    {
        if (!File.Exists(EvaluationPath)) return [];
        return Score.Read(EvaluationPath) ?? throw new RunException($"{EvaluationPath} was changed or damaged since it was "
            + "written, or is no list of scores. Delete it and judge the run again with `siam evaluate`.");
    }

    /// <summary>Scores that say they are of another encoder than the one in this folder.</summary>
    internal IEnumerable<Score> ForeignScores(IReadOnlyList<Score> scores)
    {
        if (!File.Exists(EncoderPath) || scores.All(s => s.EncoderHash is null)) return [];
        try
        {
            using Encoder own = LoadEncoder();
            string hash = own.ContentHash();
            return [.. scores.Where(s => s.EncoderHash is { } other && other != hash)];
        }
        catch (SafeTensorsException)
        {
            return []; // told by whoever needs the encoder
        }
    }

    /// <summary>Where <see cref="AddScores"/> puts an evaluation.json that is damaged.</summary>
    internal string DamagedEvaluationPath => EvaluationPath + ".damaged";

    /// <summary>Files beside the recipe, the metrics and the scores that are there and cannot be read: a sentence each,
    /// which says what that means.</summary>
    internal IEnumerable<string> UnreadableFiles()
    {
        if (ReadNotesFile() is null)
            yield return $"{NotesPath} cannot be read: the report leaves out what was worth knowing of the images. "
                + "`siam data inspect` says it again.";
        if (File.Exists(ImageCountsPath) && ReportedImages.Read(this) is null)
            yield return $"{ImageCountsPath} cannot be read: the report leaves out which images the run learned from.";
        if (File.Exists(EvaluationPath) && Score.Read(EvaluationPath) is { } scores && ForeignScores(scores).Any())
            yield return $"{EvaluationPath} holds scores of another encoder than {EncoderPath}: the report leaves them out. "
                + "Judge this one with `siam evaluate`, or put the files back that belong together.";
        string? start = null;
        try
        {
            FirstWeights.Read(this);
        }
        catch (RunException e)
        {
            start = e.Message;
        }
        if (start is not null) yield return start;
    }

    /// <summary>The notes on the images; empty where there are none, as in runs of earlier versions.</summary>
    public IReadOnlyList<string> ReadNotes() => ReadNotesFile() ?? []; // nothing is lost: `siam data inspect` says it again

    private List<string>? ReadNotesFile()
    {
        try
        {
            return !File.Exists(NotesPath) ? []
                : JsonSerializer.Deserialize<List<string>>(RegularFile.ReadAllText(NotesPath)) is { } notes
                    && notes.All(note => note is not null)
                ? notes : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Keeps the notes on the images, whole or not at all.</summary>
    public void WriteNotes(IReadOnlyList<string> notes) =>
        FileWriting.WriteText(NotesPath, JsonSerializer.Serialize(notes, OptionsJson.Serializer) + "\n");

    /// <summary>Adds scores to evaluation.json; a score measured again replaces the old one. A file that is damaged is kept as
    /// <c>evaluation.json.damaged</c>, and a new one begun.</summary>
    public void AddScores(IReadOnlyList<Score> scores)
    {
        // Versions before called the row of a run's start "untrained", whatever it started from.
        static object Key(Score s) => (s.Protocol, s.Encoder == "start" ? "untrained" : s.Encoder, s.Metric, s.K, s.Shots,
            s.Fraction, s.Corruption, s.Seed, s.DataHash);
        var added = scores.Select(Key).ToHashSet();
        if (File.Exists(EvaluationPath) && Score.Read(EvaluationPath) is null)
            FileWriting.Writing(DamagedEvaluationPath, () => File.Move(EvaluationPath, DamagedEvaluationPath, overwrite: true));
        WriteScores(EvaluationPath, [.. ReadScores().Where(s => !added.Contains(Key(s))), .. scores]);
    }

    /// <summary>Writes scores as a file of their own, each with its hash.</summary>
    internal static void WriteScores(string path, IEnumerable<Score> scores) =>
        FileWriting.WriteText(path,
            new JsonArray([.. scores.Select(s => s.ToSealedJson())]).ToJsonString(OptionsJson.Serializer) + "\n");

    /// <summary>Those files; not those of a shorter run, which have its epochs in their names.</summary>
    internal IReadOnlyList<string> ConfusionPaths =>
        !Directory.Exists(Path) ? [] : [.. Directory.GetFiles(Path, "confusion-*.csv")
            .Where(file => !System.IO.Path.GetFileNameWithoutExtension(file).Contains('.')).Order(StringComparer.Ordinal)];

    /// <summary>Writes what the pretrained encoder took for what: <c>confusion-knn.csv</c> and the like.</summary>
    /// <returns>The files.</returns>
    public IReadOnlyList<string> WriteConfusions(IReadOnlyList<Confusion> confusions) =>
        [.. confusions.Where(c => c.Encoder == "pretrained").Select(c =>
        {
            string file = In($"confusion-{c.Protocol}.csv");
            FileWriting.WriteText(file, c.ToCsv());
            return file;
        })];
}

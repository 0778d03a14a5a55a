using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using SiamSharp.Evaluation;
using SiamSharp.Recipes;

namespace SiamSharp.Training;

/// <summary>A folder with everything of one run.</summary>
/// <param name="path">The folder; it need not exist yet.</param>
public sealed class RunFolder(string path)
{
    /// <summary>The folder itself.</summary>
    public string Path { get; } = System.IO.Path.GetFullPath(path);

    /// <summary>All options, resolved.</summary>
    public string Recipe => In("recipe.json");

    /// <summary>One line of numbers each few steps; the same for the same recipe, bit by bit.</summary>
    public string Metrics => In("metrics.jsonl");

    /// <summary>Everything needed to go on.</summary>
    public string Checkpoint => In("checkpoint.safetensors");

    /// <summary>The backbone alone, torchvision's keys, preprocessing in the metadata.</summary>
    public string Encoder => In("encoder.safetensors");

    /// <summary>Scores, one object per number.</summary>
    public string Evaluation => In("evaluation.json");

    /// <summary>The images that few-shot classifiers learned from.</summary>
    public string Draws => In("draws.json");

    /// <summary>Files that could not be read, one line each.</summary>
    public string Skipped => In("skipped.jsonl");

    /// <summary>What the user should know of the images, a JSON list of lines: <see cref="Data.ImageDataset.Notes"/>.</summary>
    public string Notes => In("notes.json");

    /// <summary>The page for people.</summary>
    public string Report => In("report.html");

    /// <summary>The part of the page with the map, the neighbours and the spectrum.</summary>
    public string Gallery => In("gallery.html");

    /// <summary>What the network saw.</summary>
    public string Views => In("views.png");

    /// <summary>Loss over steps.</summary>
    public string LossCurve => In("loss.png");

    /// <summary>True when a run was started here.</summary>
    public bool HasRun => File.Exists(Recipe);

    /// <summary>The recipe stored with the run.</summary>
    /// <exception cref="RunException">There is no run here.</exception>
    public JsonObject ReadRecipe() => HasRun
        ? OptionsJson.Parse(File.ReadAllText(Recipe), Recipe)
        : throw new RunException($"{Path} holds no run: recipe.json is missing. Give --run the folder that was --out of `siam pretrain`.");

    /// <summary>The scores stored so far; empty when there are none.</summary>
    public IReadOnlyList<Score> ReadScores() => File.Exists(Evaluation)
        ? JsonSerializer.Deserialize<List<Score>>(File.ReadAllText(Evaluation)) ?? []
        : [];

    /// <summary>The notes on the images; empty where there are none, as in runs of earlier versions.</summary>
    public IReadOnlyList<string> ReadNotes()
    {
        try
        {
            return File.Exists(Notes) ? JsonSerializer.Deserialize<List<string>>(File.ReadAllText(Notes)) ?? [] : [];
        }
        catch (JsonException)
        {
            return []; // nothing is lost: `siam data inspect` says it again
        }
    }

    /// <summary>Keeps the notes on the images, whole or not at all.</summary>
    public void WriteNotes(IReadOnlyList<string> notes) => WriteText(Notes, JsonSerializer.Serialize(notes, OptionsJson.Serializer) + "\n");

    /// <summary>Adds scores to evaluation.json; a score measured again replaces the old one.</summary>
    public void AddScores(IReadOnlyList<Score> scores)
    {
        static object Key(Score s) => (s.Protocol, s.Encoder, s.Metric, s.K, s.Shots, s.Fraction, s.Corruption, s.Seed, s.DataHash);
        var added = scores.Select(Key).ToHashSet();
        WriteText(Evaluation, JsonSerializer.Serialize<List<Score>>([.. ReadScores().Where(s => !added.Contains(Key(s))), .. scores], OptionsJson.Serializer));
    }

    /// <summary>Writes what the pretrained encoder took for what: <c>confusion-knn.csv</c> and the like.</summary>
    /// <returns>The files.</returns>
    public IReadOnlyList<string> WriteConfusions(IReadOnlyList<Confusion> confusions) => [.. confusions.Where(c => c.Encoder == "pretrained").Select(c =>
    {
        string file = In($"confusion-{c.Protocol}.csv");
        WriteText(file, c.ToCsv());
        return file;
    })];

    /// <summary>Makes the folder and proves that it can be written to.</summary>
    /// <exception cref="RunException">It cannot.</exception>
    public void Create()
    {
        try
        {
            Directory.CreateDirectory(Path);
            string probe = In(".writable");
            File.WriteAllText(probe, "");
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunException($"The run folder {Path} cannot be written to ({e.Message.TrimEnd('.')}). Give --out a folder that you may write to.");
        }
    }

    /// <summary>Keeps every other process out of the folder until the result is disposed or this process ends, however it ends.</summary>
    /// <exception cref="RunException">Another process trains in it.</exception>
    internal IDisposable Lock()
    {
        try
        {
            return new FileStream(In(".lock"), FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
        }
        catch (IOException)
        {
            throw new RunException($"Another process is training in {Path}. Wait until it has ended, or choose another --out.");
        }
    }

    /// <summary>Writes a text file whole or not at all: a temporary name, flushed, renamed.</summary>
    /// <exception cref="RunException">The disk is full or the folder cannot be written to.</exception>
    public static void WriteText(string path, string text)
    {
        string partial = path + ".partial";
        Writing(path, () =>
        {
            using (var file = new FileStream(partial, FileMode.Create))
            {
                file.Write(Encoding.UTF8.GetBytes(text));
                file.Flush(flushToDisk: true);
            }
            File.Move(partial, path, overwrite: true);
        });
    }

    /// <summary>Copies the encoder's weights, whole or not at all.</summary>
    /// <param name="path">The new file.</param>
    /// <exception cref="RunException">There is no encoder, or the file cannot be written.</exception>
    public void CopyEncoder(string path)
    {
        SiamSharp.Encoder.Load(Encoder).Dispose(); // refuses what is none
        Writing(path, () =>
        {
            File.Copy(Encoder, path + ".partial", overwrite: true);
            File.Move(path + ".partial", path, overwrite: true);
        });
    }

    /// <summary>Writes a file; a full disk or a lost folder is told as such.</summary>
    /// <exception cref="RunException">The disk is full or the folder cannot be written to.</exception>
    internal static void Writing(string path, Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw RunException.CannotWrite(path, e);
        }
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);
}

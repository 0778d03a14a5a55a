using System.Text.Json;
using System.Text.Json.Nodes;
using SiamSharp.Evaluation;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Recipes;

namespace SiamSharp.Training;

/// <summary>A folder with everything of one run.</summary>
/// <param name="path">The folder; it need not exist yet.</param>
public sealed class RunFolder(string path)
{
    /// <summary>The folder itself.</summary>
    public string Path { get; } = System.IO.Path.GetFullPath(path);

    /// <summary>All options, resolved.</summary>
    public string RecipePath => In("recipe.json");

    /// <summary>One line of numbers each few steps; the same for the same recipe, bit by bit.</summary>
    public string MetricsPath => In("metrics.jsonl");

    /// <summary>Everything needed to go on.</summary>
    public string CheckpointPath => In("checkpoint.safetensors");

    /// <summary>The checkpoint before the last, taken where the last is damaged.</summary>
    public string PreviousCheckpointPath => In("checkpoint.previous.safetensors");

    /// <summary>A checkpoint in the making: it takes the place of the last once it is on the disk.</summary>
    internal string NextCheckpointPath => In("checkpoint.next.safetensors");

    /// <summary>Which images the run began with.</summary>
    internal string ImagesPath => In("images.safetensors");

    /// <summary>The backbone alone, torchvision's keys, preprocessing in the metadata.</summary>
    public string EncoderPath => In("encoder.safetensors");

    /// <summary>Scores, one object per number.</summary>
    public string EvaluationPath => In("evaluation.json");

    /// <summary>The images that few-shot classifiers learned from.</summary>
    public string DrawsPath => In("draws.json");

    /// <summary>The weights that the run began from, with their hash; missing where they were drawn.</summary>
    public string StartPath => In("start.json");

    /// <summary>Files that could not be read, one line each.</summary>
    public string SkippedPath => In("skipped.jsonl");

    /// <summary>What the user should know of the images, a JSON list of lines: <see cref="Data.ImageDataset.Notes"/>.</summary>
    public string NotesPath => In("notes.json");

    /// <summary>The page for people.</summary>
    public string ReportPath => In("report.html");

    /// <summary>What the report says of the images that the run learned from.</summary>
    public string ImageCountsPath => In("images.json");

    /// <summary>A page with the map, the neighbours and the spectrum, which the report holds too.</summary>
    public string GalleryPath => In("gallery.html");

    /// <summary>What the network saw.</summary>
    public string ViewsPath => In("views.png");

    /// <summary>Loss over steps.</summary>
    public string LossCurvePath => In("loss.png");

    /// <summary>True when a run was started here.</summary>
    public bool HasRun => File.Exists(RecipePath) || File.Exists(CheckpointPath) || File.Exists(PreviousCheckpointPath);

    /// <summary>False where recipe.json is all that there is, and names no part of a recipe:
    /// it is another program's, or a person's.</summary>
    internal bool IsOurs
    {
        get
        {
            if (File.Exists(CheckpointPath) || File.Exists(PreviousCheckpointPath) || File.Exists(MetricsPath)
                || File.Exists(EncoderPath))
                return true;
            try
            {
                return OptionsJson.ParseFile(RecipePath).Select(p => p.Key)
                    .Intersect(OptionsJson.Write(new Recipe()).Select(p => p.Key)).Any();
            }
            catch (Exception e) when (e is OptionsException or IOException or UnauthorizedAccessException)
            {
                return true; // damaged, perhaps
            }
        }
    }

    /// <summary>True where recipe.json or a checkpoint says what the run's recipe is.</summary>
    internal bool HasRecipe =>
        File.Exists(CheckpointPath) || File.Exists(PreviousCheckpointPath) || ReadRecipeFile().Recipe is not null;

    /// <summary>Where there is an encoder and no checkpoint, that the run is finished and stays as it
    /// is; otherwise null.</summary>
    internal string? FinishedWithoutCheckpoint => File.Exists(EncoderPath) && !File.Exists(CheckpointPath)
        && !File.Exists(PreviousCheckpointPath)
        ? $"The run in {Path} is finished: its encoder is there. "
            + "Its checkpoint is gone, so that it stays as it is and cannot be trained longer."
        : null;

    /// <summary>That a run has no encoder yet, so that a report shows only what is there, and what to do;
    /// null where it has one.</summary>
    internal string? Unfinished => File.Exists(EncoderPath) ? null : IsFree()
        ? "The run has not finished, or its encoder was removed: "
            + $"this report shows what is there so far. Go on with `{ResumeCommand}`."
        : "Another process is still training this run: this report shows what is there so far. "
            + "Write it again when the run has ended.";

    private bool IsFree()
    {
        try
        {
            CheckFree();
            return true;
        }
        catch (RunException)
        {
            return false;
        }
    }

    /// <summary>Which runs lie in this folder, which holds none itself, as sentences with a space ahead of them;
    /// empty where there are none.</summary>
    internal string RunsInside
    {
        get
        {
            if (!Directory.Exists(Path)) return "";
            string[] inside = [.. Directory.GetDirectories(Path).Order().Where(folder => new RunFolder(folder).HasRun)];
            bool study = File.Exists(In("study.json"));
            return inside.Length == 0 ? study ? " It is the folder of a study of which no run has begun." : ""
                : study ? $" It is the folder of a study: give one of its runs, such as {Shell.PathWord(inside[0])}."
                : inside.Length == 1 ? $" There is one in it: {inside[0]}."
                : $" There are {inside.Length} in it, such as {inside[0]}.";
        }
    }

    /// <summary>The recipe stored with the run: recipe.json, or the checkpoint's where recipe.json is missing,
    /// damaged or another run's.</summary>
    /// <exception cref="RunException">There is no run here, or neither file can be read.</exception>
    public JsonObject ReadRecipe() => ReadRecipe(out _, out _);

    /// <param name="restored">That the checkpoint's recipe was taken and why, without a full stop;
    /// null where recipe.json is right.</param>
    /// <param name="saved">What the checkpoint says; null where there is none that can be read.</param>
    internal JsonObject ReadRecipe(out string? restored, out SavedRun? saved)
    {
        if (!HasRun) throw NoRun();
        var (written, problem) = ReadRecipeFile();
        try
        {
            saved = SavedRun.Find(this);
        }
        catch (RunException) when (written is not null)
        {
            saved = null;
        }
        restored = null;
        if (saved is null)
            return written ?? throw new RunException(
                $"{RecipePath} {problem}, and there is no checkpoint to take the recipe from. Start anew in another folder.");
        if (written is not null)
        {
            Fault[] changes = Pretraining.DifferencesOf(saved.Recipe, SiamSharp.Recipes.Recipe.Reread(written, []));
            if (changes.Length == 0) return written;
            problem = "was changed since the run began "
                + "(" + string.Join("; ", changes.Select(c =>
                    $"{c.Path}: {c.Problem.Replace("asked for is", "recipe.json says", StringComparison.Ordinal)}")) + ")";
        }
        restored = $"{RecipePath} {problem}: the recipe in the run's checkpoint is taken";
        return saved.Recipe;
    }

    private RunException NoRun()
    {
        const string Rule = "Give the folder that was --out of `siam pretrain`.";
        if (File.Exists(In("table.json")) && !File.Exists(In("study.json")))
            return new($"{Path} holds the table of a study, but not its study.json. "
                + "Give the folder that was --out of `siam study`, or copy study.json there too.");
        if (Directory.Exists(Path)) return new($"{Path} holds no run: recipe.json is missing. {Rule}{RunsInside}");
        if (File.Exists(Path))
            return new($"{Path} is a file, not the folder of a run. "
                + (System.IO.Path.GetDirectoryName(Path) is { } parent && new RunFolder(parent).HasRun
                    ? $"Give its folder, {parent}." : Rule));
        if (path.Split(',') is { Length: > 1 } several && several.All(Directory.Exists))
            return new($"{path} are {several.Length} runs, and one is taken at a time. `siam study` compares recipes.");
        return new($"There is no folder {Path}. {Rule}{Nearest.Path(path)}");
    }

    /// <summary>What recipe.json says; null where it is missing or damaged.</summary>
    internal JsonObject? WrittenRecipe => ReadRecipeFile().Recipe;

    private (JsonObject? Recipe, string Problem) ReadRecipeFile()
    {
        if (!File.Exists(RecipePath)) return (null, "is missing");
        try
        {
            JsonObject written = OptionsJson.ParseFile(RecipePath);
            OptionsJson.Read<Recipe>(written);
            return (written, "");
        }
        catch (Exception e) when (e is OptionsException or JsonException or InvalidOperationException or ArgumentException)
        {
            string fault = e is OptionsException { Faults: [var first, ..] }
                ? $"{(first.Path == RecipePath ? "" : $"{first.Path}: ")}{first.Problem}" : e.Message;
            return (null, $"is damaged ({fault.ReplaceLineEndings(" ").TrimEnd('.')})");
        }
    }

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

    /// <summary>The run's encoder.</summary>
    /// <param name="recipe">Of the run.</param>
    /// <param name="notes">Told where the recipe was taken from the checkpoint.</param>
    /// <exception cref="RunException">There is none, or it is not that of the recipe and the checkpoint.</exception>
    internal Encoder ReadEncoder(out JsonObject recipe, IProgress<string> notes)
    {
        recipe = ReadRecipe(out string? restored, out SavedRun? saved);
        if (restored is not null) notes.Report($"{restored}.");
        Encoder encoder;
        try
        {
            encoder = LoadEncoder();
        }
        catch (SafeTensorsException e) when (saved is not null)
        {
            throw new RunException(
                $"{e.Message.TrimEnd('.')}"
                    + (e.Message.Contains("opy it again", StringComparison.Ordinal) ? ", or have it" : ". Have it") + " "
                    + $"written anew from the run's checkpoint: `{ResumeCommand}`.");
        }
        if (saved is null || FirstDifference(encoder, SiamSharp.Recipes.Recipe.Reread(recipe, []), saved) is not { } different)
            return encoder;
        encoder.Dispose();
        throw new RunException($"{EncoderPath} is not the encoder of this run, which has another {different} by its checkpoint. "
            + $"`{ResumeCommand}` writes the run's own again from its checkpoint; or use the folder that this one comes from.");
    }

    /// <summary>The encoder of a finished run.</summary>
    /// <returns>Owned by the caller.</returns>
    /// <exception cref="RunException">There is none, or the file is no encoder.</exception>
    public Encoder LoadEncoder()
    {
        if (File.Exists(Path))
            throw new RunException($"{Path} is a file, but a folder is wanted: give the folder that was --out of `siam pretrain`."
                + (FileMetadata.IsClassifier(Path)
                    ? " This one is a classifier, which goes with --classifier of `siam export onnx` and "
                        + "--model of `siam classify predict`." : ""));
        if (!Directory.Exists(Path))
            throw new RunException($"There is no folder {Path}: give the folder that was --out of `siam pretrain`.");
        if (!File.Exists(EncoderPath))
            throw new RunException($"{EncoderPath} is missing: " + (IsTraining
                ? "the run is still being trained by another process, which writes it at its end."
                : HasRun
                ? $"the run has not finished, or the file was removed. Go on with `{ResumeCommand}`, which writes it at its end."
                : $"give the folder of a finished run.{RunsInside}"));
        return SiamSharp.Encoder.Load(EncoderPath);
    }

    /// <summary>The first that tells an encoder from that of a run; the weights are not compared.</summary>
    private static string? FirstDifference(Encoder encoder, Recipe recipe, SavedRun saved) =>
        encoder.Options is { } network && OptionTree.Differences(OptionsJson.Write(recipe.Backbone with { Weights = "" }),
            OptionsJson.Write(network with { Weights = "" })) is [var first, ..]
            ? $"network (backbone.{first.Path})"
            : recipe.Data.Size > 0 && encoder.Size != recipe.Data.Size ? "image size"
            : recipe.Data.Channels > 0 && encoder.Channels != recipe.Data.Channels ? "number of channels"
            : encoder.RunRecipe is { } text && Pretraining.DifferencesOf(OptionsJson.Parse(text, "its recipe"), recipe with
            {
                Backbone = recipe.Backbone with { Weights = "" }
            }) is [var other, ..] ? other.Path
            : saved.Preprocessing is { } measured
                && !JsonNode.DeepEquals(OptionsJson.Write(measured), OptionsJson.Write(encoder.Preprocessing))
            ? "preprocessing (mean and deviation of its images)"
            : null;

    /// <summary>The command that goes on with the run; IMAGES where it is not known what they were called.</summary>
    internal string ResumeCommand => "siam pretrain --data "
        + ((RunImages.NameIn(this) ?? ReportedImages.Read(this)?.Name) is { Length: > 0 } name ? Shell.Word(name) : "IMAGES")
        + " "
        + $"--out {Shell.PathWord(Path)} --resume";

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
            throw new RunException($"The run folder {Path} cannot be written "
                + "to" + (e is PathTooLongException || e.Message.Contains("too long", StringComparison.Ordinal)
                    ? ". Give --out a shorter name: one name has 255 bytes at most."
                    : e is DirectoryNotFoundException or FileNotFoundException ? ". Give --out a folder that you may write to."
                    : $" ({e.Message.TrimEnd('.')}). Give --out a folder that you may write to."));
        }
    }

    /// <summary>Whether a process trains in it now.</summary>
    internal bool IsTraining
    {
        get
        {
            try
            {
                using var free = new FileStream(In(".lock"), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
                return false;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return e.HResult is Busy or BusyOnWindows;
            }
        }
    }

    /// <summary>Keeps every other process out of the folder until the result is disposed or this process
    /// ends, however it ends.</summary>
    /// <remarks>
    /// The file stays: were it deleted at the end, a process that waits with the old file and one that makes
    /// a new one would both get in.
    /// </remarks>
    /// <exception cref="RunException">Another process trains in it, or the folder cannot be written to.</exception>
    internal IDisposable Lock()
    {
        try
        {
            return new FileStream(In(".lock"), FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 0);
        }
        catch (IOException e) when (e.HResult is Busy or BusyOnWindows)
        {
            throw new RunException($"Another process is training in {Path}. Wait until it has ended, or choose another --out.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw RunException.CannotWrite(In(".lock"), e);
        }
    }

    private const int Busy = 11, BusyOnWindows = unchecked((int)0x80070020); // EWOULDBLOCK, ERROR_SHARING_VIOLATION

    /// <summary>Refuses a folder in which another process trains.</summary>
    /// <exception cref="RunException">One does.</exception>
    internal void CheckFree()
    {
        if (File.Exists(In(".lock"))) Lock().Dispose();
    }

    /// <summary>Copies the encoder's weights, whole or not at all.</summary>
    /// <param name="path">The new file.</param>
    /// <exception cref="RunException">There is no encoder, or the file cannot be written.</exception>
    public void CopyEncoder(string path)
    {
        LoadEncoder().Dispose(); // refuses what is none
        FileWriting.Replacing(path, partial => File.Copy(EncoderPath, partial, overwrite: true));
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);
}

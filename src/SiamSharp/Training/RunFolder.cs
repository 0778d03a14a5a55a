using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Recipes;

namespace SiamSharp.Training;

/// <summary>A folder with everything of one run.</summary>
/// <param name="path">The folder; it need not exist yet.</param>
public sealed partial class RunFolder(string path)
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

    private string In(string name) => System.IO.Path.Combine(Path, name);
}

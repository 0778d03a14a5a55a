using System.Text.Json.Nodes;
using SiamSharp.Files;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Views;

namespace SiamSharp.Training;

/// <summary>What the newest checkpoint that is whole says of its run.</summary>
internal sealed record SavedRun
{
    /// <summary>The file.</summary>
    public required string Path { get; init; }

    /// <summary>Why it is the checkpoint before the last; null where it is the last.</summary>
    public string? Instead { get; init; }

    /// <summary>Steps done.</summary>
    public required long Step { get; init; }

    /// <summary>The run's recipe.</summary>
    public required JsonObject Recipe { get; init; }

    /// <summary>Of the images that the run began with.</summary>
    public required string DataHash { get; init; }

    /// <summary>How many these are; null in files of older versions.</summary>
    public int? Images { get; init; }

    /// <summary>Bytes of metrics.jsonl that belong to it.</summary>
    public required long MetricsLength { get; init; }

    /// <summary>The hash of those; null in files of older versions.</summary>
    public string? MetricsHash { get; init; }

    /// <summary>As measured when the run began; null in files of older versions.</summary>
    public Preprocessing? Preprocessing { get; init; }

    /// <summary>The length of the encoder's weights when the run began; null in files of older versions.</summary>
    public double? LengthAtStart { get; init; }

    /// <summary>Steps of the whole run by its own recipe; null where the number of images is not known.</summary>
    public long? Steps(Recipe recipe) =>
        Images is int images ? (long)recipe.Training.Epochs * (images / recipe.Training.BatchSize) : null;

    /// <summary>Whether a metrics.jsonl begins with the bytes that belong to this checkpoint.</summary>
    public bool Wrote(ReadOnlySpan<byte> log) =>
        log.Length >= MetricsLength && (MetricsHash is null || FileHash.Of(log[..(int)MetricsLength]) == MetricsHash);

    /// <summary>Looks for the last checkpoint, and for the one before where that is damaged or missing.</summary>
    /// <returns>Null where there is neither.</returns>
    /// <exception cref="RunException">Each that is there is damaged, or of a version that cannot be read.</exception>
    public static SavedRun? Find(RunFolder folder)
    {
        string? damage = null;
        foreach (string path in new[] { folder.CheckpointPath, folder.PreviousCheckpointPath }.Where(File.Exists))
        {
            bool isPrevious = path == folder.PreviousCheckpointPath;
            try
            {
                SavedRun saved = Of(path, SafeTensors.ReadMetadata(path));
                if (IsOfAnother(folder, saved))
                    throw new RunException($"{path} is of another run, it seems: neither recipe.json nor metrics.jsonl fits it. "
                        + "Put back the files that belong together; where it is the right one after all, remove recipe.json.");
                return isPrevious ? saved with { Instead = damage ?? $"{folder.CheckpointPath} is missing" } : saved;
            }
            catch (Exception e) when (e is SafeTensorsException or RunException)
            {
                string found = e.Message.TrimEnd('.');
                damage = damage is null ? found : $"{damage}. {found}";
            }
        }
        return damage is null ? null
            : throw new RunException($"{damage}. There is no other checkpoint to go on from. " + (File.Exists(folder.EncoderPath)
                ? "The run is finished and its encoder is there, so that `siam evaluate` and all others work with it; "
                    + "to train it longer, put a copy of the checkpoint back."
                : $"Start anew in another folder; what {folder.Path} holds stays as it is."));
    }

    /// <summary>Whether both recipe.json and metrics.jsonl are there and say something else than a checkpoint:
    /// one alone was changed or damaged, perhaps, and is restored.</summary>
    private static bool IsOfAnother(RunFolder folder, SavedRun saved)
    {
        if (saved.MetricsHash is null || folder.WrittenRecipe is not { } written || !File.Exists(folder.MetricsPath))
            return false;
        if (Pretraining.DifferencesOf(saved.Recipe, SiamSharp.Recipes.Recipe.Reread(written, [])).Length == 0) return false;
        byte[] log = RegularFile.ReadAllBytes(folder.MetricsPath);
        return log.Length > 0 && !saved.Wrote(log);
    }

    private static SavedRun Of(string path, IReadOnlyDictionary<string, string> values)
    {
        var metadata = new FileMetadata(path, values);
        if (metadata.Text("format") != Checkpoint.Format)
            throw new RunException($"{path} is no checkpoint that this version can read: its format is {values["format"]}.");
        return new()
        {
            Path = path,
            Step = metadata.Count("step", 0, long.MaxValue),
            Recipe = OptionsJson.Write(metadata.Options<Recipe>("recipe")),
            DataHash = metadata.Hash("dataHash"),
            Images = metadata.Has("images") ? (int)metadata.Count("images", 1, int.MaxValue) : null,
            MetricsLength = metadata.Count("metricsLength", 0, long.MaxValue),
            MetricsHash = metadata.Has("metricsHash") ? metadata.Hash("metricsHash") : null,
            Preprocessing = metadata.Has("preprocessing") ? metadata.Preprocessing() : null,
            LengthAtStart = metadata.Has("lengthAtStart") ? metadata.Number("lengthAtStart") : null,
        };
    }
}

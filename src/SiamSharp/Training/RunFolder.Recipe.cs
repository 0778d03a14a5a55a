using System.Text.Json;
using System.Text.Json.Nodes;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Recipes;

namespace SiamSharp.Training;

// The recipe of a run, and the encoder that it made.
public sealed partial class RunFolder
{
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

    /// <summary>Copies the encoder's weights, whole or not at all.</summary>
    /// <param name="path">The new file.</param>
    /// <exception cref="RunException">There is no encoder, or the file cannot be written.</exception>
    public void CopyEncoder(string path)
    {
        LoadEncoder().Dispose(); // refuses what is none
        FileWriting.Replacing(path, partial => File.Copy(EncoderPath, partial, overwrite: true));
    }
}

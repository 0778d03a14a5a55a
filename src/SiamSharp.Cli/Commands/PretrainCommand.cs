using System.CommandLine;
using System.Text.Json.Nodes;
using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Reporting;
using SiamSharp.Training;

namespace SiamSharp.Cli.Commands;

/// <summary><c>siam pretrain</c>: unlabelled images in, encoder out.</summary>
internal static class PretrainCommand
{
    internal static Command Create(Func<ParseResult, Screen> screenOf)
    {
        Option<string> data = CommonOptions.Data(
            "The images: a folder, a list (.csv or .jsonl), an .npy file, fashion-mnist or cifar10:DIR. "
            + "Labels are ignored (only the framework siamese-pairs uses them).");
        var output = new Option<string>("--out")
        {
            Description = "Folder for the encoder, checkpoints and report. It must be new, except with --resume.",
            HelpName = "DIR",
            Required = true
        };
        Option<string> recipe = CommonOptions.Recipe();
        Option<string[]> set = CommonOptions.Set();
        var resume = new Option<bool>("--resume")
        {
            Description = "Continue the stopped run in --out. With more training.epochs, train a finished run longer."
        };

        var command = new Command("pretrain", "Train an encoder on images without labels.") { data, output, recipe, set, resume };
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Run(
            screenOf(parsed), parsed.GetValue(data)!,
            new RunFolder(Outputs.Folder(parsed.GetValue(output)!, study: false, [parsed.GetValue(data)])),
            parsed.GetValue(recipe), parsed.GetValue(set)!, parsed.GetValue(resume), cancellationToken)));
        return command;
    }

    private static int Run(
        Screen screen, string source, RunFolder folder, string? recipeName, string[] assignments, bool resume,
        CancellationToken cancellationToken)
    {
        // A resumed run starts from its own recipe; what is given again must agree with it.
        JsonObject? stored = resume && folder.HasRun ? folder.ReadRecipe() : null;
        Recipe recipe;
        IImageSource images;
        try
        {
            (recipe, images) = Loading.Open(source, recipeName, assignments, stored);
        }
        catch (OptionsException e) when (stored is not null && (recipeName is not null || assignments.Length > 0))
        {
            throw new OptionsException([new("--resume", $"{folder.Path} holds a run, and what is given does not go with its "
                + $"recipe: leave out {(recipeName is null ? "--set" : "--recipe and --set")}, or give another --out"),
                .. e.Faults]);
        }
        Pretraining.CheckFolder(recipe, folder, resume);
        if (folder.FinishedWithoutCheckpoint is { } finished)
        {
            screen.Warn(finished);
            screen.Result(new { run = folder.Path }, console => console.WriteLine($"Encoder: {folder.EncoderPath}"));
            screen.Next($"siam evaluate all --run {Shell.PathWord(folder.Path)} --train LABELLED#train --test LABELLED#test");
            return 0;
        }
        bool begins = !folder.HasRun;
        if (resume && begins)
            screen.Warn($"There is no run in {folder.Path} yet: "
                + $"starting one.{(Directory.Exists(folder.Path) ? "" : Nearest.Path(folder.Path))}");
        if (begins) Pretraining.CheckSource(recipe, images);
        // Too few for a step: what cannot be read is told first, then how many are left.
        if (begins && images.Count < recipe.Training.BatchSize)
            Pretraining.CheckFits(recipe, Loading.Load(screen, images, recipe.Data, null, cancellationToken));
        folder.Create();
        ImageDataset dataset = Loading.Load(screen, images, recipe.Data, folder, cancellationToken);
        int skipped = dataset.Skipped.Count;
        if (begins)
        {
            Pretraining.CheckFits(recipe, dataset);
            // refused here, not behind the announcement
            if (recipe.Backbone.Weights.Length > 0) recipe.Backbone.Create(dataset.Channels, dataset.Size, seed: 0).Dispose();
            foreach (string note in recipe.NotesFor(dataset.Count, dataset.Size, Environment.ProcessorCount)) screen.Warn(note);
            bool chosen = recipeName is not null || assignments.Any(a => a.StartsWith("backbone", StringComparison.Ordinal)
                || a.StartsWith("method", StringComparison.Ordinal));
            Announcement.Show(screen, recipe, dataset,
                chosen ? null : () => Loading.Open(source, "simclr", assignments).Recipe, cancellationToken);
        }

        PretrainingResult result;
        try
        {
            result = TrainingBar.Show(screen, progress => Pretraining.Run(recipe, dataset, folder, resume, progress,
                notes: screen.Notes, cancellationToken: cancellationToken));
        }
        finally
        {
            Loading.ShowLost(screen, dataset, skipped, folder);
        }
        if (!result.Finished)
        {
            screen.Say($"Interrupted at step {result.Step:N0} of {result.Steps:N0}. Everything is saved; go on with --resume.");
            screen.Next($"siam pretrain --data {Shell.Word(source)} --out {Shell.PathWord(folder.Path)} --resume");
            return 130;
        }
        foreach (string problem in folder.MetricsProblems()) screen.Warn(problem);
        RunHealth? health = RunHealth.Read(folder, recipe);
        bool reported = WriteReport(screen, folder, dataset);
        screen.Result(new
        {
            run = folder.Path,
            steps = result.Steps,
            loss = result.Loss,
            health,
            verdict = health?.Verdict(recipe),
            timing = result.Timing
        }, console =>
        {
            console.WriteLine(result.Loss is double loss
                ? $"Pretrained {Plural.Of(result.Steps, "step")} to a loss of {loss:F3}."
                : $"The run was complete already: {Plural.Of(result.Steps, "step")}.");
            if (health is not null) console.WriteLine(health.Verdict(recipe));
            console.WriteLine($"Encoder: {folder.EncoderPath}");
            if (reported) console.WriteLine($"Report:  {folder.ReportPath}");
        });
        string labelled = dataset.ClassNames is { Count: > 1 } ? Shell.Word(source) : "LABELLED";
        screen.Next($"siam evaluate all --run {Shell.PathWord(folder.Path)} --train {labelled}#train "
            + $"--test {labelled}#test{Shots(dataset)}");
        return 0;
    }

    /// <summary>The run is finished, whether or not its page can be written.</summary>
    private static bool WriteReport(Screen screen, RunFolder folder, ImageDataset images)
    {
        try
        {
            RunReport.Write(folder, images);
            return true;
        }
        catch (Exception e) when (e is RunException or DataSourceException or UnreadableImageException or IOException
            or UnauthorizedAccessException)
        {
            screen.Warn($"The run is finished, but its report could not be written: {e.Message.TrimEnd('.')}. "
                + $"Write it later with `siam report {Shell.PathWord(folder.Path)}`.");
            return false;
        }
    }

    /// <summary>Fewer labels for few-shot where a class has too few images.</summary>
    private static string Shots(ImageDataset data)
    {
        if (data.Labels is null || data.ClassNames is not { Count: > 1 }) return "";
        int fewest = data.Labels.Where(label => label >= 0).CountBy(label => label).Min(c => c.Value) * 4 / 5;
        int[] all = [1, 2, 5, 10, 20], possible = [.. all.Where(shots => shots <= fewest)];
        return possible.Length is 0 || possible.Length == all.Length ? ""
            : $" --set {Shell.Word($"evaluation.shots=[{string.Join(',', possible)}]")}";
    }
}

using System.CommandLine;
using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Reporting;
using SiamSharp.Training;
using Spectre.Console;

namespace SiamSharp.Cli.Commands;

/// <summary><c>siam quickstart</c>: the main job on the images that come with the program.</summary>
internal static class QuickstartCommand
{
    private const int ImagesNext = 1_024;
    // one split for all seeds, so that their scores can be compared
    private const string Train = "fashion-mnist:sample#train", Test = "fashion-mnist:sample#test";

    internal static Command Create(Func<ParseResult, Screen> screenOf)
    {
        var output = new Option<string>("--out")
        {
            Description = "Folder for the run. Without it: runs/quickstart, or runs/quickstart-2 and so on if that exists.",
            HelpName = "DIR"
        };
        Option<string[]> set = CommonOptions.Set();
        var command = new Command("quickstart",
            "See it work in minutes: pretrain, judge and report on 10,000 Fashion-MNIST images that come with siam.")
        {
            output, set
        };
        command.SetAction((parsed, cancellationToken) => Task.FromResult(
            Run(screenOf(parsed),
                new RunFolder(Outputs.Folder(parsed.GetValue(output) ?? FreeFolder("quickstart"), study: false, [])),
                parsed.GetValue(set)!, cancellationToken)));
        return command;
    }

    private static int Run(Screen screen, RunFolder folder, string[] assignments, CancellationToken cancellationToken)
    {
        var (recipe, images) = Loading.Open(Train, "quickstart", assignments);
        if (folder.HasRun) throw new RunException($"{folder.Path} already holds a run. Choose another --out.");
        if (recipe.Training.BatchSize > images.Count)
            Pretraining.CheckFits(recipe, Loading.Load(screen, images, recipe.Data, null, cancellationToken));
        folder.Create();
        ImageDataset trainData = Loading.Load(screen, images, recipe.Data, folder, cancellationToken),
            testData = Loading.Load(screen, ImageSources.Open(Test, recipe.Data), recipe.Data, null, cancellationToken);
        string resume = $"siam pretrain --data {Train} --out {Shell.PathWord(folder.Path)} --resume",
            judge = $"siam evaluate all --run {Shell.PathWord(folder.Path)} --train {Train} --test {Test}";

        screen.Say($"Pretraining {(recipe.Method.NeedsLabels ? "with" : "without")} the labels of the images, "
            + "which are embedded ones of Fashion-MNIST:");
        foreach (string note in recipe.NotesFor(trainData.Count, trainData.Size, Environment.ProcessorCount)) screen.Warn(note);
        Announcement.Show(screen, recipe, trainData, null, cancellationToken);
        PretrainingResult result;
        try
        {
            result = TrainingBar.Show(screen,
                progress => Pretraining.Run(recipe, trainData, folder, progress: progress, cancellationToken: cancellationToken),
                $"Go on with: {resume}");
        }
        catch (OperationCanceledException)
        {
            screen.Say("Interrupted before the first step: nothing is lost. Give the same command again.");
            return 130;
        }
        if (!result.Finished)
        {
            screen.Say($"Interrupted at step {result.Step:N0} of {result.Steps:N0}. Go on with: {resume}");
            screen.Say($"Then judge it with: {judge}");
            return 130;
        }
        RunHealth? health = RunHealth.Read(folder, recipe);
        if (health is not null) screen.Say(health.Verdict(recipe));
        screen.Say($"Judging on {testData.Count:N0} other images: what is each worth with the {trainData.Count:N0} labels?");
        IReadOnlyList<Score> scores;
        try
        {
            scores = JudgingBar.Show(screen, progress => RunEvaluation.Evaluate(folder, recipe, [Protocol.Knn, Protocol.Linear],
                trainData, testData, progress, cancellationToken: cancellationToken));
        }
        catch (OperationCanceledException)
        {
            screen.Say($"Interrupted. The encoder is written; judge it with: {judge}");
            return 130;
        }
        ScoreVerdict? judged = ScoreVerdict.Of(scores, recipe.Training.Epochs);
        folder.AddScores(scores);
        RunReport.Write(folder, trainData);

        screen.Result(new
        {
            run = folder.Path,
            steps = result.Steps,
            loss = result.Loss,
            health,
            verdict = health?.Verdict(recipe),
            timing = result.Timing,
            results = scores.Select(s => s.ToSealedJson()),
            better = judged?.IsBetter,
            judged = judged?.Text
        }, console =>
        {
            console.Write(ScoreTable.Of(scores));
            if (judged is not null) console.WriteLine(judged.Text);
            console.WriteLine($"Accuracy on {testData.Count:N0} test images. Everything is in {folder.Path}:");
            console.WriteLine($"  {Path.GetFileName(folder.ReportPath)} to read, "
                + $"{Path.GetFileName(folder.ViewsPath)} for what the network saw, "
                + $"{Path.GetFileName(folder.EncoderPath)} to use.");
        });
        if (!screen.Json) ShowNext(screen, cancellationToken);
        return 0;
    }

    /// <summary>What to do with images of one's own in minutes, and in how many.</summary>
    private static void ShowNext(Screen screen, CancellationToken cancellationToken)
    {
        var (recipe, images) = Loading.Open($"fashion-mnist:sample#..{ImagesNext}", "simclr",
            ["data.size=64", "data.channels=3"]);
        ImageDataset data = ImageDataset.Load(images, recipe.Data, cancellationToken: cancellationToken);
        screen.Say("Your own images are next: "
            + $"{Plural.Of(recipe.Training.Epochs, "epoch")} of {ImagesNext:N0} photographs at 64 pixels take "
            + Announcement.About(StepTime.Measure(recipe, data, cancellationToken: cancellationToken).Of(recipe, ImagesNext))
            + " "
            + "here.");
        screen.Next("siam pretrain --data FOLDER --recipe simclr --out " + FreeFolder("mine"));
    }

    /// <summary>A name of a run that is not taken: runs/mine, runs/mine-2, ...</summary>
    internal static string FreeFolder(string name)
    {
        string first = Path.Combine("runs", name);
        return Enumerable.Range(1, int.MaxValue).Select(i => i == 1 ? first : $"{first}-{i}")
            .First(path => !Directory.Exists(path));
    }
}

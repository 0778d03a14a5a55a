using System.CommandLine;
using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Reporting;
using SiamSharp.Studies;
using SiamSharp.Training;

namespace SiamSharp.Cli.Commands;

/// <summary><c>siam report</c>: one self-contained page for a run or a study.</summary>
internal static class ReportCommand
{
    internal static Command Create(Func<ParseResult, Screen> screenOf)
    {
        var folder = new Argument<string>("DIR") { Description = "Folder of a run or of a study." };
        var data = new Option<string>("--data")
        {
            Description = "For a run: images for a map, their nearest neighbours and the spectrum of their vectors. "
                + "If they have labels, the map is coloured by class.",
            HelpName = "SRC"
        };
        Option<string[]> set =
            CommonOptions.Set("Set how the images of --data are decoded, such as data.alpha=white. "
                + "You can give --set several times.");
        var command =
            new Command("report", "Write one page about a run or a study, report.html. It needs no network and prints well.")
            {
                folder, data, set
            };
        command.SetAction((parsed, cancellationToken) =>
        {
            Screen screen = screenOf(parsed);
            string path = Path.GetFullPath(parsed.GetValue(folder)!);
            string? source = parsed.GetValue(data);
            if (File.Exists(Path.Combine(path, "study.json")))
            {
                if (source is not null)
                    throw new OptionsException([new Fault(
                        "--data", "is for the folder of a run; this is a study's. Name one of the runs in it for a map")]);
                string page = StudyReport.Write(path);
                if (StudyReport.Unfinished(path) is { } rest) screen.Warn(rest);
                screen.Result(new { file = page }, console => console.WriteLine($"Report: {page}"));
                return Task.FromResult(0);
            }
            EncoderOptions.CheckOnlyData(parsed.GetValue(set)!);
            var run = new RunFolder(path);
            Recipe recipe = Recipe.Reread(run.ReadRecipe(out string? restored, out _), parsed.GetValue(set)!);
            if (restored is not null) screen.Warn($"{restored}.");
            foreach (string problem in run.MetricsProblems().Concat(run.UnreadableFiles())) screen.Warn(problem);
            if (source is not null)
            {
                DataOptions decoding;
                // a run that has not finished is told before images are read
                using (Encoder encoder = run.ReadEncoder(out _, screen.Notes)) decoding = encoder.DecodingFor(recipe.Data);
                ImageDataset images = Loading.Load(screen, ImageSources.Open(source, decoding),
                    decoding, null, cancellationToken);
                JudgingBar.Show(screen, progress =>
                {
                    Gallery.Write(run, images, recipe.Evaluation.BatchSize, progress, cancellationToken);
                    return 0;
                });
            }
            if (run.Unfinished is { } unfinished) screen.Warn(unfinished);
            RunReport.Write(run, null);
            screen.Result(new { file = run.ReportPath }, console =>
            {
                console.WriteLine($"Report: {run.ReportPath}");
                if (!File.Exists(run.GalleryPath))
                    console.WriteLine("With --data SRC it gets a map of images, their nearest neighbours and the spectrum.");
            });
            screen.Next(File.Exists(run.GalleryPath)
                ? $"siam embed --run {Shell.PathWord(path)} --data {Shell.Word(source ?? "FOLDER")} --out vectors.parquet"
                : $"siam report {Shell.PathWord(path)} --data FOLDER");
            return Task.FromResult(0);
        });
        return command;
    }
}

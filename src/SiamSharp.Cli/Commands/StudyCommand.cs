using System.CommandLine;
using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Studies;
using SiamSharp.Training;
using Spectre.Console;

namespace SiamSharp.Cli.Commands;

/// <summary><c>siam study</c>: a table of runs, several at once, resumable, with plot.</summary>
internal static class StudyCommand
{
    internal static Command Create(Func<ParseResult, Screen> screenOf)
    {
        var file = new Argument<string>("FILE")
        {
            Description = "The study: a JSON file that names the images, the seeds and the recipes, its rows (docs/STUDIES.md)."
        };
        var output = new Option<string>("--out")
        {
            Description = "Folder for the runs, table.md, table.json, plot.png and report.html.",
            HelpName = "DIR",
            Required = true
        };
        var jobs = NumberOptions.Whole(
            "--jobs", "How many runs to train at the same time; 0 = as many as the processors allow.", 0, 1024, otherwise: 0);
        Option<string[]> set =
            CommonOptions.Set("Set one option in all rows, such as training.epochs=1. You can give --set several times.");
        var only = new Option<string>("--only")
        {
            Description = "Train and judge only this run, in this process. Its name is its row and seed, such as naive-masks-1.",
            HelpName = "NAME"
        };
        var child = new Option<bool>("--child") { Description = "End when standard input does.", Hidden = true };
        var command = new Command("study",
            "Compare recipes: train each with several seeds, judge all on the same images, and write a table. "
            + "If it was stopped, run it again to go on.")
        {
            file, output, jobs, set, only, child
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            Screen screen = screenOf(parsed);
            Study study = Study.Read(parsed.GetValue(file)!);
            IImageSource Open(string key, string source, DataOptions options)
            {
                try
                {
                    return ImageSources.Open(source, options);
                }
                catch (DataSourceException e)
                {
                    bool lost = !Path.IsPathRooted(source) && source.Split(':')[0] is not ("fashion-mnist" or "cifar10")
                        && !Path.Exists(source.Split('#', '@')[0]);
                    string beside = Path.Combine(Path.GetDirectoryName(parsed.GetValue(file)!) ?? "", source);
                    throw new DataSourceException($"\"{key}\" in {parsed.GetValue(file)}: {e.Message}" + (!lost ? ""
                        : " Paths in a study start in the folder in which the command is given, "
                            + $"{Environment.CurrentDirectory}"
                            + (Path.Exists(beside.Split('#', '@')[0]) ? $": write {beside}" : "") + "."));
                }
            }
            IReadOnlyList<StudyRun> runs = study.Runs(parsed.GetValue(set)!,
                options => Open("pretrain", study.Pretrain, options));
            string folder = Outputs.Folder(parsed.GetValue(output)!, study: true, [study.Pretrain, study.Train, study.Test],
                [.. runs.Select(run => run.Name)]);
            if (parsed.GetValue(only) is { } name)
                return RunOne(screen, study, folder, runs, name, parsed.GetValue(child), cancellationToken);

            DataOptions decoded = runs[0].Recipe.Data;
            IImageSource pretrain = Open("pretrain", study.Pretrain, decoded);
            IImageSource train = study.Train.Length > 0 ? Open("train", study.Train, decoded) : pretrain,
                test = Open("test", study.Test, decoded);
            try
            {
                RunEvaluation.CheckImages(runs[0].Recipe.Evaluation, study.Protocols, decoded, train, test);
            }
            catch (DataSourceException e) // it names the options of `siam evaluate`
            {
                throw new RunException($"{parsed.GetValue(file)}: "
                    + e.Message.Replace("--train", "\"train\"", StringComparison.Ordinal)
                        .Replace("--test", "\"test\"", StringComparison.Ordinal));
            }
            StudyFolder.CheckImages([.. runs.Where(run => !run.Folder(folder).HasRun)], pretrain);
            StudyFolder.Prepare(study, folder, runs);
            if (parsed.GetValue(jobs) > 1 && parsed.GetValue(jobs) * study.Threads > Environment.ProcessorCount && runs.Count > 1)
                screen.Warn($"--jobs {parsed.GetValue(jobs)} with {Plural.Of(study.Threads, "thread")} each is more than this "
                    + $"machine's {Plural.Of(Environment.ProcessorCount, "processor")}: "
                    + "it takes longer, and more memory. Leave --jobs out.");
            foreach (string note in Study.Notes(runs, pretrain.Count, Environment.ProcessorCount)) screen.Warn(note);
            int atOnce = parsed.GetValue(jobs) > 0 ? parsed.GetValue(jobs)
                : Math.Max(1, Environment.ProcessorCount / study.Threads);
            string[] arguments = ["study", parsed.GetValue(file)!, "--out", folder,
                .. parsed.GetValue(set)!.SelectMany(s => new[] { "--set", s })];
            screen.Interruption = () => ("The runs that are at work save after their step and end; "
                + "Ctrl+C again = stop now, and they lose their steps since their last checkpoints.",
                "Stopped. The same command goes on from what the runs had saved.");
            IReadOnlyList<string> failed =
                await new StudyProcesses(screen, study, folder, runs, arguments).Run(atOnce, cancellationToken);

            StudyTable table = StudyFolder.WriteTable(study, folder, runs);
            StudyReport.Write(folder);
            foreach (string note in table.Notes) screen.Warn(note);
            foreach (RunFolder run in runs.Select(r => r.Folder(folder))
                .Where(r => File.Exists(r.EvaluationPath) && Score.Read(r.EvaluationPath) is null))
                screen.Warn($"{run.EvaluationPath} was changed or damaged since it was written. "
                    + "The table is right, from the study's own scores; delete that file, and `siam evaluate` writes it anew.");
            screen.Result(new { folder, failed, table }, console => Show(console, table, folder));
            if (cancellationToken.IsCancellationRequested)
            {
                screen.Say("Interrupted. What is done is saved; the same command goes on.");
                return 130;
            }
            if (failed.Count == 0
                && runs.Select(r => r.Folder(folder)).FirstOrDefault(run => File.Exists(run.EncoderPath)) is { } shown)
                screen.Next($"siam report {Shell.PathWord(shown.Path)} --data {Shell.Word(study.Test)}");
            if (failed.Count > 0)
                screen.Fail($"{failed.Count} of {Plural.Of(runs.Count, "run")} failed: {string.Join(", ", failed)}. "
                    + $"Their .log files in {folder} say why; the same command tries them again.");
            return failed.Count > 0 ? 1 : 0;
        });
        return command;
    }

    private static int RunOne(
        Screen screen, Study study, string folder, IReadOnlyList<StudyRun> runs, string name, bool child,
        CancellationToken cancellationToken)
    {
        StudyRun run = runs.FirstOrDefault(r => r.Name == name)
            ?? throw new OptionsException([new Fault(
                "--only", $"there is no run \"{name}\"; the study has {string.Join(", ", runs.Select(r => r.Name))}")]);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (child)
        {
            // The study's process holds the other end: when it ends, however it does, this run saves and ends too.
            new Thread(() =>
            {
                while (Console.In.Read() >= 0) { }
                try
                {
                    both.Cancel();
                }
                catch (ObjectDisposedException)
                {
                    // The run ended in the same moment.
                }
            })
            { IsBackground = true }.Start();
        }
        if (!TrainingBar.Show(
            screen, progress => run.Execute(study, folder, progress, screen.Notes, new JudgingBar.Lines(screen), both.Token),
            "The same command goes on."))
            return 130;
        IReadOnlyList<Score> scores = run.ScoresIn(folder, study.Protocols)!;
        RunHealth? health = RunHealth.Read(run.Folder(folder), run.Recipe);
        ScoreVerdict? judged = ScoreVerdict.Of(scores, run.Recipe.Training.Epochs);
        screen.Result(new
        {
            run = run.Folder(folder).Path,
            results = scores.Select(s => s.ToSealedJson()),
            health,
            verdict = health?.Verdict(run.Recipe),
            better = judged?.IsBetter,
            judged = judged?.Text
        }, console =>
        {
            console.Write(ScoreTable.Of(scores));
            if (health is not null) console.WriteLine(health.Verdict(run.Recipe));
            if (judged is not null) console.WriteLine(judged.Text);
        });
        return 0;
    }

    private static void Show(IAnsiConsole console, StudyTable table, string folder)
    {
        if (table.Columns.Count == 0) return; // no run is done
        var shown = new Table().Border(TableBorder.Simple).AddColumn("");
        foreach (string column in table.Columns) shown.AddColumn(Markup.Escape(column));
        foreach (StudyTableRow row in table.Rows)
            shown.AddRow([new Text(row.Name),
                .. row.Cells.Select(c => new Text(c?.Text().Replace("; ", "\n", StringComparison.Ordinal) ?? ""))]);
        console.Write(shown);
        console.WriteLine(table.Explanation);
        console.WriteLine($"Table: {Path.Combine(folder, "table.md")}; with plot and the health of the runs: report.html");
    }
}

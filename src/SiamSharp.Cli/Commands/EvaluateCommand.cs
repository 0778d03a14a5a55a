using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Reporting;
using SiamSharp.Training;
using Spectre.Console;

namespace SiamSharp.Cli.Commands;

/// <summary><c>siam evaluate knn|linear|few-shot|rankme|all|linear-sgd|fine-tune|corruption</c>:
/// what the encoder of a run is worth, next to two baselines.</summary>
internal static class EvaluateCommand
{
    internal static Command Create(Func<ParseResult, Screen> screenOf)
    {
        var command = new Command("evaluate",
            "Measure how good a run's encoder is, with labelled images. For comparison, the standardised pixels and the encoder "
            + "before training are measured too.");
        command.Subcommands.Add(For([Protocol.Knn], "knn", "Give each test image the class of the --train images that are most "
            + "like it (weighted k nearest neighbours).", screenOf));
        command.Subcommands.Add(For([Protocol.Linear], "linear",
            "Train a linear classifier on the vectors (logistic regression). The encoder does not change.", screenOf));
        command.Subcommands.Add(For([Protocol.FewShot], "few-shot", "Train the linear classifier with only 1, 2, 5, 10 and 20 "
            + "labelled images of each class. The score is the mean of ten random choices.", screenOf));
        command.Subcommands.Add(For([Protocol.RankMe], "rankme", "Measure how many dimensions of the vectors are in use. "
            + "This shows a collapse, not which encoder is better. Labels do not matter, but both sources must have some.",
            screenOf));
        command.Subcommands.Add(For([Protocol.Knn, Protocol.Linear, Protocol.FewShot, Protocol.RankMe], "all",
            "Do knn, linear, few-shot and rankme in one pass over the images. Start with this one.", screenOf));
        command.Subcommands.Add(For([Protocol.LinearSgd], "linear-sgd", "Train the linear classifier by SGD on random crops and "
            + "flips. The encoder does not change. The papers' crops and epochs are options (docs/EVALUATION.md).", screenOf));
        command.Subcommands.Add(For([Protocol.FineTune], "fine-tune", "Train the whole network further, with 1, 10 and 100 % of "
            + "the labels. The untrained network is trained too, for comparison: that is plain supervised training.", screenOf));
        command.Subcommands.Add(For([Protocol.Corruption], "corruption",
            "Train the linear classifier on clean images and test it on damaged ones: "
            + "15 corruptions (noise, blur, weather, digital) at 5 severities.", screenOf));
        return command;
    }

    private static string Hardest(Confusion confusion) =>
        string.Join(", ", confusion.Hardest(3).Where(h => h.Accuracy < 1).Select(h =>
            $"{h.Class} {h.Accuracy.ToString("F3", CultureInfo.InvariantCulture)}"
                + (h.TakenFor.Length > 0 ? $" (taken for {h.TakenFor})" : "")));

    private static bool BelongsToTheRun(string assignment) => assignment.Split('=')[0] is var path
        && !(path.StartsWith("evaluation", StringComparison.Ordinal)
            || (path.StartsWith("data.", StringComparison.Ordinal) && path != "data.size")
            || path is "training.threads" or "training.device" or "backbone.weights");

    private static Command For(Protocol[] protocols, string name, string description, Func<ParseResult, Screen> screenOf)
    {
        Option<string> run = CommonOptions.Run();
        var train = new Option<string>("--train")
        {
            Description = "Labelled images that the classifier learns from, such as LABELLED#train (four fifths of each class).",
            HelpName = "SRC",
            Required = true
        };
        var test = new Option<string>("--test")
        {
            Description = "Labelled images that it is tested on, such as LABELLED#test (the other fifth).",
            HelpName = "SRC",
            Required = true
        };
        Option<string[]> set = CommonOptions.Set("Set one option of judging, such as evaluation.k=5 (`siam options evaluation` "
            + "lists them), or of decoding, such as data.alpha=white. You can give --set several times.");
        var command = new Command(name, description) { run, train, test, set };
        command.SetAction((parsed, cancellationToken) =>
        {
            Screen screen = screenOf(parsed);
            var folder = new RunFolder(parsed.GetValue(run)!);
            string[] assignments = parsed.GetValue(set)!;
            Recipe recipe;
            using (Encoder encoder = folder.ReadEncoder(out JsonObject stored, screen.Notes))
            {
                recipe = Recipe.Reread(stored, assignments);
                recipe = recipe with { Data = encoder.DecodingFor(recipe.Data) };
            }
            if (assignments.FirstOrDefault(BelongsToTheRun) is { } other)
                throw new OptionsException([new Fault(other.Split('=')[0], "belongs to the run, whose training is done: "
                    + "leave it out. What can be given here: evaluation.*, training.threads, training.device, "
                    + "data.* apart from data.size, and backbone.weights where that file was moved"
                    + (other.StartsWith("training.epochs=", StringComparison.Ordinal)
                        ? $". To train the run longer: {folder.ResumeCommand} --set {Shell.Word(other)}" : ""))]);
            if (Outputs.IsStandardOutput(folder.EvaluationPath))
                throw new RunException($"What is printed goes to {folder.EvaluationPath}, which the shell has emptied for it: "
                    + "the scores that it held are gone. This command writes that file by itself; "
                    + "redirect --json to another one.");
            IImageSource trainSource = ImageSources.Open(parsed.GetValue(train)!, recipe.Data),
                testSource = ImageSources.Open(parsed.GetValue(test)!, recipe.Data);
            RunEvaluation.Check(folder, recipe, protocols, trainSource, testSource);
            ImageDataset trainData = Loading.Load(screen, trainSource, recipe.Data, null, cancellationToken),
                testData = Loading.Load(screen, testSource, recipe.Data, null, cancellationToken);
            foreach (string problem in folder.UnreadableFiles()) screen.Warn(problem);
            if (File.Exists(folder.EvaluationPath) && Score.Read(folder.EvaluationPath) is null)
                screen.Warn($"{folder.EvaluationPath} was changed or damaged since it was written, or is no list of scores. "
                    + $"It is kept as {Path.GetFileName(folder.DamagedEvaluationPath)}, "
                    + "and the scores of this command take its place.");
            foreach (string note in RunEvaluation.Notes(trainData, testData, protocols, recipe)) screen.Warn(note);
            var confusions = new List<Confusion>();
            IReadOnlyList<Score> scores = JudgingBar.Show(screen, progress =>
                RunEvaluation.Evaluate(folder, recipe, protocols, trainData, testData, progress, confusions, cancellationToken));
            ScoreVerdict? verdict = ScoreVerdict.Of(scores, recipe.Training.Epochs);
            screen.Result(new
            {
                run = folder.Path,
                results = scores.Select(s => s.ToSealedJson()),
                better = verdict?.IsBetter,
                verdict = verdict?.Text
            }, console =>
            {
                console.Write(ScoreTable.Of(scores));
                console.WriteLine(ScoreTable.Counts(scores));
                if (protocols.Contains(Protocol.FineTune) && scores.Any(s => s.Encoder == "untrained"))
                    console.WriteLine("The row of the untrained encoder is plain supervised training.");
                if (verdict is not null) console.WriteLine(verdict.Text);
                if (confusions.FindLast(c => c.Encoder == "pretrained") is { } last && Hardest(last).Length > 0)
                    console.WriteLine($"Hardest by {last.Protocol}: {Hardest(last)}.");
            });
            folder.AddScores(scores); // after they were shown: a full disk does not lose them
            if (protocols.Contains(Protocol.FewShot))
                FileWriting.WriteText(folder.DrawsPath, FewShotDraws.For(trainData, recipe.Evaluation).ToJson());
            foreach (string file in folder.WriteConfusions(confusions)) screen.Say($"What was taken for what: {file}");
            RunReport.Write(folder, null);
            screen.Next($"siam report {Shell.PathWord(folder.Path)} --data {Shell.Word(parsed.GetValue(test)!)}");
            return Task.FromResult(0);
        });
        return command;
    }
}

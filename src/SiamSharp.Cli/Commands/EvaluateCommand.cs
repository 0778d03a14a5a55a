using System.CommandLine;
using System.Globalization;
using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Recipes;
using SiamSharp.Reporting;
using SiamSharp.Training;
using Spectre.Console;

namespace SiamSharp.Cli.Commands;

/// <summary><c>siam evaluate knn|linear|few-shot|rankme|all|linear-sgd|fine-tune|corruption</c>: what the encoder of a run is worth, next to two baselines.</summary>
internal static class EvaluateCommand
{
    internal static Command Create(Func<ParseResult, Screen> screenOf)
    {
        var command = new Command("evaluate", "Judge a run's encoder with labelled images, next to raw pixels and the untrained encoder.");
        command.Subcommands.Add(For([Protocol.Knn], "knn", "Weighted k nearest neighbours.", screenOf));
        command.Subcommands.Add(For([Protocol.Linear], "linear", "Logistic regression on frozen representations.", screenOf));
        command.Subcommands.Add(For([Protocol.FewShot], "few-shot", "The same with 1, 2, 5, 10 and 20 labels per class, drawn ten times.", screenOf));
        command.Subcommands.Add(For([Protocol.RankMe], "rankme", "The effective rank of the training images' representations; their labels do not matter, but both sources must have some.", screenOf));
        command.Subcommands.Add(For([Protocol.Knn, Protocol.Linear, Protocol.FewShot, Protocol.RankMe], "all", "knn, linear, few-shot and rankme from one pass over the images.", screenOf));
        command.Subcommands.Add(For([Protocol.LinearSgd], "linear-sgd", "A classifier on the frozen encoder by SGD over crops and flips, as in the papers.", screenOf));
        command.Subcommands.Add(For([Protocol.FineTune], "fine-tune", "All layers trained on with 1, 10 and 100 % of the labels; from the untrained encoder this is plain supervised training.", screenOf));
        command.Subcommands.Add(For([Protocol.Corruption], "corruption", "The linear probe on 15 corruptions of the test images (noise, blur, weather, digital) at 5 severities.", screenOf));
        return command;
    }

    private static string Hardest(Confusion confusion) => string.Join(", ", confusion.Hardest(3).Select(h =>
        $"{h.Class} {h.Accuracy.ToString("F3", CultureInfo.InvariantCulture)}" + (h.TakenFor.Length > 0 ? $" (taken for {h.TakenFor})" : "")));

    private static bool BelongsToTheRun(string assignment) => assignment.Split('=')[0] is var path
        && !(path.StartsWith("evaluation", StringComparison.Ordinal) || (path.StartsWith("data.", StringComparison.Ordinal) && path != "data.size") || path is "training.threads" or "training.device");

    private static Command For(Protocol[] protocols, string name, string description, Func<ParseResult, Screen> screenOf)
    {
        Option<string> run = CommonOptions.Run();
        var train = new Option<string>("--train") { Description = "Labelled images for the classifier.", HelpName = "SRC", Required = true };
        var test = new Option<string>("--test") { Description = "Labelled images to judge.", HelpName = "SRC", Required = true };
        Option<string[]> set = CommonOptions.Set();
        var command = new Command(name, description) { run, train, test, set };
        command.SetAction((parsed, cancel) =>
        {
            Screen screen = screenOf(parsed);
            var folder = new RunFolder(parsed.GetValue(run)!);
            string[] assignments = parsed.GetValue(set)!;
            Recipe recipe = Recipe.Reread(folder.ReadRecipe(), assignments);
            if (assignments.FirstOrDefault(BelongsToTheRun) is { } other)
                throw new RecipeException([new Fault(other.Split('=')[0], "belongs to the run and cannot be changed any more; evaluation.* can, training.threads, training.device, and data.* apart from data.size")]);
            recipe.Training.FindDevice(); // before images are read
            ImageDataset trainData = Loading.Load(screen, ImageSources.Open(parsed.GetValue(train)!, recipe.Data), recipe.Data, null, cancel);
            ImageDataset testData = Loading.Load(screen, ImageSources.Open(parsed.GetValue(test)!, recipe.Data), recipe.Data, null, cancel);
            var confusions = new List<Confusion>();
            IReadOnlyList<Score> scores = RunEvaluation.Judge(folder, recipe, protocols, trainData, testData, screen, confusions, cancel);
            if (scores[0] is { TestInTrain: > 0 } leaked)
                screen.Warn($"{leaked.TestInTrain} of {leaked.TestCount} test images are among the training images too: the scores are flattered. Leave them out of one of the two.");
            if (protocols.Contains(Protocol.Knn) && recipe.Evaluation.K * 5 > scores[0].TrainCount)
                screen.Warn($"{recipe.Evaluation.K} neighbours of only {scores[0].TrainCount} labelled images is almost a vote of all: --set evaluation.k={Math.Max(1, scores[0].TrainCount / 20)}.");
            screen.Result(new { run = folder.Path, results = scores }, console =>
            {
                console.Write(ScoreTable.Of(scores));
                console.WriteLine($"Accuracy on {scores[0].TestCount:N0} test images with {scores.Max(s => s.TrainCount):N0} labelled ones.");
                if (protocols.Contains(Protocol.FineTune) && recipe.Evaluation.Baselines) console.WriteLine("The row of the untrained encoder is plain supervised training.");
                if (confusions.FindLast(c => c.Encoder == "pretrained") is { } last) console.WriteLine($"Hardest by {last.Protocol}: {Hardest(last)}.");
            });
            folder.AddScores(scores); // after they were shown: a full disk does not lose them
            if (protocols.Contains(Protocol.FewShot)) RunFolder.WriteText(folder.Draws, FewShotDraws.For(trainData, recipe.Evaluation).ToJson());
            foreach (string file in folder.WriteConfusions(confusions)) screen.Say($"What was taken for what: {file}");
            RunReport.Write(folder, null);
            return Task.FromResult(0);
        });
        return command;
    }
}

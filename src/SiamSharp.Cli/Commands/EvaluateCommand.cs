using System.CommandLine;
using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Recipes;
using SiamSharp.Reporting;
using SiamSharp.Training;
using Spectre.Console;

namespace SiamSharp.Cli.Commands;

/// <summary><c>siam evaluate knn|linear|few-shot|all</c>: what the encoder of a run is worth, next to two baselines.</summary>
internal static class EvaluateCommand
{
    internal static Command Create(Func<ParseResult, Screen> screenOf)
    {
        var command = new Command("evaluate", "Judge a run's encoder with labelled images, next to raw pixels and the untrained encoder.");
        command.Subcommands.Add(For([Protocol.Knn], "knn", "Weighted k nearest neighbours.", screenOf));
        command.Subcommands.Add(For([Protocol.Linear], "linear", "Logistic regression on frozen representations.", screenOf));
        command.Subcommands.Add(For([Protocol.FewShot], "few-shot", "The same with 1, 2, 5, 10 and 20 labels per class, drawn ten times.", screenOf));
        command.Subcommands.Add(For([Protocol.RankMe], "rankme", "The effective rank of the training images' representations, which takes no labels.", screenOf));
        command.Subcommands.Add(For([Protocol.Knn, Protocol.Linear, Protocol.FewShot, Protocol.RankMe], "all", "All of these from one pass over the images.", screenOf));
        return command;
    }

    private static bool BelongsToTheRun(string assignment) => assignment.Split('=')[0] is var path
        && !(path.StartsWith("evaluation", StringComparison.Ordinal) || (path.StartsWith("data.", StringComparison.Ordinal) && path != "data.size"));

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
                throw new RecipeException([new Fault(other.Split('=')[0], "belongs to the run and cannot be changed any more; evaluation.* can, and data.* apart from data.size")]);
            ImageDataset trainData = Loading.Load(screen, ImageSources.Open(parsed.GetValue(train)!, recipe.Data), recipe.Data, null, cancel);
            ImageDataset testData = Loading.Load(screen, ImageSources.Open(parsed.GetValue(test)!, recipe.Data), recipe.Data, null, cancel);
            IReadOnlyList<Score> scores = RunEvaluation.Judge(folder, recipe, protocols, trainData, testData, cancel: cancel);
            if (scores[0] is { TestInTrain: > 0 } leaked)
                screen.Warn($"{leaked.TestInTrain} of {leaked.TestCount} test images are among the training images too: the scores are flattered. Leave them out of one of the two.");
            if (protocols.Contains(Protocol.Knn) && recipe.Evaluation.K * 5 > scores[0].TrainCount)
                screen.Warn($"{recipe.Evaluation.K} neighbours of only {scores[0].TrainCount} labelled images is almost a vote of all: --set evaluation.k={Math.Max(1, scores[0].TrainCount / 20)}.");
            screen.Result(new { run = folder.Path, results = scores }, console =>
            {
                console.Write(ScoreTable.Of(scores));
                console.WriteLine($"Accuracy on {scores[0].TestCount:N0} test images with {scores[0].TrainCount:N0} labelled ones.");
            });
            folder.AddScores(scores); // after they were shown: a full disk does not lose them
            RunReport.Write(folder, null);
            return Task.FromResult(0);
        });
        return command;
    }
}

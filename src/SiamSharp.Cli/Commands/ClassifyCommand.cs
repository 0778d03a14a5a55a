using System.CommandLine;
using System.Globalization;
using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Messages;

namespace SiamSharp.Cli.Commands;

/// <summary><c>siam classify fit|predict</c>: a classifier of a few labelled images on a frozen encoder.</summary>
internal static class ClassifyCommand
{
    internal static Command Create(Func<ParseResult, Screen> screenOf) => new("classify",
        "Make a classifier from a few labelled images, and use it.")
    {
        Fit(screenOf),
        Predict(screenOf),
    };

    private static Command Fit(Func<ParseResult, Screen> screenOf)
    {
        var encoder = new EncoderOptions();
        Option<string> data = CommonOptions.Data(
            "Labelled images, a few of each class: for instance a folder with a sub-folder for each.");
        var output = new Option<string>("--out")
        {
            Description = "The file to write, .safetensors. It holds the classifier and the encoder.",
            HelpName = "FILE",
            Required = true
        };
        var accuracy = NumberOptions.Real(
            "--min-accuracy", "The share of accepted answers that shall be right, 0 to 1. It decides from which probability on "
                + "an answer is accepted.",
            x => x is >= 0 and <= 1, "from 0 to 1", otherwise: 0.95);
        Option<string[]> set = CommonOptions.SetData();
        var command = new Command("fit",
            "Train a classifier. Its probabilities are calibrated, and answers below a threshold are rejected.")
        {
            data, output, accuracy, set
        };
        encoder.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            Screen screen = screenOf(parsed);
            double wanted = parsed.GetValue(accuracy);
            string source = parsed.GetValue(data)!,
                path = Outputs.File(parsed.GetValue(output)!, OutputKind.Classifier, [source], encoder.Files(parsed));
            var (opened, recipe, _) = encoder.Open(screen, parsed, parsed.GetValue(set)!,
                options => ImageSources.Open(source, options));
            IImageSource labelled = ImageSources.Open(source, recipe.Data);
            Classifier.CheckLabels(labelled);
            ImageDataset images = Loading.Load(screen, labelled, recipe.Data, null, cancellationToken);
            var (classifier, report) = Classifier.Fit(opened, images, recipe.Data, wanted, cancellationToken);
            using Classifier fitted = classifier;
            classifier.Save(path);
            foreach (var (why, empty) in new[] { ("there is no image of it", images.EmptyClasses.Absent),
                ("no image of it can be read", images.EmptyClasses.Unreadable) })
                if (empty.Count > 0)
                    screen.Warn($"Left out, since {why}: {Plural.Of(empty.Count, "class", "classes")}: "
                        + $"{string.Join(", ", empty.Take(5))}{(empty.Count > 5 ? ", ..." : "")}.");
            string[] notes = [.. report.Notes(wanted)];
            foreach (string note in notes) screen.Warn(note);
            screen.Result(new
            {
                file = path,
                classes = classifier.ClassNames,
                classifier.Temperature,
                classifier.Threshold,
                report,
                notes
            }, console =>
            {
                console.WriteLine($"Classifier of {Plural.Of(classifier.ClassNames.Count, "class", "classes")} from "
                    + $"{Plural.Of(report.Count, "image")} ({Names(classifier.ClassNames)}): {path}");
                if (report.Folds == 0) return;
                console.WriteLine($"Held out in {report.Folds} parts: accuracy {Number(report.Accuracy)}, "
                    + $"calibration error {Number(report.CalibrationError)} (before: {Number(report.UncalibratedError)}).");
                console.WriteLine(classifier.Threshold == 0
                    ? $"All answers are accepted: {Number(report.AcceptedAccuracy)} of them are right."
                    : classifier.Threshold > 1 ? "No answer will be accepted."
                    : $"Answers from a probability of {Number(classifier.Threshold)} on are accepted: "
                        + $"{Number(report.AcceptedShare)} of all, of which {Number(report.AcceptedAccuracy)} are right.");
            });
            screen.Next($"siam classify predict --model {Shell.PathWord(path)} --data FOLDER --out answers.csv");
            return Task.FromResult(0);
        });
        return command;
    }

    private static string Names(IReadOnlyList<string> classes) =>
        string.Join(", ", classes.Take(NamesShown).Select(Shown.Text)) + (classes.Count > NamesShown ? ", ..." : "");

    private const int NamesShown = 6;

    private static string Number(double? value) => value?.ToString("F3", CultureInfo.InvariantCulture) ?? "unknown";

    private static Command Predict(Func<ParseResult, Screen> screenOf)
    {
        var model = new Option<string>("--model")
        {
            Description = "The classifier file that `siam classify fit` wrote.",
            HelpName = "FILE",
            Required = true
        };
        Option<string> data = CommonOptions.Data("The images to classify. If they have labels, these are not used.");
        var output = new Option<string>("--out")
        {
            Description = "File for the answers, .csv or .json. Without it they are printed.",
            HelpName = "FILE"
        };
        Option<string[]> set = CommonOptions.SetData();
        var command = new Command("predict",
            "Classify images. Each answer is a class, its probability, and whether to trust it.")
        {
            model, data, output, set
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            Screen screen = screenOf(parsed);
            string? path = parsed.GetValue(output) is { } given
                ? Outputs.File(given, OutputKind.Answers, [parsed.GetValue(data)], [parsed.GetValue(model)]) : null;
            using Classifier classifier = Classifier.Load(parsed.GetValue(model)!);
            DataOptions options = EncoderOptions.Data(parsed.GetValue(set)!, classifier.Data);
            IImageSource source = ImageSources.Open(parsed.GetValue(data)!, options);
            Predictions predictions = ReadingBar.Show(screen,
                progress => classifier.Predict(source, options.Threads, progress, cancellationToken));
            var (answers, skipped) = predictions;
            foreach (string note in predictions.Notes) screen.Warn(note);
            foreach (SkippedFile file in skipped.Take(3)) screen.Warn($"left out: {file.Path}: {file.Reason}");
            if (skipped.Count > 3) screen.Warn($"and {skipped.Count - 3} more cannot be read");
            if (path is not null) predictions.Write(path);
            screen.Result(new
            {
                file = path,
                count = answers.Count,
                skipped = skipped.Count,
                notes = predictions.Notes,
                results = path is null ? answers : null
            }, console =>
            {
                if (path is null)
                    foreach (Prediction answer in answers)
                        console.WriteLine($"{answer.Probability.ToString("F3", CultureInfo.InvariantCulture)}  "
                            + $"{(answer.Accepted ? answer.Class : $"({answer.Class}?)")}  {Shown.Text(answer.Path)}");
                else console.WriteLine($"{Plural.Of(answers.Count, "answer")}: {path}");
                int rejected = answers.Count(a => !a.Accepted);
                if (classifier.Threshold > 1)
                    console.WriteLine("None is to be trusted: this classifier accepts no answer. "
                        + "Fit it again with more labels, or a lower --min-accuracy.");
                else if (rejected > 0)
                    console.WriteLine($"Not to be trusted, with a probability below {Number(classifier.Threshold)}: "
                        + $"{rejected:N0} of {answers.Count:N0}.");
            });
            screen.Next($"siam export onnx --classifier {Shell.Word(parsed.GetValue(model)!)} --out model.onnx");
            return Task.FromResult(0);
        });
        return command;
    }
}

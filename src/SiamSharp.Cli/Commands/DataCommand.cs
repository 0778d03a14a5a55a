using System.CommandLine;
using System.Globalization;
using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Messages;
using Spectre.Console;

namespace SiamSharp.Cli.Commands;

/// <summary><c>siam data inspect</c>: what is in a source, before hours are spent on it.</summary>
internal static class DataCommand
{
    private const int Shown = 10;

    internal static Command Create(Func<ParseResult, Screen> screenOf)
    {
        var source =
            new Argument<string>("SRC")
            {
                Description = "The images: a folder, a list (.csv or .jsonl), an .npy file, fashion-mnist or cifar10:DIR."
            };
        Option<string[]> set = CommonOptions.SetData();
        var inspect = new Command("inspect",
            "Show what a set of images holds: how many, their sizes, channels and labels, unreadable files and duplicates.")
        {
            source, set
        };
        inspect.SetAction((parsed, cancellationToken) =>
        {
            Screen screen = screenOf(parsed);
            EncoderOptions.CheckOnlyData(parsed.GetValue(set)!);
            var (recipe, images) = Loading.Open(parsed.GetValue(source)!, null, parsed.GetValue(set)!);
            DataInspection found;
            try
            {
                found = ReadingBar.Show(screen,
                    progress => DataInspection.Inspect(images, recipe.Data, progress, cancellationToken));
            }
            catch (DataSourceException e) when (e.ChannelsDiffer)
            {
                // Described as RGB, with the advice that pretraining would give.
                screen.Warn(e.Message);
                DataOptions asRgb = recipe.Data with { Channels = 3 };
                found = ReadingBar.Show(screen, progress => DataInspection.Inspect(
                    ImageSources.Open(parsed.GetValue(source)!, asRgb), asRgb, progress, cancellationToken));
            }
            screen.Result(found, console => Show(console, found));
            screen.Next(
                $"siam views --data {Shell.Word(parsed.GetValue(source)!)} --out views.png{Again(parsed.GetValue(set)!)}");
            return Task.FromResult(0);
        });
        return new Command("data", "Look at a set of images before you train on it.") { inspect };
    }

    private static void Show(IAnsiConsole console, DataInspection found)
    {
        var table = new Table().Border(TableBorder.None).HideHeaders().AddColumn("").AddColumn("");
        void Row(string name, string value) => table.AddRow(Markup.Escape(name), Markup.Escape(Messages.Shown.Text(value)));
        Row("source", found.Name);
        Row("images", found.Unreadable.Count == 0 ? $"{found.Readable:N0}"
            : $"{found.Readable:N0} readable, {found.Unreadable.Count:N0} not");
        Row("size in files", $"width {Spread(found.Width)}, height {Spread(found.Height)} (min, median, max)");
        Row("channels", $"{found.Channels}");
        Row("depth", string.Join(", ", found.BitDepths.Select(d => $"{d.Key} bits: {d.Value:N0}")));
        Row("labels", found.Classes.Count == 0 ? "none"
            : $"{Plural.Of(found.Classes.Count, "class", "classes")}: "
                + string.Join(", ", found.Classes.Take(Shown).Select(c => $"{c.Key} {c.Value:N0}")) + More(found.Classes.Count));
        if (found.Unlabelled > 0 && found.Classes.Count > 0) Row("without label", $"{found.Unlabelled:N0}");
        Row("mean", Numbers(found.Mean) + $" (at {found.DecodedSize} px)");
        Row("std", Numbers(found.Std));
        Row("values", $"{Value(found.Min)} to {Value(found.Max)}"
            + (found.BitDepths.Keys.Min() < 32 ? " (integers are divided by white)" : ""));
        if (found.Blank > 0) Row("blank", $"{found.Blank:N0}, of one colour only");
        Row("duplicates", found.Duplicates.Count == 0 ? "none" : $"{Plural.Of(found.Duplicates.Count, "group")} of equal images");
        foreach (var group in found.Duplicates.Take(Shown))
            Row("", string.Join(" = ", group.Take(3)) + (group.Count > 3 ? " = ..." : ""));
        foreach (SkippedFile file in found.Unreadable.Take(Shown)) Row("unreadable", $"{file.Path}: {file.Reason}");
        if (found.Unreadable.Count > Shown) Row("", $"and {found.Unreadable.Count - Shown:N0} more");
        foreach (string note in found.Notes) Row("note", note);
        console.Write(table);
    }

    private static string Value(float value) =>
        value.ToString(value == MathF.Round(value) && Math.Abs(value) < 1e7f ? "F0" : "G4", CultureInfo.InvariantCulture);

    private static string Spread(Spread s) => $"{s.Min} {s.Median} {s.Max}";

    /// <summary>The same assignments for the next command.</summary>
    internal static string Again(string[] assignments) => string.Concat(assignments.Select(a => $" --set {Shell.Word(a)}"));

    private static string More(int count) => count > Shown ? $" and {count - Shown} more" : "";

    private static string Numbers(IReadOnlyList<double> values) =>
        string.Join(" ", values.Take(Shown).Select(v => $"{v:F4}")) + More(values.Count);
}

using System.Globalization;
using SiamSharp.Evaluation;
using Spectre.Console;

namespace SiamSharp.Cli.Terminal;

/// <summary>Scores as a table: one row per encoder, one column per protocol; with the 95 % interval where
/// labels were drawn.</summary>
internal static class ScoreTable
{
    private const int FewTestImages = 2_000;

    internal static Table Of(IReadOnlyList<Score> scores)
    {
        if (scores.All(s => s.Corruption is not null)) return OfCorruptions(scores);
        var table = new Table().Border(TableBorder.Simple).AddColumn("representation");
        string[] columns = [.. scores.Select(s => s.Title).Distinct()];
        foreach (string column in columns) table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var row in scores.GroupBy(s => s.Representation))
        {
            table.AddRow(
                [Markup.Escape(row.Key), .. columns.Select(c => row.LastOrDefault(s => s.Title == c) is { } s ? Show(s) : "")]);
        }
        return table;
    }

    /// <summary>The other way round: there are more corruptions than a line has room for.</summary>
    private static Table OfCorruptions(IReadOnlyList<Score> scores)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("corruption");
        string[] columns = [.. scores.Select(s => s.Representation).Distinct()];
        foreach (string column in columns) table.AddColumn(new TableColumn(Markup.Escape(column)).RightAligned());
        foreach (var row in scores.GroupBy(s => s.Corruption!))
            table.AddRow([row.Key, .. columns.Select(c => row.Last(s => s.Representation == c).Shown)]);
        return table;
    }

    /// <summary>How many images the scores are of, and how far from the truth an accuracy may be where they are few.</summary>
    internal static string Counts(IReadOnlyList<Score> scores)
    {
        Score first = scores[0];
        string text =
            $"Accuracy on {Count(first.TestCount, "test image")} with {Count(scores.Max(s => s.TrainCount), "labelled one")}.";
        return first.TestCount < FewTestImages && scores.LastOrDefault(s => s.Interval is not null && s.Ci95 is null) is { } last
            && last.Interval is var (low, high)
            ? text + string.Create(CultureInfo.InvariantCulture,
                $" They leave open where the truth is: {last.Shown} means {low:F3} to {high:F3} (95 %).")
            : text;

        static string Count(int count, string what) =>
            string.Create(CultureInfo.InvariantCulture, $"{count:N0} {what}{(count == 1 ? "" : "s")}");
    }

    private static string Show(Score score) => score.Ci95 is double interval ? $"{score.Shown} ±{interval:F4}" : score.Shown;
}

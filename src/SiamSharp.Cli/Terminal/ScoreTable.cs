using SiamSharp.Evaluation;
using Spectre.Console;

namespace SiamSharp.Cli.Terminal;

/// <summary>Scores as a table: one row per encoder, one column per protocol; with the 95 % interval where labels were drawn.</summary>
internal static class ScoreTable
{
    internal static Table Of(IReadOnlyList<Score> scores)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("representation");
        string[] columns = [.. scores.Select(s => s.Title).Distinct()];
        foreach (string column in columns) table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var row in scores.GroupBy(s => s.Encoder))
        {
            string name = row.Key switch { "pixels" => "pixels", "untrained" => "untrained encoder", _ => "pretrained encoder" };
            table.AddRow([name, .. columns.Select(c => row.LastOrDefault(s => s.Title == c) is { } s ? Show(s) : "")]);
        }
        return table;
    }

    private static string Show(Score score) => score.Ci95 is double interval ? $"{score.Shown} ±{interval:F4}" : score.Shown;
}

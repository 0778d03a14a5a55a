using SiamSharp.Evaluation;
using Spectre.Console;

namespace SiamSharp.Cli.Terminal;

/// <summary>Scores as a table: one row per encoder, one column per protocol; with the 95 % interval where labels were drawn.</summary>
internal static class ScoreTable
{
    internal static Table Of(IReadOnlyList<Score> scores)
    {
        if (scores.All(s => s.Corruption is not null)) return OfCorruptions(scores);
        var table = new Table().Border(TableBorder.Simple).AddColumn("representation");
        string[] columns = [.. scores.Select(s => s.Title).Distinct()];
        foreach (string column in columns) table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var row in scores.GroupBy(s => s.Encoder))
        {
            table.AddRow([Name(row.Key), .. columns.Select(c => row.LastOrDefault(s => s.Title == c) is { } s ? Show(s) : "")]);
        }
        return table;
    }

    /// <summary>The other way round: there are more corruptions than a line has room for.</summary>
    private static Table OfCorruptions(IReadOnlyList<Score> scores)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("corruption");
        string[] columns = [.. scores.Select(s => s.Encoder).Distinct()];
        foreach (string column in columns) table.AddColumn(new TableColumn(Name(column)).RightAligned());
        foreach (var row in scores.GroupBy(s => s.Corruption!))
            table.AddRow([row.Key, .. columns.Select(c => row.Last(s => s.Encoder == c).Shown)]);
        return table;
    }

    private static string Name(string encoder) => encoder switch { "pixels" => "pixels", "untrained" => "untrained encoder", _ => "pretrained encoder" };

    private static string Show(Score score) => score.Ci95 is double interval ? $"{score.Shown} ±{interval:F4}" : score.Shown;
}

using SiamSharp.Evaluation;
using Spectre.Console;

namespace SiamSharp.Cli.Terminal;

/// <summary>Scores as a table: one row per encoder, one column per protocol.</summary>
internal static class ScoreTable
{
    internal static Table Of(IReadOnlyList<Score> scores)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("representation");
        string[] protocols = [.. scores.Select(s => s.Protocol).Distinct()];
        foreach (string protocol in protocols)
            table.AddColumn(new TableColumn(protocol == "knn" ? $"k-NN (k {scores.First(s => s.Protocol == "knn").K})" : protocol).RightAligned());
        foreach (var row in scores.GroupBy(s => s.Encoder))
        {
            string name = row.Key switch { "pixels" => "pixels", "untrained" => "untrained encoder", _ => "pretrained encoder" };
            table.AddRow([name, .. protocols.Select(p => row.LastOrDefault(s => s.Protocol == p) is { } s ? $"{s.Value:F4}" : "")]);
        }
        return table;
    }
}

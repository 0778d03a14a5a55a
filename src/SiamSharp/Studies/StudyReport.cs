using System.Text;
using System.Text.Json;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Reporting;
using SiamSharp.Training;

namespace SiamSharp.Studies;

/// <summary>One self-contained HTML page about a study: its table, its plot, and the health of its runs.</summary>
internal static class StudyReport
{
    /// <summary>Writes <c>report.html</c> into a study's folder.</summary>
    /// <param name="folder">Of a study with a table.</param>
    /// <returns>The page.</returns>
    /// <exception cref="RunException">There is no table: no run is done.</exception>
    public static string Write(string folder)
    {
        string file = Path.Combine(folder, "table.json");
        if (!File.Exists(file))
            throw new RunException($"{folder} has no table.json yet: no run of the study is done. Go on with `siam study`.");
        StudyTable table = Read(file);
        var page = new StringBuilder(HtmlPage.Start(Path.GetFileName(Path.GetFullPath(folder))));
        var columns = table.Columns.Index()
            .Select(column => HtmlPage.BestInBold([.. table.Rows.Select(r => r.Cells[column.Index]).Select(c =>
                c is null ? ("", double.NaN)
                    : ($"<span style=\"white-space:nowrap\">{HtmlPage.Text(c.Text().Split("; ")[0])}</span>", c.Mean))]))
            .ToArray();
        page.Append(HtmlPage.Table(table.Columns.Select(HtmlPage.Text).Prepend(""), table.Rows.Index().Select(r =>
            r.Item.Cells.Select((c, column) => columns[column][r.Index] + Gain(c)).Prepend(HtmlPage.Text(r.Item.Name)))));
        page.Append($"<p><small>{HtmlPage.Text(table.Explanation)} Bold: the best of a column. Green or red: "
            + "a difference whose interval leaves out 0.</small></p>\n");
        page.Append(
            HtmlPage.Notes([.. Unfinished(folder) is { } unfinished ? [unfinished] : Array.Empty<string>(), .. table.Notes]));
        page.Append(HtmlPage.Picture("Accuracy", Path.Combine(folder, "plot.png"), "Accuracy of each row"))
            .Append("<p><small>A dot is the mean over the seeds; its bar goes one standard deviation of the seeds to each side, "
                + "and is missing with one seed.</small></p>\n");
        page.Append("<h2>Health of the runs</h2>\n");
        foreach (string run in Directory.GetDirectories(folder).Order(StringComparer.Ordinal))
        {
            var runFolder = new RunFolder(run);
            if (!runFolder.HasRun) continue;
            Recipe recipe = OptionsJson.Read<Recipe>(runFolder.ReadRecipe());
            if (RunHealth.Read(runFolder, recipe) is { } health)
                page.Append(HtmlPage.OfHealth(health, $"{Path.GetFileName(run)}: {health.Verdict(recipe)}"));
        }
        page.Append("<h2>Study</h2><details><summary>Rows, seeds and "
            + "images</summary><pre>" + HtmlPage.Text(RegularFile.ReadAllText(Path.Combine(folder, "study.json")))
            + "</pre></details>\n"
            + $"{HtmlPage.End}");
        string path = Path.Combine(folder, "report.html");
        FileWriting.WriteText(path, page.ToString());
        return path;
    }

    /// <summary>How many runs of a study are done where some are not; null where all are.</summary>
    internal static string? Unfinished(string folder)
    {
        string file = Path.Combine(folder, "study.json");
        if (!File.Exists(file)) return null;
        Study study = OptionsJson.Read<Study>(OptionsJson.ParseFile(file), file);
        int wanted = study.Seeds.Count * study.Rows.Sum(row => row.Each().Count());
        int done = Directory.GetDirectories(folder).Count(run => File.Exists(Path.Combine(run, StudyRun.ScoresName)));
        return done >= wanted ? null
            : $"{done} of {Plural.Of(wanted, "run")} of the study {(done == 1 ? "is" : "are")} done: the table shows these. "
                + "The command `siam study` of this folder goes on.";
    }

    private static StudyTable Read(string file)
    {
        try
        {
            if (JsonSerializer.Deserialize<StudyTable>(RegularFile.ReadAllText(file), OptionsJson.Serializer)
                is { Columns: not null, Rows: not null, RankCorrelations: not null, Notes: not null } table
                && table.Rows.All(r => r is { Name: not null, Cells: not null } && r.Cells.Count == table.Columns.Count))
                return table;
        }
        catch (JsonException)
        {
            // Told below.
        }
        throw new RunException($"{file} is damaged: it is no table of a study. "
            + "Give the command `siam study` of this folder again, which writes it anew.");
    }

    /// <summary>The difference from the row above.</summary>
    private static string Gain(StudyCell? cell)
    {
        if (cell?.Text().Split("; ") is not { Length: 2 } parts) return "";
        string text = HtmlPage.Text(parts[1]);
        return "<br><small>" + (cell.GainIsCertain
            ? $"<span style=\"color:{(cell.Gain > 0 ? "#19703f" : "#c22")}\">{text}</span>" : text) + "</small>";
    }
}

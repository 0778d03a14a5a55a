using System.Text;
using System.Text.Json;
using SiamSharp.Recipes;
using SiamSharp.Studies;
using SiamSharp.Training;

namespace SiamSharp.Reporting;

/// <summary>One self-contained HTML page about a study: its table, its plot, and the health of its runs.</summary>
public static class StudyReport
{
    /// <summary>Writes <c>report.html</c> into a study's folder.</summary>
    /// <param name="folder">Of a study with a table.</param>
    /// <returns>The page.</returns>
    /// <exception cref="RunException">There is no table: no run is done.</exception>
    public static string Write(string folder)
    {
        string file = Path.Combine(folder, "table.json");
        if (!File.Exists(file)) throw new RunException($"{folder} has no table.json yet: no run of the study is done. Go on with `siam study`.");
        StudyTable table = JsonSerializer.Deserialize<StudyTable>(File.ReadAllText(file), OptionsJson.Serializer)!;
        var page = new StringBuilder(HtmlPage.Start(Path.GetFileName(Path.GetFullPath(folder))));
        page.Append(HtmlPage.Table(table.Columns.Select(HtmlPage.Text).Prepend(""), table.Rows.Select(r =>
            r.Cells.Select(c => c is null ? "" : Cell(c)).Prepend(HtmlPage.Text(r.Name)))));
        page.Append($"<p><small>{HtmlPage.Text(table.Explanation)} Bold where the interval leaves out 0.</small></p>\n");
        page.Append(HtmlPage.Picture("Accuracy", Path.Combine(folder, "plot.png"), "Accuracy of each row"));
        page.Append("<h2>Health of the runs</h2>\n");
        foreach (string run in Directory.GetDirectories(folder).Order(StringComparer.Ordinal))
        {
            var runFolder = new RunFolder(run);
            if (!runFolder.HasRun) continue;
            Recipe recipe = OptionsJson.Read<Recipe>(runFolder.ReadRecipe());
            if (RunHealth.Read(runFolder, recipe) is { } health)
                page.Append(HtmlPage.Verdict(health.Problems.Count == 0, $"{Path.GetFileName(run)}: {health.Verdict(recipe)}"));
        }
        page.Append($"<h2>Study</h2><details><summary>Rows, seeds and images</summary><pre>{HtmlPage.Text(File.ReadAllText(Path.Combine(folder, "study.json")))}</pre></details>\n{HtmlPage.End}");
        string path = Path.Combine(folder, "report.html");
        RunFolder.WriteText(path, page.ToString());
        return path;
    }

    private static string Cell(StudyCell cell)
    {
        string[] parts = cell.Text().Split("; ");
        string gain = parts.Length < 2 ? "" : $"<br><small>{(cell.GainIsCertain ? $"<b>{parts[1]}</b>" : parts[1])}</small>";
        return $"<span style=\"white-space:nowrap\">{parts[0]}</span>{gain}";
    }
}

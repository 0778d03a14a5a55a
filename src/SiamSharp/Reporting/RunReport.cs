using System.Globalization;
using System.Net;
using System.Text;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Recipes;
using SiamSharp.Training;

namespace SiamSharp.Reporting;

/// <summary>One self-contained HTML page about a run: what it is worth, what it saw, how it learned, how to repeat it.</summary>
public static class RunReport
{
    /// <summary>Writes views sheet (when images are given), loss curve and page into the run's folder.</summary>
    /// <param name="folder">A finished run.</param>
    /// <param name="images">Images to draw the views of; null keeps the sheet that is there.</param>
    public static void Write(RunFolder folder, ImageDataset? images)
    {
        Recipe recipe = OptionsJson.Read<Recipe>(folder.ReadRecipe());
        if (images is not null)
        {
            using Encoder encoder = Encoder.Load(folder.Encoder);
            ViewSheet.Write(folder.Views, images, recipe.Views, encoder.Preprocessing, (ulong)recipe.Training.Seed);
        }
        LossPlot.Write(folder.Metrics, folder.LossCurve);

        var page = new StringBuilder($"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{Text(Path.GetFileName(folder.Path))} - SiamSharp</title>
            <style>{Style}</style></head><body>
            <h1>{Text(Path.GetFileName(folder.Path))}</h1>
            <p>{Text(Summary(recipe))}</p>

            """);
        if (RunHealth.Read(folder, recipe) is { } health)
            page.Append($"<p class=\"{(health.Problems.Count == 0 ? "healthy" : "collapsed")}\">{Text(health.Verdict(recipe))}</p>\n");
        page.Append(Scores(folder.ReadScores()));
        page.Append(Picture("What the network saw", folder.Views, "Sheet of original images, high-pass, masks and views"));
        page.Append(Picture("How it learned", folder.LossCurve, "Loss over steps"));
        if (File.Exists(folder.Skipped) && File.ReadLines(folder.Skipped).Count() is > 0 and var skipped)
            page.Append($"<h2>Left out</h2><p>{skipped} files could not be read; skipped.jsonl names them with the reason.</p>\n");
        page.Append($"<h2>Recipe</h2><details><summary>All options</summary><pre>{Text(File.ReadAllText(folder.Recipe))}</pre></details>\n</body></html>\n");
        RunFolder.WriteText(folder.Report, page.ToString());
    }

    private const string Style = """
        body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
        h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}
        img{max-width:100%;image-rendering:auto;border:1px solid #ddd}
        table{border-collapse:collapse}th,td{padding:.3rem .9rem;border-bottom:1px solid #ddd;text-align:right}
        th:first-child,td:first-child{text-align:left}tr.pretrained{font-weight:600}
        p.healthy,p.collapsed{border-left:4px solid #2e8b57;padding:.3rem .9rem;background:#f6f6f6}p.collapsed{border-color:#c22}
        pre{font-size:13px;background:#f6f6f6;padding:1rem;overflow:auto}small{color:#666}
        @media print{details{display:none}h2{break-after:avoid}}
        """;

    private static string Summary(Recipe recipe) =>
        $"{OptionsJson.KindOf(recipe.Method)} on {recipe.Backbone.Name}, views '{recipe.Views.Preset}', {recipe.Training.Epochs} epochs of batch "
        + $"{recipe.Training.BatchSize} at {recipe.Data.Size} pixels, seed {recipe.Training.Seed}.";

    private static string Scores(IReadOnlyList<Score> scores)
    {
        if (scores.Count == 0)
            return "<h2>What it is worth</h2><p>Not judged yet: <code>siam evaluate knn --run DIR --train SRC --test SRC</code>.</p>\n";
        var html = new StringBuilder("<h2>What it is worth</h2>\n");
        foreach (var data in scores.GroupBy(s => (s.DataHash, s.TrainCount, s.TestCount)))
        {
            string[] columns = [.. data.OrderBy(s => s.Shots).Select(s => s.Title).Distinct()];
            html.Append($"<table><tr><th>representation</th>{string.Concat(columns.Select(c => $"<th>{c}</th>"))}</tr>\n");
            foreach (var row in data.GroupBy(s => s.Encoder))
            {
                IEnumerable<string> cells = columns.Select(c => row.LastOrDefault(s => s.Title == c) is { } s
                    ? s.Shown + (s.Ci95 is double ci ? $" &plusmn; {ci.ToString("F4", CultureInfo.InvariantCulture)}" : "")
                    : "");
                html.Append($"<tr class=\"{row.Key}\"><td>{Text(row.Key)}</td>{string.Concat(cells.Select(c => $"<td>{c}</td>"))}</tr>\n");
            }
            html.Append($"</table>\n<p><small>Top-1 accuracy on {data.Key.TestCount:N0} test images with {data.Key.TrainCount:N0} labelled ones; "
                + $"data {Text(data.Key.DataHash)}.</small></p>\n");
        }
        return html.ToString();
    }

    private static string Picture(string title, string path, string alternative) => File.Exists(path)
        ? $"<h2>{title}</h2><img alt=\"{alternative}\" src=\"data:image/png;base64,{Convert.ToBase64String(File.ReadAllBytes(path))}\">\n"
        : "";

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}

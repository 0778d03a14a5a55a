using System.Globalization;
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

        var page = new StringBuilder(HtmlPage.Start(Path.GetFileName(folder.Path)));
        page.Append($"<p>{HtmlPage.Text(Summary(recipe))}</p>\n");
        if (RunHealth.Read(folder, recipe) is { } health) page.Append(HtmlPage.Verdict(health.Problems.Count == 0, health.Verdict(recipe)));
        IReadOnlyList<Score> scores = folder.ReadScores();
        page.Append(Scores([.. scores.Where(s => s.Corruption is null)]));
        page.Append(OnCorruptions([.. scores.Where(s => s.Corruption is not null)]));
        page.Append(Confusions(folder));
        if (File.Exists(folder.Gallery)) page.Append(File.ReadAllText(folder.Gallery));
        page.Append(HtmlPage.Picture("What the network saw", folder.Views, "Sheet of original images, high-pass, masks and views"));
        page.Append(HtmlPage.Picture("How it learned", folder.LossCurve, "Loss over steps"));
        if (File.Exists(folder.Skipped) && File.ReadLines(folder.Skipped).Count() is > 0 and var skipped)
            page.Append($"<h2>Left out</h2><p>{skipped} files could not be read; skipped.jsonl names them with the reason.</p>\n");
        page.Append($"<h2>Recipe</h2><details><summary>All options</summary><pre>{HtmlPage.Text(folder.ReadRecipe().ToJsonString(OptionsJson.Serializer))}</pre></details>\n{HtmlPage.End}");
        RunFolder.WriteText(folder.Report, page.ToString());
    }

    private const int MostClasses = 30;

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
            html.Append(HtmlPage.Table(columns.Prepend("representation"), data.GroupBy(s => s.Encoder).Select(row => columns
                .Select(c => row.LastOrDefault(s => s.Title == c) is { } s
                    ? Marked(row.Key, s.Shown + (s.Ci95 is double ci ? $"<br><small>&plusmn;&nbsp;{HtmlPage.Number(ci, "F4")}</small>" : ""))
                    : "")
                .Prepend(Marked(row.Key, HtmlPage.Text(row.Key))))));
            html.Append($"<p><small>Top-1 accuracy on {data.Key.TestCount:N0} test images{Named(data.First().Test)} with {data.Key.TrainCount:N0} labelled ones{Named(data.First().Train)}"
                + $"{(data.Any(s => s.Ci95 is not null) ? "; &plusmn;: 95 % interval over the draws" : "")}.</small></p>\n");
        }
        return html.ToString();
    }

    private static string Named(string? source) => source is null ? "" : $" ({HtmlPage.Text(source)})";

    private static string Marked(string encoder, string cell) => encoder == "pretrained" ? $"<b>{cell}</b>" : cell;

    private static string OnCorruptions(IReadOnlyList<Score> scores)
    {
        if (scores.Count == 0) return "";
        string[] encoders = [.. scores.Select(s => s.Encoder).Distinct()];
        return "<h2>On corrupted images</h2>\n" + HtmlPage.Table(encoders.Prepend("corruption"), scores.GroupBy(s => s.Corruption!).Select(row => encoders
                .Select(e => row.LastOrDefault(s => s.Encoder == e) is { } s ? Marked(e, s.Shown) : "").Prepend(row.Key)))
            + "<p><small>Top-1 accuracy of the linear probe, fitted on images as they are; mean over five severities.</small></p>\n";
    }

    /// <summary>The confusion-*.csv of the folder; those of more classes than a page has room for are named only.</summary>
    private static string Confusions(RunFolder folder)
    {
        var html = new StringBuilder();
        foreach (string file in Directory.GetFiles(folder.Path, "confusion-*.csv").Order(StringComparer.Ordinal))
        {
            List<(int Line, string[] Fields)> rows = CsvRows.Parse(file, File.ReadAllText(file));
            string name = Path.GetFileNameWithoutExtension(file)["confusion-".Length..];
            html.Append($"<h2>What was taken for what ({HtmlPage.Text(name)})</h2>\n");
            if (rows.Count - 1 > MostClasses)
            {
                html.Append($"<p>{rows.Count - 1} classes: see {HtmlPage.Text(Path.GetFileName(file))}.</p>\n");
                continue;
            }
            html.Append(HtmlPage.Table(rows[0].Fields.Select(HtmlPage.Text),
                    rows.Skip(1).Select(r => r.Fields.Select((f, k) => k == 0 ? HtmlPage.Text(f) : Shade(f, r.Fields, k))), "confusion"))
                .Append("<p><small>Rows: the true class; columns: what the pretrained encoder took its test images for.</small></p>\n");
        }
        return html.ToString();

        static string Shade(string count, string[] row, int column)
        {
            if (column == row.Length - 1) return count;
            double all = row[1..^1].Sum(f => double.Parse(f, CultureInfo.InvariantCulture));
            double share = all > 0 ? double.Parse(count, CultureInfo.InvariantCulture) / all : 0;
            return $"<span style=\"display:block;background:rgba(70,130,180,{HtmlPage.Number(share, "F2")})\">{count}</span>";
        }
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;
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
            using Encoder encoder = folder.LoadEncoder();
            ViewSheet.Write(folder.ViewsPath, images, recipe.Views, encoder.Preprocessing, (ulong)recipe.Training.Seed);
            ReportedImages.Keep(folder, images);
            folder.WriteNotes(images.Notes);
        }
        // a curve that was drawn from the whole file stays
        if (folder.MetricsFault() is null || !File.Exists(folder.LossCurvePath))
            LossPlot.Write(folder.MetricsPath, folder.LossCurvePath);

        IReadOnlyList<Score> stored = folder.ReadScores();
        var groups = stored.Except(folder.ForeignScores(stored)).GroupBy(s => s.DataHash).Select(g =>
            (Scores: (IReadOnlyList<Score>)[.. g], Verdict: ScoreVerdict.Of([.. g], recipe.Training.Epochs))).ToArray();
        var page = new StringBuilder(HtmlPage.Start(Path.GetFileName(folder.Path)));
        page.Append($"<p>{HtmlPage.Text(Summary(recipe, ReportedImages.Read(folder)))}</p>\n");
        page.Append(HtmlPage.Notes([.. Notes(folder)]));
        if (RunHealth.Read(folder, recipe) is { } health)
        {
            // Of an encoder that is not better than the pixels nobody should read that it is healthy.
            bool useless = health.State == HealthState.Healthy && groups.Any(g => g.Verdict is { IsBetter: false });
            string verdict = health.Verdict(recipe);
            page.Append(useless
                ? HtmlPage.Verdict(null, verdict.Replace("Healthy:", "No sign of a collapse:", StringComparison.Ordinal))
                : HtmlPage.OfHealth(health, verdict));
        }
        page.Append("<h2>What it is worth</h2>\n");
        if (groups.Length == 0)
            page.Append($"<p>Not judged yet: <code>siam evaluate all --run {HtmlPage.Text(folder.Path)} "
                + "--train SRC --test SRC</code></p>\n");
        foreach (var (scores, verdict) in groups) page.Append(Scores(scores, verdict));
        page.Append(Confusions(folder));
        if (File.Exists(folder.GalleryPath)) page.Append(Gallery.PartOf(RegularFile.ReadAllText(folder.GalleryPath)));
        page.Append(
            HtmlPage.Picture("What the network saw", folder.ViewsPath, "Sheet of original images, high-pass, masks and views"));
        page.Append(HtmlPage.Picture("How it learned", folder.LossCurvePath, "Loss over steps"));
        page.Append(LeftOut(folder));
        page.Append("<h2>Recipe</h2><details><summary>All "
            + $"options</summary><pre>{HtmlPage.Text(folder.ReadRecipe().ToJsonString(OptionsJson.Serializer))}</pre></details>\n"
            + $"{HtmlPage.End}");
        FileWriting.WriteText(folder.ReportPath, page.ToString());
    }

    private const int MaxClasses = 30, MaxLeftOut = 10;

    /// <summary>With fewer, chance moves an accuracy by more than two hundredths.</summary>
    private const int FewTestImages = 2_000;

    private static string Summary(Recipe recipe, ReportedImages? images) =>
        $"{OptionsJson.KindOf(recipe.Method)} on {Network(recipe, images)}, views '{recipe.Views.Preset}', "
        + $"{Plural.Of(recipe.Training.Epochs, "epoch")} of "
        + (images is null ? ""
            : $"{Plural.Of(images.Count, "image")} ({images.Name}, {Plural.Of(images.Channels, "channel")}) in ")
        + $"batches of {recipe.Training.BatchSize} at {recipe.Data.Size} pixels, seed {recipe.Training.Seed}.";

    private static string Network(Recipe recipe, ReportedImages? images)
    {
        int channels = images?.Channels ?? (recipe.Data.Channels > 0 ? recipe.Data.Channels : 3);
        return $"a {recipe.Backbone.Describe(channels, recipe.Data.Size)}"
            + (recipe.Backbone.Weights.Length > 0 ? $", from the weights in {Path.GetFileName(recipe.Backbone.Weights)}" : "");
    }

    private static IEnumerable<string> Notes(RunFolder folder)
    {
        if (folder.Unfinished is { } unfinished) yield return unfinished;
        if (ReportedImages.Read(folder) is { Skipped: > 0 } images)
            yield return $"{images.Skipped:N0} of {Plural.Of(images.Skipped + images.Count, "file")} in {images.Name} cannot be "
                + $"read and {(images.Skipped == 1 ? "is" : "are")} left out.";
        foreach (string note in folder.ReadNotes()) yield return note;
    }

    /// <summary>All scores on the same images.</summary>
    private static string Scores(IReadOnlyList<Score> all, ScoreVerdict? verdict)
    {
        var html = new StringBuilder();
        if (verdict is not null)
            html.Append(HtmlPage.Verdict(!verdict.IsBetter ? false : verdict.IsCertain ? true : null, verdict.Text));
        Score[] scores = [.. all.Where(s => s.Corruption is null)], corrupted = [.. all.Where(s => s.Corruption is not null)];
        Score first = all[0];
        string images = $"{Plural.Of(first.TestCount, "test image")}{Named(first.Test)} with "
            + $"{Plural.Of(all.Max(s => s.TrainCount), "labelled one")}{Named(first.Train)}";
        string[] rows = [.. all.Select(s => s.Representation).Distinct()];
        if (scores.Length > 0)
        {
            string[] columns =
                [.. scores.OrderBy(s => s.Metric == "rankme").ThenBy(s => s.Shots).Select(s => s.Title).Distinct()];
            var cells = columns.Select(c =>
                HtmlPage.BestInBold([.. rows.Select(r => scores.LastOrDefault(s => s.Representation == r && s.Title == c) is { } s
                    ? ($"{s.Shown}{Interval(s)}", s.Value) : ("", double.NaN))])).ToArray();
            html.Append(HtmlPage.Table(columns.Select(HtmlPage.Text).Prepend("representation"),
                rows.Index().Select(r => cells.Select(c => c[r.Index]).Prepend(HtmlPage.Text(r.Item)))));
            html.Append($"<p><small>Top-1 accuracy on {images}; the best in bold"
                + (scores.Any(s => s.Ci95 is null && Interval(s).Length > 0)
                    ? "; below an accuracy the 95 % interval that so few test images leave open (Wilson)" : "")
                + $"{(scores.Any(s => s.Ci95 is not null) ? "; &plusmn;: 95 % interval over the draws" : "")}"
                + $"{(scores.Any(s => s.Metric == "rankme") ? "; RankMe: dimensions in use" : "")}.</small></p>\n");
        }
        if (corrupted.Length > 0)
        {
            string[] encoders = [.. corrupted.Select(s => s.Representation).Distinct()];
            html.Append("<h2>On corrupted images</h2>\n").Append(HtmlPage.Table(
                encoders.Select(HtmlPage.Text).Prepend("corruption"), corrupted.GroupBy(s => s.Corruption!).Select(row =>
                    HtmlPage.BestInBold([.. encoders.Select(e => row.LastOrDefault(s => s.Representation == e) is { } s
                        ? (s.Shown, s.Value) : ("", double.NaN))]).Prepend(HtmlPage.Text(row.Key)))));
            html.Append("<p><small>Top-1 accuracy of the linear probe, fitted on images as they are; mean over five severities; "
                + $"the best in bold; {images}.</small></p>\n");
        }
        string[] notes = [.. all.SelectMany(EvaluationSet.NotesOf).Distinct()];
        string[] advice =
            [.. all.Select(s => s.K is int k ? EvaluationSet.VoteOfAll(k, s.TrainCount) : null).OfType<string>().Distinct()];
        return html.Append(HtmlPage.Notes([.. notes, .. advice])).ToString();
    }

    private static string Interval(Score score) =>
        score.Ci95 is double ci ? $"<br><small>&plusmn;&nbsp;{HtmlPage.Number(ci, "F4")}</small>"
        : score.TestCount < FewTestImages && score.Interval is var (low, high)
        ? $"<br><small>{HtmlPage.Number(low, "F3")} to {HtmlPage.Number(high, "F3")}</small>"
        : "";

    private static string Named(string? source) => source is null ? "" : $" ({HtmlPage.Text(source)})";

    /// <summary>The files that could not be read, the first ones by name.</summary>
    private static string LeftOut(RunFolder folder)
    {
        if (!File.Exists(folder.SkippedPath)) return "";
        string[] lines = [.. RegularFile.ReadLines(folder.SkippedPath).Where(l => l.Length > 0)];
        if (lines.Length == 0) return "";
        string[] named = [.. lines.Take(MaxLeftOut).Select(Sentence).OfType<string>()];
        return $"<h2>Left out</h2><p>{Plural.Of(lines.Length, "file")} could not be read; "
            + $"skipped.jsonl names {(lines.Length == 1 ? "it" : "them")} with the reason.</p>\n"
            + HtmlPage.Notes([.. named,
                .. lines.Length > named.Length ? [$"and {lines.Length - named.Length:N0} more"] : Array.Empty<string>()]);

        static string? Sentence(string line)
        {
            try
            {
                return JsonNode.Parse(line) is JsonObject file ? $"{file["path"]}: {file["reason"]}" : null;
            }
            catch (JsonException)
            {
                return null; // torn by a crash
            }
        }
    }

    /// <summary>The confusion-*.csv of the folder; those of more classes than a page has room for are named only.</summary>
    private static string Confusions(RunFolder folder)
    {
        var html = new StringBuilder();
        foreach (string file in folder.ConfusionPaths)
        {
            string name = Path.GetFileNameWithoutExtension(file)["confusion-".Length..];
            if (Rows(file) is not { } rows)
            {
                html.Append($"<p>{HtmlPage.Text(Path.GetFileName(file))} is damaged; judging again writes it anew.</p>\n");
                continue;
            }
            html.Append($"<h2>What was taken for what ({HtmlPage.Text(name)})</h2>\n");
            if (rows.Count - 1 > MaxClasses)
            {
                html.Append($"<p>{rows.Count - 1} classes: see {HtmlPage.Text(Path.GetFileName(file))}.</p>\n");
                continue;
            }
            html.Append(HtmlPage.Table(rows[0].Fields.Select(HtmlPage.Text),
                    rows.Skip(1).Select(r => r.Fields.Select((f, k) => k == 0 ? HtmlPage.Text(f) : Shade(f, r.Fields, k))),
                    "confusion"))
                .Append("<p><small>Rows: the true class; columns: "
                    + "what the pretrained encoder took its test images for.</small></p>\n");
        }
        return html.ToString();

        static List<(int Line, string[] Fields)>? Rows(string file)
        {
            try
            {
                List<(int Line, string[] Fields)> rows = CsvRows.Parse(file, RegularFile.ReadAllText(file));
                bool whole = rows.Count > 1 && rows.All(r => r.Fields.Length == rows[0].Fields.Length)
                    && rows.Skip(1).All(r =>
                        r.Fields[1..^1].All(f => double.TryParse(f, NumberStyles.Float, CultureInfo.InvariantCulture, out _)));
                return whole ? rows : null;
            }
            catch (DataSourceException)
            {
                return null;
            }
        }

        static string Shade(string count, string[] row, int column)
        {
            if (column == row.Length - 1) return HtmlPage.Text(count);
            double all = row[1..^1].Sum(f => double.Parse(f, CultureInfo.InvariantCulture));
            double share = all > 0 ? double.Parse(count, CultureInfo.InvariantCulture) / all : 0;
            return "<span "
                + "style=\"display:block;background:rgba(70,130,180,"
                + $"{HtmlPage.Number(share, "F2")})\">{HtmlPage.Text(count)}</span>";
        }
    }
}

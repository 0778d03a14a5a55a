using System.Globalization;
using System.Net;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Training;

namespace SiamSharp.Reporting;

/// <summary>What the pages have in common: self-contained, readable without scripts, fit for printing.</summary>
internal static class HtmlPage
{
    private const string Style = """
        body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
        h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}
        img{max-width:100%;image-rendering:auto;border:1px solid #ddd}ul.notes{margin:.3rem 0;padding-left:1.2rem}
        body{overflow-wrap:anywhere}.wide{overflow-x:auto;overflow-wrap:normal}
        /* A shadow at the side at which a table goes on. */
        .wide{background:linear-gradient(to right,#fff 40%,#fff0) 0 0/2rem 100% local,
        linear-gradient(to left,#fff 40%,#fff0) 100% 0/2rem 100% local,
        linear-gradient(to right,#0003,#0000) 0 0/.7rem 100%,
        linear-gradient(to left,#0003,#0000) 100% 0/.7rem 100%;background-repeat:no-repeat}
        table{border-collapse:collapse}th,td{padding:.3rem .7rem;border-bottom:1px solid #ddd;text-align:right}
        th{white-space:nowrap}
        th:first-child,td:first-child{text-align:left}td small,th small{white-space:nowrap;font-weight:400}
        table.confusion{font-size:.8rem}table.confusion th,table.confusion td{padding:.15rem .4rem}
        table.confusion th{white-space:normal}
        p.good,p.unsure,p.bad{border-left:4px solid #2e8b57;padding:.3rem .9rem;background:#f6f6f6}
        p.unsure{border-color:#999}p.bad{border-color:#c22}
        @media(max-width:30rem){th,td{padding:.3rem .4rem}body{margin:1rem auto}}
        pre{font-size:13px;background:#f6f6f6;padding:1rem;overflow:auto}small{color:#666}
        @media print{details{display:none}h2{break-after:avoid}table,svg,img{break-inside:avoid}
        *{print-color-adjust:exact;-webkit-print-color-adjust:exact}}

        """;

    /// <summary>Everything up to the first paragraph.</summary>
    internal static string Start(string title) => $"""
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>{Text(title)} - SiamSharp</title>
        <style>{Style}</style></head><body>
        <h1>{Text(title)}</h1>

        """;

    internal const string End = "</body></html>\n";

    /// <summary>A judgement, with a mark in green (true), red (false) or grey (null).</summary>
    internal static string Verdict(bool? good, string text) =>
        $"<p class=\"{good switch { true => "good", false => "bad", _ => "unsure" }}\">{Text(text)}</p>\n";

    internal static string OfHealth(RunHealth health, string text) =>
        Verdict(health.State switch { HealthState.Healthy => true, HealthState.Undecided => null, _ => false }, text);

    /// <summary>Sentences, one below the other; nothing where there are none.</summary>
    internal static string Notes(IReadOnlyList<string> notes) =>
        notes.Count == 0 ? "" : $"<ul class=\"notes\">{string.Concat(notes.Select(n => $"<li>{Text(n)}</li>"))}</ul>\n";

    /// <summary>Cells of one measure, the largest in bold; of equal ones all, but none where all are.</summary>
    /// <param name="cells">HTML, with the value; NaN = no value.</param>
    internal static IReadOnlyList<string> BestInBold(IReadOnlyList<(string Html, double Value)> cells)
    {
        double[] values = [.. cells.Select(c => c.Value).Where(double.IsFinite)];
        return [.. cells.Select(c =>
            values.Length > 1 && c.Value == values.Max() && values.Min() < values.Max() ? $"<b>{c.Html}</b>" : c.Html)];
    }

    internal static string Picture(string title, string path, string alternative) => File.Exists(path)
        ? $"<h2>{Text(title)}</h2><img alt=\"{Text(alternative)}\" "
            + $"src=\"data:image/png;base64,{Convert.ToBase64String(RegularFile.ReadAllBytes(path))}\">\n"
        : "";

    /// <summary>A table; cells are HTML.</summary>
    internal static string Table(IEnumerable<string> head, IEnumerable<IEnumerable<string>> rows, string kind = "") =>
        $"<div class=\"wide\"><table class=\"{kind}\"><tr>{string.Concat(head.Select(h => $"<th>{h}</th>"))}</tr>\n"
        + string.Concat(rows.Select(r => $"<tr>{string.Concat(r.Select(c => $"<td>{c}</td>"))}</tr>\n")) + "</table></div>\n";

    /// <summary>Words of any origin as HTML; control characters but line feeds are written out.</summary>
    internal static string Text(string text) => WebUtility.HtmlEncode(Shown.Lines(text));

    internal static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}

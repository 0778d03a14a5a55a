using System.Text.Json.Nodes;
using ScottPlot;
using SkiaSharp;

namespace SiamSharp.Reporting;

/// <summary>The loss over the steps of a run, drawn from its metrics.jsonl.</summary>
public static class LossPlot
{
    private const string FontName = "SiamSharp Roboto";

    static LossPlot() => Fonts.FontResolvers.Add(new EmbeddedFont());

    /// <summary>Draws a PNG.</summary>
    /// <param name="metrics">A run's metrics.jsonl.</param>
    /// <param name="path">Where to write the picture.</param>
    public static void Write(string metrics, string path)
    {
        JsonNode[] lines = [.. File.ReadLines(metrics).Select(line => JsonNode.Parse(line)!)];
        double[] steps = [.. lines.Select(line => line["step"]!.GetValue<double>())];
        double[] loss = [.. lines.Select(line => line["loss"]!.GetValue<double>())];

        using var plot = new Plot();
        var curve = plot.Add.ScatterLine(steps, loss);
        curve.Color = Colors.SteelBlue;
        curve.LineWidth = 2;
        plot.XLabel("step", 14);
        plot.YLabel("loss", 14);
        plot.Axes.Bottom.Label.Bold = plot.Axes.Left.Label.Bold = false;
        plot.Font.Set(FontName);
        plot.Axes.Margins(left: 0.01, right: 0.01);
        plot.SavePng(path, 900, 380);
    }

    /// <summary>The views sheet's typeface, so that no system font is needed.</summary>
    private sealed class EmbeddedFont : IFontResolver
    {
        public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) =>
            fontName == FontName ? SheetDrawing.OpenTypeface() : null;

        public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) =>
            fontName == FontName ? SheetDrawing.OpenTypeface() : null;
    }
}

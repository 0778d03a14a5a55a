using System.Text.Json.Nodes;
using ScottPlot;
using ScottPlot.TickGenerators;
using SiamSharp.Files;
using SiamSharp.Training;

namespace SiamSharp.Reporting;

/// <summary>The loss over the steps of a run, drawn from its metrics.jsonl.</summary>
internal static class LossPlot
{
    private const int FewLines = 40;

    /// <summary>Draws a PNG.</summary>
    /// <param name="metrics">A run's metrics.jsonl; lines that are damaged are left out.</param>
    /// <param name="path">Where to write the picture.</param>
    public static void Write(string metrics, string path)
    {
        IReadOnlyList<JsonObject> lines = MetricsLog.Read(metrics).Lines;
        if (lines.Count == 0) return; // a picture that is there stays
        using var plot = new Plot();
        double[] steps = [.. lines.Select(line => line["step"]!.GetValue<double>())],
            losses = [.. lines.Select(line => line["loss"]!.GetValue<double>())];
        var curve = plot.Add.ScatterLine(steps, losses);
        curve.Color = Colors.SteelBlue;
        curve.LineWidth = 2;
        if (lines.Count < FewLines)
            (curve.MarkerShape, curve.MarkerSize, curve.MarkerFillColor) = (MarkerShape.FilledCircle, 6, Colors.SteelBlue);
        plot.XLabel("step", 14);
        plot.YLabel("loss", 14);
        plot.Axes.Bottom.Label.Bold = plot.Axes.Left.Label.Bold = false;
        plot.Axes.Bottom.TickGenerator = new NumericAutomatic { IntegerTicksOnly = true, TickDensity = 0.5 };
        plot.Axes.Bottom.MinorTickStyle.Length = 0;
        PlotFont.Use(plot);
        plot.Axes.Margins(left: 0.01, right: 0.01);
        FileWriting.Replacing(path, partial => plot.SavePng(partial, 900, 380));
    }
}

using ScottPlot;
using SiamSharp.Files;
using SiamSharp.Reporting;

namespace SiamSharp.Studies;

/// <summary>A study's table as dots: rows from top to bottom, accuracy from left to right, a colour for each column.</summary>
internal static class StudyPlot
{
    private const int Width = 960, RowHeight = 30, Frame = 130;

    private static readonly Color[] s_colours = [Colors.SteelBlue, Colors.DarkOrange, Colors.SeaGreen, Colors.MediumPurple,
        Colors.Crimson, Colors.Teal, Colors.SaddleBrown];

    /// <summary>Draws a PNG; the bars are one standard deviation to each side.</summary>
    /// <param name="table">Columns that are no accuracy (RankMe) are left out.</param>
    /// <param name="path">Where to write the picture.</param>
    public static void Write(StudyTable table, string path)
    {
        using var plot = new Plot();
        int count = table.Rows.Count;
        foreach (var (c, column) in table.Columns.Index().Where(c => c.Item != "RankMe"))
        {
            var (x, y, spread) = (new List<double>(), new List<double>(), new List<double>());
            foreach (var (r, row) in table.Rows.Index())
            {
                if (row.Cells[c] is not { } cell) continue;
                x.Add(cell.Mean);
                y.Add(count - 1 - r);
                spread.Add(cell.Std);
            }
            if (x.Count == 0) continue;
            Color colour = s_colours[c % s_colours.Length];
            var dots = plot.Add.ScatterPoints(x, y, colour);
            dots.MarkerSize = 9;
            dots.LegendText = column;
            plot.Add.Plottable(
                new ScottPlot.Plottables.ErrorBar(x, y, spread, spread, null, null) { Color = colour, LineWidth = 2 });
        }
        plot.Axes.Left.SetTicks([.. Enumerable.Range(0, count).Select(i => (double)i)],
            [.. table.Rows.Reverse().Select(r => r.Name)]);
        plot.Axes.Left.MajorTickStyle.Length = 0;
        plot.Axes.SetLimitsY(-0.6, count - 0.4);
        plot.XLabel("top-1 accuracy   (dot: mean over the seeds; bar: one standard deviation of the seeds to each side)", 13);
        plot.Axes.Bottom.Label.Bold = false;
        plot.Grid.MajorLineColor = Colors.Black.WithOpacity(0.08);
        plot.ShowLegend(Edge.Top);
        plot.Legend.Orientation = Orientation.Horizontal;
        plot.Legend.OutlineWidth = 0;
        plot.Legend.ShadowColor = Colors.Transparent;
        PlotFont.Use(plot);
        FileWriting.Replacing(path, partial => plot.SavePng(partial, Width, Frame + RowHeight * count));
    }
}

using ScottPlot;
using SkiaSharp;

namespace SiamSharp.Reporting;

/// <summary>The views sheet's typeface for plots, so that no system font is needed.</summary>
internal static class PlotFont
{
    private const string Name = "SiamSharp Roboto";

    static PlotFont() => Fonts.FontResolvers.Add(new Embedded());

    /// <summary>Sets all text of a plot in it.</summary>
    public static void Use(Plot plot)
    {
        plot.Font.Set(Name);
        plot.Legend.FontName = Name;
    }

    private sealed class Embedded : IFontResolver
    {
        public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) =>
            fontName == Name ? SheetDrawing.OpenTypeface() : null;

        public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) =>
            fontName == Name ? SheetDrawing.OpenTypeface() : null;
    }
}

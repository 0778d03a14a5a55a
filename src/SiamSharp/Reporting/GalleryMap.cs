using System.Globalization;
using System.Text;
using SiamSharp.Data;
using static TorchSharp.torch;

namespace SiamSharp.Reporting;

/// <summary>The map of a gallery: the images as dots in the colours of their classes.</summary>
internal static class GalleryMap
{
    private const int MapSide = 900;

    private static readonly string[] s_colours =
        ["#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#9c755f", "#ff9da7", "#76b7b2", "#edc948", "#79706e"];

    /// <summary>A picture with a dot for each image.</summary>
    internal static string Draw(Tensor places, ImageDataset images, int[] indexes)
    {
        Tensor low = places.amin([0], keepdim: true), high = places.amax([0], keepdim: true);
        double[] at = ((places - low) / (high - low).clamp_min_(Native.HeldScalars.Held(1e-12))).data<double>().ToArray();
        var svg = new StringBuilder(
            $"<svg id=\"map\" viewBox=\"0 0 {MapSide} {MapSide}\" role=\"img\" aria-label=\"Map of the representations\">\n");
        for (int n = 0; n < indexes.Length; n++)
        {
            string x = HtmlPage.Number(10 + at[2 * n] * (MapSide - 20), "F1"),
                y = HtmlPage.Number(10 + at[2 * n + 1] * (MapSide - 20), "F1");
            svg.Append($"<circle cx=\"{x}\" cy=\"{y}\" r=\"5\" fill=\"{Colour(images, indexes[n])}\" "
                + $"data-n=\"{n}\"><title>{HtmlPage.Text(Describe(images, indexes[n]))}</title></circle>\n");
        }
        return svg.Append("</svg>\n").ToString();
    }

    /// <summary>Which colour is which class; empty where there are too many.</summary>
    internal static string Key(ImageDataset images) => images.ClassNames is not { Count: <= 30 } names ? "" :
        "<p class=\"key\">" + string.Concat(names.Select((name, k) =>
            $"<span><i style=\"background:{ColourOf(k, names.Count)}\"></i>{HtmlPage.Text(name)}</span>")) + "</p>\n";

    /// <summary>An image in words: its class and its name.</summary>
    internal static string Describe(ImageDataset images, int index) =>
        images.Labels is { } labels && labels[index] >= 0
            ? $"{images.ClassNames![labels[index]]}: {images.PathOf(index)}" : images.PathOf(index);

    private static string Colour(ImageDataset images, int index) =>
        images.Labels is { } labels ? labels[index] >= 0 ? ColourOf(labels[index], images.ClassNames!.Count) : "#bbb" : "#4e79a7";

    private static string ColourOf(int label, int classes) => classes <= s_colours.Length
        ? s_colours[label]
        : string.Create(CultureInfo.InvariantCulture, $"hsl({label * 137.508 % 360:F0} 65% {45 + 15 * (label % 2)}%)");
}

using System.Globalization;
using SiamSharp.Data;
using SiamSharp.Views;
using SkiaSharp;
using static TorchSharp.torch;

namespace SiamSharp.Reporting;

/// <summary>An image that a search found.</summary>
/// <param name="Path">Where it comes from.</param>
/// <param name="Label">Its label, or null.</param>
/// <param name="Cosine">How like the query it is.</param>
/// <param name="Image">Its pixels, square and as large as the query's, or null where they are not at hand.</param>
internal sealed record SearchHit(string Path, string? Label, float Cosine, Pixels? Image);

/// <summary>A sheet with a query and the images that are most like it.</summary>
internal static class SearchSheet
{
    private const int Columns = 6;

    /// <summary>Draws the sheet.</summary>
    /// <param name="path">Where to write the PNG.</param>
    /// <param name="queryPath">Where the query comes from.</param>
    /// <param name="query">Its pixels, square.</param>
    /// <param name="hits">Best first, one or more.</param>
    public static void Write(string path, string queryPath, Pixels query, IReadOnlyList<SearchHit> hits)
    {
        var cells = new List<(string Caption, Pixels? Image)> { ("query", query) };
        cells.AddRange(hits.Select(hit =>
            ($"{hit.Cosine.ToString("F3", CultureInfo.InvariantCulture)} {hit.Label ?? Path.GetFileName(hit.Path)}", hit.Image)));
        SheetDrawing.WriteGrid(path, "Most alike", queryPath, Columns,
            [.. cells.Select(cell => (cell.Caption, Picture(cell.Image, query)))]);
    }

    /// <summary>The image in its own tones, or grey where there is none.</summary>
    private static SKBitmap Picture(Pixels? image, Pixels query)
    {
        if (image is null || image.Channels != query.Channels || image.Height != query.Height)
        {
            var blank = new SKBitmap(query.Width, query.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
            blank.Erase(new SKColor(0xDD, 0xDD, 0xDD));
            return blank;
        }
        float[] values = new float[image.Values.Length];
        image.CopyTo(values);
        using Tensor pixels = tensor(values, [1, image.Channels, image.Height, image.Width]);
        var plain = new Preprocessing(new HighPassOptions { Sigma = 0 }, new double[image.Channels],
            [.. Enumerable.Repeat(1.0, image.Channels)]);
        return new SheetTones(plain, pixels).Pixels(pixels)[0];
    }
}

using System.Globalization;
using System.Text;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SkiaSharp;
using static TorchSharp.torch;

namespace SiamSharp.Reporting;

/// <summary>The part of a page that shows how an encoder sees images: a map with the images on hover, nearest neighbours, the spectrum.</summary>
public static class Gallery
{
    /// <summary>Images on the map at most.</summary>
    public const int MostImages = 1000;

    private const int TilesInRow = 40, LargestTile = 40, Queries = 10, Neighbours = 9, MapSide = 900;

    private static readonly string[] s_colours =
        ["#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#9c755f", "#ff9da7", "#76b7b2", "#edc948", "#79706e"];

    /// <summary>Makes the part of the page, self-contained.</summary>
    /// <param name="encoder">Of the run.</param>
    /// <param name="images">4 or more, with or without labels; up to 1,000, spread evenly, are shown.</param>
    /// <param name="batchSize">Images per forward pass.</param>
    /// <param name="cancel">Stops between two batches.</param>
    /// <exception cref="DataSourceException">The images have another number of channels, or there are fewer than 4.</exception>
    public static string Html(Encoder encoder, ImageDataset images, int batchSize, CancellationToken cancel = default)
    {
        Features.CheckChannels(encoder, images);
        if (images.Count < 4) throw new DataSourceException($"A map needs 4 images or more, but {images.Name} has {images.Count}.");
        int count = Math.Min(MostImages, images.Count);
        int[] indexes = [.. Enumerable.Range(0, count).Select(i => (int)((long)i * images.Count / count))];
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        foreach (int[] chunk in indexes.Chunk(batchSize))
        {
            cancel.ThrowIfCancellationRequested();
            using Tensor batch = images.Batch(chunk);
            parts.Add(encoder.Encode(batch));
        }
        Tensor representations = cat(parts);
        string sprite = Sprite(encoder, images, indexes, out int tile);
        string map = Map(NeighbourMap.Of(representations, cancel: cancel), images, indexes);
        double[] spectrum = Spectrum.SingularValues(representations);

        return $$"""
            <style>
            .tile{display:inline-block;width:{{tile}}px;height:{{tile}}px;margin:1px;background-image:url({{sprite}});image-rendering:pixelated;vertical-align:middle}
            #map{width:100%;height:auto;border:1px solid #ddd}#map circle:hover{stroke:#000;stroke-width:2}
            #near{position:fixed;display:none;background:#fff;border:1px solid #888;padding:6px;font-size:13px;max-width:16rem;overflow-wrap:anywhere;pointer-events:none}
            .key span{white-space:nowrap;margin-right:1rem}.key i{display:inline-block;width:.8em;height:.8em;border-radius:50%;margin-right:.3em}
            .neighbours{overflow-x:auto;white-space:nowrap}.neighbours .tile{zoom:{{(tile < 40 ? 2 : 1)}}}.neighbours .tile:first-child{margin-right:1.2rem;outline:2px solid #222}
            </style>
            <h2>How it sees images</h2>
            <p>{{count:N0}} images of {{HtmlPage.Text(images.Name)}}, near each other where their representations are (t-SNE of the normalised representations).
            {{(images.ClassNames is null ? "" : "Colours are the labels, which the encoder has not seen. ")}}Point at one to see the image.</p>
            {{Key(images)}}{{map}}<div id="near"><div id="picture" class="tile"></div><div id="name"></div></div>
            <h2>Nearest neighbours</h2>
            <p>Left an image, then those nearest to it by the cosine of their representations.</p>
            {{NearestRows(representations, images, indexes, tile)}}
            <h2>Spectrum</h2>
            <p>Singular values of the representations, the largest = 1: {{HtmlPage.Number(Spectrum.RankMe(spectrum), "F1")}} of {{spectrum.Length}} dimensions are in use (RankMe).
            A line that drops to nothing early means that most dimensions are unused.</p>
            {{SpectrumPlot(spectrum)}}
            <script>
            const near = document.getElementById('near'), picture = document.getElementById('picture'), zoom = {{Math.Max(1, 112 / tile)}};
            document.getElementById('map').addEventListener('pointermove', e => {
              const n = e.target.dataset?.n;
              near.style.display = n ? 'block' : 'none';
              if (!n) return;
              picture.style.cssText = `zoom:${zoom};background-position:${-(n % {{TilesInRow}}) * {{tile}}}px ${-Math.floor(n / {{TilesInRow}}) * {{tile}}}px`;
              document.getElementById('name').textContent = e.target.firstChild.textContent;
              near.style.left = Math.min(e.clientX + 14, innerWidth - near.offsetWidth - 4) + 'px';
              near.style.top = Math.min(e.clientY + 14, innerHeight - near.offsetHeight - 4) + 'px';
            });
            document.getElementById('map').addEventListener('pointerleave', () => near.style.display = 'none');
            </script>

            """;
    }

    /// <summary>All images in one picture, as a data address.</summary>
    private static string Sprite(Encoder encoder, ImageDataset images, int[] indexes, out int tile)
    {
        tile = Math.Min(LargestTile, images.Size);
        int rows = (indexes.Length + TilesInRow - 1) / TilesInRow;
        using var bitmap = new SKBitmap(TilesInRow * tile, rows * tile, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(SKColors.White);
        SheetTones? tones = null;
        foreach (var (c, chunk) in indexes.Chunk(TilesInRow).Index())
        {
            using Tensor batch = images.Batch(chunk);
            tones ??= new SheetTones(encoder.Preprocessing, batch);
            foreach (var (i, picture) in tones.Pixels(batch).Index())
            {
                using (picture)
                using (SKImage image = SKImage.FromBitmap(picture))
                    canvas.DrawImage(image, SKRect.Create(i * tile, c * tile, tile, tile), new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
            }
        }
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Webp, 85);
        return $"data:image/webp;base64,{Convert.ToBase64String(data.AsSpan())}";
    }

    private static string Map(Tensor places, ImageDataset images, int[] indexes)
    {
        Tensor low = places.amin([0], keepdim: true), high = places.amax([0], keepdim: true);
        double[] at = ((places - low) / (high - low).clamp_min_(Native.HeldScalars.Held(1e-12))).data<double>().ToArray();
        var svg = new StringBuilder($"<svg id=\"map\" viewBox=\"0 0 {MapSide} {MapSide}\" role=\"img\" aria-label=\"Map of the representations\">\n");
        for (int n = 0; n < indexes.Length; n++)
        {
            string x = HtmlPage.Number(10 + at[2 * n] * (MapSide - 20), "F1"), y = HtmlPage.Number(10 + at[2 * n + 1] * (MapSide - 20), "F1");
            svg.Append($"<circle cx=\"{x}\" cy=\"{y}\" r=\"5\" fill=\"{Colour(images, indexes[n])}\" data-n=\"{n}\"><title>{HtmlPage.Text(Describe(images, indexes[n]))}</title></circle>\n");
        }
        return svg.Append("</svg>\n").ToString();
    }

    private static string NearestRows(Tensor representations, ImageDataset images, int[] indexes, int tile)
    {
        Tensor directions = nn.functional.normalize(representations, 2, 1);
        var html = new StringBuilder();
        int queries = Math.Min(Queries, indexes.Length), neighbours = Math.Min(Neighbours, indexes.Length - 1);
        for (int q = 0; q < queries; q++)
        {
            int query = q * indexes.Length / queries;
            Tensor cosines = directions.mv(directions[query]);
            long[] nearest = [.. cosines.topk(neighbours + 1).indexes.data<long>().ToArray().Where(i => i != query).Take(neighbours)];
            html.Append("<div class=\"neighbours\">");
            foreach (long i in nearest.Prepend(query))
                html.Append($"<i class=\"tile\" title=\"{HtmlPage.Text(Describe(images, indexes[i]))}\" style=\"background-position:{-(i % TilesInRow) * tile}px {-(i / TilesInRow) * tile}px\"></i>");
            html.Append("</div>\n");
        }
        return html.ToString();
    }

    /// <summary>A curve from 1 down to 1e-6 on a logarithmic scale.</summary>
    private static string SpectrumPlot(double[] values)
    {
        const int width = 900, height = 260, left = 60, top = 14;
        const double decades = 6;
        double X(int i) => left + i * (width - left - 20.0) / Math.Max(1, values.Length - 1);
        double Y(double share) => top + Math.Min(decades, -Math.Log10(Math.Max(share, 1e-300))) * (height - top) / decades;
        string points = string.Join(' ', values.Select((v, i) => string.Create(CultureInfo.InvariantCulture, $"{X(i):F1},{Y(v / Math.Max(values[0], 1e-300)):F1}")));
        string grid = string.Concat(Enumerable.Range(0, 7).Select(d => string.Create(CultureInfo.InvariantCulture,
            $"<line x1=\"{left}\" x2=\"{width - 20}\" y1=\"{Y(Math.Pow(10, -d)):F1}\" y2=\"{Y(Math.Pow(10, -d)):F1}\" stroke=\"#ddd\"/><text x=\"{left - 8}\" y=\"{Y(Math.Pow(10, -d)) + 4:F1}\" text-anchor=\"end\">{(d == 0 ? "1" : $"1e-{d}")}</text>")));
        return $"<svg id=\"spectrum\" viewBox=\"0 0 {width} {height + 30}\" font-size=\"13\" fill=\"#444\" role=\"img\" aria-label=\"Singular values\">{grid}"
            + $"<polyline points=\"{points}\" fill=\"none\" stroke=\"#4682b4\" stroke-width=\"2\"/>"
            + $"<text x=\"{left}\" y=\"{height + 24}\">1</text><text x=\"{width - 20}\" y=\"{height + 24}\" text-anchor=\"end\">{values.Length}</text></svg>\n";
    }

    private static string Key(ImageDataset images) => images.ClassNames is not { Count: <= 30 } names ? "" :
        $"<p class=\"key\">{string.Concat(names.Select((name, k) => $"<span><i style=\"background:{ColourOf(k, names.Count)}\"></i>{HtmlPage.Text(name)}</span>"))}</p>\n";

    private static string Describe(ImageDataset images, int index) =>
        images.Labels is { } labels && labels[index] >= 0 ? $"{images.ClassNames![labels[index]]}: {images.PathOf(index)}" : images.PathOf(index);

    private static string Colour(ImageDataset images, int index) =>
        images.Labels is { } labels ? labels[index] >= 0 ? ColourOf(labels[index], images.ClassNames!.Count) : "#bbb" : "#4e79a7";

    private static string ColourOf(int label, int classes) => classes <= s_colours.Length
        ? s_colours[label]
        : string.Create(CultureInfo.InvariantCulture, $"hsl({label * 137.508 % 360:F0} 65% {45 + 15 * (label % 2)}%)");
}

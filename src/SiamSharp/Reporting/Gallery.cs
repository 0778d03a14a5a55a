using System.Globalization;
using System.Text;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Training;
using SkiaSharp;
using static TorchSharp.torch;

namespace SiamSharp.Reporting;

/// <summary>The part of a page that shows how an encoder sees images: a map with the images on hover,
/// nearest neighbours, the spectrum.</summary>
internal static class Gallery
{
    /// <summary>Images on the map at most.</summary>
    public const int MaxImages = 1000;

    private const int TilesInRow = 40, MaxTile = 40, Queries = 10, Neighbours = 9, NeighbourSide = 112;

    /// <summary>Around the part of a page of its own that a report takes over.</summary>
    private const string Begin = "<!-- map -->\n", End = "<!-- end of map -->\n";

    /// <summary>Writes <c>gallery.html</c>, a page of its own, which the report of the run holds from then on.</summary>
    /// <param name="folder">Of the run.</param>
    /// <param name="images">4 or more, with or without labels; up to 1,000, drawn evenly, are shown.</param>
    /// <param name="batchSize">Images per forward pass.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Stops between two batches.</param>
    /// <exception cref="DataSourceException">The images have another number of channels, or there are fewer than 4.</exception>
    /// <exception cref="RunException">The run has not finished, or the file cannot be written.</exception>
    public static void Write(
        RunFolder folder, ImageDataset images, int batchSize, IProgress<EvaluationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        using Encoder encoder = folder.LoadEncoder();
        string part = Html(encoder, images, batchSize, progress, cancellationToken);
        FileWriting.WriteText(folder.GalleryPath,
            HtmlPage.Start(Path.GetFileName(folder.Path)) + Begin + part + End + HtmlPage.End);
    }

    /// <summary>What a report takes of <c>gallery.html</c>; earlier versions wrote that part alone.</summary>
    internal static string PartOf(string page)
    {
        int begin = page.IndexOf(Begin, StringComparison.Ordinal), end = page.LastIndexOf(End, StringComparison.Ordinal);
        return begin >= 0 && end > begin ? page[(begin + Begin.Length)..end]
            : page.StartsWith("<!doctype", StringComparison.OrdinalIgnoreCase) ? "" : page;
    }

    /// <summary>Makes the part of a page, self-contained.</summary>
    /// <param name="encoder">Of the run.</param>
    /// <param name="images">4 or more, with or without labels; up to 1,000, drawn evenly, are shown.</param>
    /// <param name="batchSize">Images per forward pass.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Stops between two batches.</param>
    /// <exception cref="DataSourceException">The images have another number of channels, or there are fewer than 4.</exception>
    public static string Html(
        Encoder encoder, ImageDataset images, int batchSize, IProgress<EvaluationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        Features.CheckChannels(encoder, images);
        if (images.Count < 4)
            throw new DataSourceException(
                $"A map needs 4 images or more, but {images.Name} has {images.Count}. Give a source of more.");
        int[] indexes = EvenDraw.Of(images.Count, MaxImages);
        int count = indexes.Length;
        var tones = new SheetTones(encoder.Preprocessing, images.Range.Min, images.Range.Max);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        foreach (int[] chunk in indexes.Chunk(batchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using Tensor batch = images.Batch(chunk);
            parts.Add(encoder.Encode(batch));
            progress?.Report(new("representations for the map", parts.Count * (double)batchSize / count));
        }
        Tensor representations = cat(parts);
        string sprite = Sprite(tones, images, indexes, out int tile);
        progress?.Report(new("map", 0));
        string map = GalleryMap.Draw(Tsne.Of(representations, cancellationToken: cancellationToken), images, indexes);
        double[] spectrum = Spectrum.SingularValues(representations);

        return $$"""
            <style>
            i.tile,div.tile{display:inline-block;width:{{tile}}px;height:{{tile}}px;margin:1px;
            background-image:url({{sprite}});image-rendering:pixelated;vertical-align:middle}
            #map{width:100%;height:auto;border:1px solid #ddd}#map circle:hover{stroke:#000;stroke-width:2}
            #near{position:fixed;display:none;background:#fff;border:1px solid #888;padding:6px;font-size:13px;
            max-width:16rem;overflow-wrap:anywhere;pointer-events:none}
            .key span{white-space:nowrap;margin-right:1rem}
            .key i{display:inline-block;width:.8em;height:.8em;border-radius:50%;margin-right:.3em}
            .neighbours{display:flex;flex-wrap:wrap;gap:.4rem;margin:0 0 1rem}
            .neighbours figure{width:5.4rem;margin:0;font-size:.72rem;line-height:1.25}
            .neighbours img{width:100%;box-sizing:border-box;border:3px solid #bbb;
            {{(images.Size < NeighbourSide ? "image-rendering:pixelated" : "")}}}
            .neighbours .query img{border-color:#222}.neighbours .right img{border-color:#2e8b57}
            .neighbours .wrong img{border-color:#c22}
            .neighbours .right b{color:#2e8b57}.neighbours .wrong b{color:#c22}
            </style>
            <h2>How it sees images</h2>
            <p>{{count:N0}} images of {{HtmlPage.Text(images.Name)}}, near each other where their representations are
            (t-SNE of the normalised representations).
            {{(images.ClassNames is null ? "" : "Colours are the labels, which the encoder has not seen. ")}}
            Point at one to see the image.</p>
            {{GalleryMap.Key(images)}}{{map}}<div id="near"><div id="picture" class="tile"></div><div id="name"></div></div>
            <h2>Nearest neighbours</h2>
            <p>First an image, in black, then those nearest to it by the cosine of their representations,
            among the images of the map.
            {{(images.Labels is null ? "" : "A tick and green: the same label; a cross and red: another one.")}}</p>
            {{NearestRows(representations, tones, images, indexes)}}
            <h2>Spectrum</h2>
            <p>Singular values of the representations, the largest = 1:
            {{HtmlPage.Number(Spectrum.RankMe(spectrum), "F1")}} of {{spectrum.Length}} dimensions are in use (RankMe).
            A line that drops to nothing early means that most dimensions are unused.</p>
            {{SpectrumPlot(spectrum)}}
            <script>
            const near = document.getElementById('near'), picture = document.getElementById('picture'),
              zoom = {{Math.Max(1, 112 / tile)}};
            document.getElementById('map').addEventListener('pointermove', e => {
              const n = e.target.dataset?.n;
              near.style.display = n ? 'block' : 'none';
              if (!n) return;
              picture.style.cssText = `zoom:${zoom};background-position:${-(n % {{TilesInRow}}) * {{tile}}}px ${
                -Math.floor(n / {{TilesInRow}}) * {{tile}}}px`;
              document.getElementById('name').textContent = e.target.firstChild.textContent;
              near.style.left = Math.min(e.clientX + 14, innerWidth - near.offsetWidth - 4) + 'px';
              near.style.top = Math.min(e.clientY + 14, innerHeight - near.offsetHeight - 4) + 'px';
            });
            document.getElementById('map').addEventListener('pointerleave', () => near.style.display = 'none');
            </script>

            """;
    }

    /// <summary>All images in one picture, as a data address.</summary>
    private static string Sprite(SheetTones tones, ImageDataset images, int[] indexes, out int tile)
    {
        tile = Math.Min(MaxTile, images.Size);
        int rows = (indexes.Length + TilesInRow - 1) / TilesInRow;
        using var bitmap = new SKBitmap(TilesInRow * tile, rows * tile, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(SKColors.White);
        foreach (var (c, chunk) in indexes.Chunk(TilesInRow).Index())
        {
            using Tensor batch = images.Batch(chunk);
            foreach (var (i, picture) in tones.Pixels(batch).Index())
            {
                using (picture)
                using (SKImage image = SKImage.FromBitmap(picture))
                    canvas.DrawImage(image, SKRect.Create(i * tile, c * tile, tile, tile),
                        new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
            }
        }
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Webp, 85);
        return $"data:image/webp;base64,{Convert.ToBase64String(data.AsSpan())}";
    }

    private static string NearestRows(Tensor representations, SheetTones tones, ImageDataset images, int[] indexes)
    {
        Tensor directions = nn.functional.normalize(representations, 2, 1);
        var html = new StringBuilder();
        int neighbours = Math.Min(Neighbours, indexes.Length - 1), same = 0, compared = 0;
        foreach (int query in EvenDraw.Of(indexes.Length, Queries))
        {
            Tensor cosines = directions.mv(directions[query]);
            long[] nearest =
                [.. cosines.topk(neighbours + 1).indexes.data<long>().ToArray().Where(i => i != query).Take(neighbours)];
            html.Append("<div class=\"neighbours\">").Append(Figure(tones, images, indexes[query], "query", ""));
            foreach (long i in nearest)
            {
                bool? right = images.Labels is { } labels && labels[indexes[query]] >= 0 && labels[indexes[i]] >= 0
                    ? labels[indexes[query]] == labels[indexes[i]] : null;
                if (right is bool known) (same, compared) = (same + (known ? 1 : 0), compared + 1);
                html.Append(Figure(tones, images, indexes[i], right switch { true => "right", false => "wrong", _ => "" },
                    right switch { true => "<b>✓</b> ", false => "<b>✗</b> ", _ => "" }));
            }
            html.Append("</div>\n");
        }
        if (compared > 0)
            html.Append($"<p>{same} of {Plural.Of(compared, "neighbour")} {(same == 1 ? "has" : "have")} "
                + "the label of their image.</p>\n");
        return html.ToString();
    }

    /// <summary>An image with its label and the name of its file.</summary>
    private static string Figure(SheetTones tones, ImageDataset images, int index, string kind, string mark)
    {
        string path = images.PathOf(index), label = images.Labels is { } labels && labels[index] >= 0
            ? $"{mark}{HtmlPage.Text(images.ClassNames![labels[index]])}<br>" : "";
        using Tensor batch = images.Batch([index]);
        using SKBitmap picture = tones.Pixels(batch)[0];
        int side = Math.Min(picture.Width, NeighbourSide);
        using var shown = new SKBitmap(side, side, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using (var canvas = new SKCanvas(shown))
        using (SKImage image = SKImage.FromBitmap(picture))
            canvas.DrawImage(image, SKRect.Create(side, side), new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
        using SKData data = shown.Encode(SKEncodedImageFormat.Webp, 90);
        return $"<figure class=\"tile {kind}\" title=\"{HtmlPage.Text(GalleryMap.Describe(images, index))}\"><img "
            + $"alt=\"{HtmlPage.Text(GalleryMap.Describe(images, index))}\" "
            + "src=\"data:image/webp;base64,"
            + Convert.ToBase64String(data.AsSpan())
            + $"\"><figcaption>{label}{HtmlPage.Text(Path.GetFileName(path))}</figcaption></figure>";
    }

    /// <summary>A curve from 1 down to 1e-6 on a logarithmic scale.</summary>
    private static string SpectrumPlot(double[] values)
    {
        const int width = 900, height = 260, left = 60, top = 14;
        const double decades = 6;
        double X(int i) => left + i * (width - left - 20.0) / Math.Max(1, values.Length - 1);
        double Y(double share) => top + Math.Min(decades, -Math.Log10(Math.Max(share, 1e-300))) * (height - top) / decades;
        string points = string.Join(' ', values.Select((v, i) =>
            string.Create(CultureInfo.InvariantCulture, $"{X(i):F1},{Y(v / Math.Max(values[0], 1e-300)):F1}")));
        string grid = string.Concat(Enumerable.Range(0, 7).Select(d => string.Create(CultureInfo.InvariantCulture,
            $"<line x1=\"{left}\" x2=\"{width - 20}\" y1=\"{Y(Math.Pow(10, -d)):F1}\" y2=\"{Y(Math.Pow(10, -d)):F1}\" "
                + $"stroke=\"#ddd\"/><text x=\"{left - 8}\" y=\"{Y(Math.Pow(10, -d)) + 4:F1}\" "
                + $"text-anchor=\"end\">{(d == 0 ? "1" : $"1e-{d}")}</text>")));
        return $"<svg id=\"spectrum\" viewBox=\"0 0 {width} {height + 30}\" font-size=\"13\" fill=\"#444\" role=\"img\" "
            + $"aria-label=\"Singular values\">{grid}"
            + $"<polyline points=\"{points}\" fill=\"none\" stroke=\"#4682b4\" stroke-width=\"2\"/>"
            + $"<text x=\"{left}\" y=\"{height + 24}\">1</text><text x=\"{width - 20}\" y=\"{height + 24}\" "
            + $"text-anchor=\"end\">{values.Length}</text></svg>\n";
    }
}

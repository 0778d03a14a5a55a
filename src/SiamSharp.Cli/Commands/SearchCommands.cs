using System.CommandLine;
using System.Globalization;
using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Embeddings;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Reporting;
using Spectre.Console;

namespace SiamSharp.Cli.Commands;

/// <summary><c>siam search</c>, <c>siam duplicates</c> and <c>siam diverse</c>: what a file of
/// representations is good for.</summary>
internal static class SearchCommands
{
    private const double MuchGrouped = 0.1, LargeGroup = 0.05; // shares of all images

    private static Option<string> Index() => new("--index")
    {
        Description = "The file of vectors that `siam embed` wrote, .parquet or .npy.",
        HelpName = "FILE",
        Required = true
    };

    internal static Command Search(Func<ParseResult, Screen> screenOf)
    {
        var encoder = new EncoderOptions();
        Option<string> index = Index();
        var query = new Option<string>("--query")
        {
            Description = "The image to search with: a file, or a source, whose first image is taken.",
            HelpName = "IMAGE",
            Required = true
        };
        var data = new Option<string>("--data")
        {
            Description = "The images that the index was made of. Needed for the sheet only, if they are not single files.",
            HelpName = "SRC"
        };
        var count = NumberOptions.Whole("-k", "How many images to find.", 1, int.MaxValue, otherwise: 10);
        var sheet = new Option<string>("--out")
        {
            Description = "The picture to write: a sheet of the query and the images found.",
            HelpName = "FILE.png"
        };
        Option<string[]> set = CommonOptions.SetData();
        var command =
            new Command("search",
                "Find the images that are most like a given one. Give the encoder that the index was made with.")
            {
                index, query, count, sheet, data, set
            };
        encoder.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            Screen screen = screenOf(parsed);
            int wanted = parsed.GetValue(count);
            string path = parsed.GetValue(query)!, vectors = parsed.GetValue(index)!;
            using EmbeddingTable table = Read(screen, vectors, wanted);
            string? picture = parsed.GetValue(sheet) is { } file
                ? Outputs.File(file, OutputKind.Sheet, [parsed.GetValue(data), path],
                    [vectors, .. encoder.Files(parsed)], table.Paths) : null;
            var (network, recipe, name) = encoder.Open(screen, parsed, parsed.GetValue(set)!,
                options => ImageSources.Open(path, options));
            using Encoder opened = network;
            // The query is decoded as the images of the index were.
            DataOptions decoding = table.Origin is null ? recipe.Data : EncoderOptions.Data(parsed.GetValue(set)!,
                table.Origin.Data with { MaxMegapixels = recipe.Data.MaxMegapixels });
            table.Origin?.Check(vectors, EmbeddingOrigin.Of(opened, name, decoding));
            using var embedder = new Embedder(opened);
            IImageSource source;
            try
            {
                source = ImageSources.Open(path, decoding);
            }
            catch (DataSourceException e) when (path.EndsWith(".npy", StringComparison.OrdinalIgnoreCase))
            {
                throw new DataSourceException($"--query takes an image, and computes its vector itself. {e.Message}");
            }
            if (source.Count > 1)
                screen.Warn($"{source.Name} holds {Plural.Of(source.Count, "image")}: "
                    + $"the query is the first of them, {source.PathOf(0)}.");
            Pixels pixels = source.Decode(0, opened.Size);
            if (pixels.Channels != opened.Channels)
                throw new DataSourceException($"{path} {Embedding.WrongChannels(pixels, opened.Channels)}.");
            var notes = new DataNotes();
            notes.Add(0, pixels);
            foreach (string note in source.Notes.Concat(notes.Lines(source, opened.White))) screen.Warn(note);
            float[] values = new float[pixels.Values.Length], vector = new float[embedder.Width];
            pixels.CopyTo(values);
            embedder.Embed(values, vector);
            if (!vector.All(float.IsFinite))
                throw new DataSourceException($"{path} has a representation that is not finite; "
                    + "its pixels are far outside of those that the encoder was trained on.");
            IReadOnlyList<Neighbour> found = table.Nearest(vector, wanted);
            if (picture is not null)
            {
                Func<string, Pixels?> read = Pictures(parsed.GetValue(data), decoding, opened.Size);
                SearchHit[] hits = [.. found.Select(f =>
                    new SearchHit(table.Paths[f.Row], table.Labels[f.Row], f.Cosine, read(table.Paths[f.Row])))];
                SearchSheet.Write(picture, source.PathOf(0), pixels, hits);
                if (hits.Where(hit => hit.Image is null).ToArray() is [var gone, ..] all)
                    screen.Warn($"{all.Length} of the {hits.Length} images found {(all.Length == 1 ? "is" : "are")} not where "
                        + $"the index says and {(all.Length == 1 ? "is" : "are")} grey in the sheet, such as {gone.Path}. "
                        + (parsed.GetValue(data) is { } given
                            ? $"The --data given, {given}, does not hold them: give the source that was embedded."
                            : "Where they still exist, start in the folder in which `siam embed` was started, "
                                + "or give --data SRC; where they do not, embed those that do."));
            }
            screen.Result(new
            {
                results = found.Select(f => new { path = table.Paths[f.Row], label = table.Labels[f.Row], cosine = f.Cosine }),
                sheet = picture
            }, console =>
            {
                var rows = new Table { Border = TableBorder.Simple };
                rows.AddColumn(new TableColumn("cosine").RightAligned());
                bool labelled = found.Any(f => table.Labels[f.Row] is not null);
                if (labelled) rows.AddColumn("label");
                rows.AddColumn("image");
                foreach (Neighbour f in found)
                {
                    string cosine = f.Cosine.ToString("F4", CultureInfo.InvariantCulture);
                    rows.AddRow(labelled ? [new Text(cosine), new Text(Shown.Text(table.Labels[f.Row] ?? "")), new Text(
                        Shown.Text(table.Paths[f.Row]))] : new[] { new Text(cosine), new Text(Shown.Text(table.Paths[f.Row])) });
                }
                console.Write(rows);
                if (picture is not null) console.WriteLine($"Sheet: {picture}");
            });
            screen.Next($"siam duplicates --index {Shell.Word(parsed.GetValue(index)!)}");
            return Task.FromResult(0);
        });
        return command;
    }

    internal static Command Duplicates(Func<ParseResult, Screen> screenOf)
    {
        Option<string> index = Index();
        var threshold = NumberOptions.Real("--threshold", "How alike an image and the first of its group must be to count as "
            + "equal: the cosine similarity of their vectors, 1 = equal.",
            x => x is > 0 and <= 1, "above 0 and up to 1", otherwise: 0.98);
        var command = new Command("duplicates", "List groups of (nearly) equal images. "
            + "You can delete all but the first of each group.")
        {
            index, threshold
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            Screen screen = screenOf(parsed);
            double least = parsed.GetValue(threshold);
            using EmbeddingTable table = Read(screen, parsed.GetValue(index)!);
            IReadOnlyList<int[]> groups = NearDuplicates.Find(table, least, null, cancellationToken);
            int grouped = groups.Sum(g => g.Length), largest = groups.Max(g => (int?)g.Length) ?? 0;
            if (grouped > MuchGrouped * table.Count || largest > LargeGroup * table.Count)
                screen.Warn($"{grouped:N0} of the {table.Count:N0} images are in groups, {largest:N0} of them in one: "
                    + "either they are alike, or this encoder, barely trained perhaps, does not tell them apart. "
                    + "Look at some groups; where the images differ, give a --threshold nearer to 1, such as 0.99 or 0.995, "
                    + "or an encoder that was trained longer.");
            screen.Result(new { groups = groups.Select(g => g.Select(row => table.Paths[row])) }, console =>
            {
                foreach (var (i, group) in groups.Index())
                {
                    console.WriteLine($"group {i + 1}");
                    foreach (int row in group) console.WriteLine($"  {Shown.Text(table.Paths[row])}");
                }
                console.WriteLine(table.Count == 1 ? "There is only one image, and so no two that are the same."
                    : groups.Count == 0
                    ? string.Create(CultureInfo.InvariantCulture,
                        $"No two of the {Plural.Of(table.Count, "image")} are the same, by a cosine of {least} or more.")
                    : $"{Plural.Of(groups.Count, "group")} with {grouped:N0} of the {Plural.Of(table.Count, "image")}; "
                        + $"to keep one of each group leaves {table.Count - grouped + groups.Count:N0}.");
            });
            screen.Next($"siam diverse --index {Shell.Word(parsed.GetValue(index)!)}");
            return Task.FromResult(0);
        });
        return command;
    }

    internal static Command Diverse(Func<ParseResult, Screen> screenOf)
    {
        Option<string> index = Index();
        var count = NumberOptions.Whole("-k", "How many images to choose.", 1, int.MaxValue, otherwise: 100);
        var labelled =
            new Option<bool>("--beside-labelled")
            {
                Description = "Count images that have a label as chosen already, and choose others that differ from them."
            };
        var command = new Command("diverse", "Choose images to label next: the ones that differ most from one another.")
        {
            index, count, labelled
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            Screen screen = screenOf(parsed);
            int wanted = parsed.GetValue(count);
            using EmbeddingTable table = Read(screen, parsed.GetValue(index)!, wanted);
            int[] given = parsed.GetValue(labelled)
                ? [.. Enumerable.Range(0, table.Count).Where(row => table.Labels[row] is not null)] : [];
            if (given.Length == table.Count)
                throw new RunException($"All {Plural.Of(table.Count, "image")} of {parsed.GetValue(index)} have a label, "
                    + "so that --beside-labelled leaves none to choose. Leave out --beside-labelled.");
            IReadOnlyList<int> chosen = DiverseSubset.Choose(table, wanted, given, cancellationToken);
            screen.Result(new { images = chosen.Select(row => table.Paths[row]) }, console =>
            {
                foreach (int row in chosen) console.WriteLine(Shown.Text(table.Paths[row]));
            });
            screen.Say("Label these, a sub-folder for each class, and then:");
            screen.Next("siam classify fit --run DIR --data LABELLED --out classifier.safetensors");
            return Task.FromResult(0);
        });
        return command;
    }

    /// <summary>Reads an index with a word about what cannot be checked and what it is too small for.</summary>
    private static EmbeddingTable Read(Screen screen, string path, int wanted = 1)
    {
        EmbeddingTable table = EmbeddingTable.Read(path);
        foreach (string note in table.Notes) screen.Warn(note);
        if (Embedding.OddVectors(table) is { } odd) screen.Warn(odd);
        if (table.Count == 0)
        {
            table.Dispose();
            throw new EmbeddingFileException(path, "it holds no vectors", use: "searched");
        }
        if (wanted > table.Count)
            screen.Warn($"-k is {wanted:N0}, but the index holds {table.Count:N0} {(table.Count == 1 ? "image" : "images")}.");
        return table;
    }

    /// <summary>Decodes images by the paths that an index holds; null where there is no such image any more.</summary>
    private static Func<string, Pixels?> Pictures(string? data, DataOptions options, int size)
    {
        IImageSource? source = data is null ? null : ImageSources.Open(data, options);
        var places = new Dictionary<string, int>();
        for (int i = 0; i < (source?.Count ?? 0); i++) places.TryAdd(source!.PathOf(i), i);
        return path =>
        {
            try
            {
                if (places.TryGetValue(path, out int i)) return source!.Decode(i, size);
                return File.Exists(path) ? ImageSources.Open(path, options).Decode(0, size) : null;
            }
            catch (Exception e) when (e is UnreadableImageException or DataSourceException)
            {
                return null;
            }
        };
    }
}

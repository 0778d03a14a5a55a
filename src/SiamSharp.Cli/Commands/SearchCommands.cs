using System.CommandLine;
using System.Globalization;
using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Embeddings;
using SiamSharp.Recipes;
using SiamSharp.Reporting;
using Spectre.Console;

namespace SiamSharp.Cli.Commands;

/// <summary><c>siam search</c>, <c>siam duplicates</c> and <c>siam diverse</c>: what a file of representations is good for.</summary>
internal static class SearchCommands
{
    private static Option<string> Index() => new("--index") { Description = "The file that `siam embed` wrote, .parquet or .npy.", HelpName = "FILE", Required = true };

    internal static Command Search(Func<ParseResult, Screen> screenOf)
    {
        var encoder = new EncoderOptions();
        Option<string> index = Index();
        var query = new Option<string>("--query") { Description = "The image to look for: a file, or the first image of a source.", HelpName = "IMAGE", Required = true };
        var data = new Option<string>("--data") { Description = "For the sheet, where the index is not of files: the images that it was made of.", HelpName = "SRC" };
        var count = new Option<int>("-k") { Description = "Images wanted.", DefaultValueFactory = _ => 10, HelpName = "N" };
        var sheet = new Option<string>("--out") { Description = "A sheet of the query and what was found.", HelpName = "FILE.png" };
        Option<string[]> set = CommonOptions.Set();
        var command = new Command("search", "Find the images that are most like one, by the encoder that the index was made with.") { index, query, count, sheet, data, set };
        encoder.AddTo(command);
        command.SetAction((parsed, cancel) =>
        {
            int wanted = parsed.GetValue(count);
            if (wanted < 1) throw new RecipeException([new Fault("-k", $"is {wanted}; 1 or more is allowed")]);
            string? picture = parsed.GetValue(sheet) is { } file ? CommonOptions.Output(file, ".png") : null;
            string path = parsed.GetValue(query)!;
            using EmbeddingTable table = EmbeddingTable.Read(parsed.GetValue(index)!);
            var (network, recipe, _) = encoder.Open(parsed, parsed.GetValue(set)!, options => ImageSources.Open(path, options));
            using Encoder opened = network;
            using var embedder = new Embedder(opened);
            IImageSource source = ImageSources.Open(path, recipe.Data);
            Pixels pixels = source.Decode(0, opened.Size);
            if (pixels.Channels != opened.Channels)
                throw new DataSourceException($"{path} has {pixels.Channels} channels, but the encoder takes {opened.Channels}: --set data.channels={opened.Channels} converts 1 and 3.");
            float[] values = new float[pixels.Values.Length], vector = new float[embedder.Width];
            pixels.CopyTo(values);
            embedder.Embed(values, vector);
            IReadOnlyList<Neighbour> found = table.Nearest(vector, wanted);
            if (picture is not null)
            {
                Func<string, Pixels?> read = Pictures(parsed.GetValue(data), recipe.Data, opened.Size);
                SearchSheet.Write(picture, source.PathOf(0), pixels, [.. found.Select(f => new SearchHit(table.Paths[f.Row], table.Labels[f.Row], f.Cosine, read(table.Paths[f.Row])))]);
            }
            screenOf(parsed).Result(new { results = found.Select(f => new { path = table.Paths[f.Row], label = table.Labels[f.Row], cosine = f.Cosine }), sheet = picture }, console =>
            {
                var rows = new Table { Border = TableBorder.Simple };
                rows.AddColumn(new TableColumn("cosine").RightAligned());
                bool labelled = found.Any(f => table.Labels[f.Row] is not null);
                if (labelled) rows.AddColumn("label");
                rows.AddColumn("image");
                foreach (Neighbour f in found)
                {
                    string cosine = f.Cosine.ToString("F4", CultureInfo.InvariantCulture);
                    rows.AddRow(labelled ? [new Text(cosine), new Text(table.Labels[f.Row] ?? ""), new Text(table.Paths[f.Row])] : new[] { new Text(cosine), new Text(table.Paths[f.Row]) });
                }
                console.Write(rows);
                if (picture is not null) console.WriteLine($"Sheet: {picture}");
            });
            return Task.FromResult(0);
        });
        return command;
    }

    internal static Command Duplicates(Func<ParseResult, Screen> screenOf)
    {
        Option<string> index = Index();
        var threshold = new Option<double>("--threshold") { Description = "Cosine from which on two images are the same.", DefaultValueFactory = _ => 0.98 };
        var command = new Command("duplicates", "List groups of images that are (nearly) the same.") { index, threshold };
        command.SetAction((parsed, cancel) =>
        {
            double least = parsed.GetValue(threshold);
            if (!(least > 0 && least <= 1)) throw new RecipeException([new Fault("--threshold", $"is {least}; a cosine above 0 to 1 is allowed")]);
            using EmbeddingTable table = EmbeddingTable.Read(parsed.GetValue(index)!);
            IReadOnlyList<int[]> groups = NearDuplicates.Find(table, least, null, cancel);
            screenOf(parsed).Result(new { groups = groups.Select(g => g.Select(row => table.Paths[row])) }, console =>
            {
                foreach (var (i, group) in groups.Index())
                {
                    console.WriteLine($"group {i + 1}");
                    foreach (int row in group) console.WriteLine($"  {table.Paths[row]}");
                }
                console.WriteLine($"{groups.Count:N0} groups, {groups.Sum(g => g.Length):N0} of {table.Count:N0} images; one of each group leaves {table.Count - groups.Sum(g => g.Length - 1):N0}.");
            });
            return Task.FromResult(0);
        });
        return command;
    }

    internal static Command Diverse(Func<ParseResult, Screen> screenOf)
    {
        Option<string> index = Index();
        var count = new Option<int>("-k") { Description = "Images wanted.", DefaultValueFactory = _ => 100, HelpName = "N" };
        var labelled = new Option<bool>("--beside-labelled") { Description = "Images that have a label count as chosen already." };
        var command = new Command("diverse", "List images that differ most from one another: those to label next.") { index, count, labelled };
        command.SetAction((parsed, cancel) =>
        {
            int wanted = parsed.GetValue(count);
            if (wanted < 1) throw new RecipeException([new Fault("-k", $"is {wanted}; 1 or more is allowed")]);
            using EmbeddingTable table = EmbeddingTable.Read(parsed.GetValue(index)!);
            int[] given = parsed.GetValue(labelled) ? [.. Enumerable.Range(0, table.Count).Where(row => table.Labels[row] is not null)] : [];
            IReadOnlyList<int> chosen = DiverseSubset.Choose(table, wanted, given, cancel);
            screenOf(parsed).Result(new { images = chosen.Select(row => table.Paths[row]) }, console =>
            {
                foreach (int row in chosen) console.WriteLine(table.Paths[row]);
            });
            return Task.FromResult(0);
        });
        return command;
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

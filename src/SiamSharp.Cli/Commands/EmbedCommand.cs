using System.CommandLine;
using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Embeddings;
using SiamSharp.Messages;

namespace SiamSharp.Cli.Commands;

/// <summary><c>siam embed</c>: all images of a source to a file of representations.</summary>
internal static class EmbedCommand
{
    private const int BatchSize = 64;

    internal static Command Create(Func<ParseResult, Screen> screenOf)
    {
        var encoder = new EncoderOptions();
        Option<string> data = CommonOptions.Data("The images: a folder, or another source (docs/DATA.md).");
        var output = new Option<string>("--out")
        {
            Description = "The file to write: .parquet (path, label, vector), or .npy with a .csv of paths and labels and "
                + "a .npy.json of encoder and checksums beside it. A file of that name is replaced at the end.",
            HelpName = "FILE",
            Required = true
        };
        var engine = NumberOptions.Choice<EmbedEngine>(
            "--engine", "What computes the vectors. onnx is usually the faster one on a CPU. auto takes it if it knows the "
                + "network, otherwise libtorch.");
        Option<string[]> set = CommonOptions.SetData();
        var command =
            new Command("embed", "Write one vector for each image. If it was stopped, run it again to go on.")
            {
                data, output, engine, set
            };
        encoder.AddTo(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            Screen screen = screenOf(parsed);
            string path = Outputs.File(parsed.GetValue(output)!, OutputKind.Index,
                [parsed.GetValue(data)], encoder.Files(parsed));
            EmbeddingFile.CheckReplaceable(path);
            var (network, recipe, name) = encoder.Open(screen, parsed, parsed.GetValue(set)!,
                options => ImageSources.Open(parsed.GetValue(data)!, options));
            using Encoder opened = network;
            using var embedder = new Embedder(opened, parsed.GetValue(engine));
            if (EmbeddingFile.OriginIn(path) is { } before && before.Encoder != opened.ContentHash())
                screen.Warn($"{path} holds vectors of another encoder, {before.Name}: they are replaced at the end. "
                    + "To keep them, stop and choose another --out.");
            IImageSource source = ImageSources.Open(parsed.GetValue(data)!, recipe.Data);
            if (EmbeddingFile.OthersIn(path, source) is int others)
                screen.Warn($"{path} holds {Plural.Of(others, "vector")} of other images than {source.Name}: "
                    + "they are replaced at the end, for nothing is appended. To keep them, stop and choose another --out.");
            screen.Interruption = () => ("Stopping after this batch; Ctrl+C again = stop now. The same command goes on.",
                "Stopped. The same command goes on from the last batch that was written whole.");
            EmbedResult result = ReadingBar.Show(screen, progress =>
                Embedding.Write(path, embedder, name, recipe.Data, source, BatchSize, new Told(progress), cancellationToken));
            if (result.BegunAnew is { } differing)
                screen.Warn("An earlier embed to this file was stopped, but it was of something else "
                    + $"({differing}): all images were embedded anew.");
            foreach (string note in result.Notes) screen.Warn(note);
            if (result.Skipped.Count > 0)
                screen.Warn($"{result.Skipped.Count:N0} of {Plural.Of(source.Count, "image")} cannot be read and "
                    + $"{(result.Skipped.Count == 1 ? "is" : "are")} left out, listed in {Embedding.SkippedOf(path)}. The first: "
                    + $"{result.Skipped[0].Path}: {result.Skipped[0].Reason}.");
            screen.Result(new
            {
                file = path,
                count = result.Count,
                width = result.Width,
                resumed = result.Resumed,
                skipped = result.Skipped.Count,
                notes = result.Notes,
                engine = embedder.Engine.ToString().ToLowerInvariant()
            }, console =>
            {
                console.WriteLine($"{Plural.Of(result.Count, "vector")} of {Plural.Of(result.Width, "number")}: {path}"
                    + (result.Resumed > 0 ? $" ({result.Resumed:N0} of the images were done before)" : ""));
                if (Path.GetExtension(path) == ".npy")
                    console.WriteLine($"Paths and labels: {EmbeddingFile.NamesOf(path)}; encoder and checksums: "
                        + $"{EmbeddingFile.OriginOf(path)}. Keep the three together.");
            });
            screen.Next($"siam search --index {Shell.PathWord(path)} {encoder.Words(parsed)} --query IMAGE");
            return Task.FromResult(0);
        });
        return command;
    }

    private sealed class Told(IProgress<LoadProgress>? bar) : IProgress<EmbedProgress>
    {
        public void Report(EmbedProgress value) => bar?.Report(new(value.Done, value.Total, 0));
    }
}

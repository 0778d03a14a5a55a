using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Embeddings;
using SiamSharp.Evaluation;
using SiamSharp.Files;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Studies;
using SiamSharp.Training;

namespace SiamSharp.Torture;

/// <summary>One format: whole files of it, and what reads them.</summary>
/// <param name="Name">For the counts.</param>
/// <param name="Files">Relative to the specimens; each is damaged in its turn.</param>
/// <param name="Read">Reads the file at its place in the worker's copy of the specimens;
/// the folder and the file are given.</param>
/// <param name="Documented">The exceptions that the reader may throw.</param>
internal sealed record Format(string Name, string[] Files, Action<string, string> Read, params Type[] Documented)
{
    private static readonly DataOptions s_data = new() { Size = 16, Threads = 1 };
    private static readonly Lazy<IImageSource> s_sample = new(() => ImageSources.Open("fashion-mnist:sample#..40", s_data));

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Format> All { get; } =
    [
        Image("PNG", "rgb.png", "interlaced.png", "grey16.png"),
        Image("JPEG", "rgb.jpg", "progressive.jpg"),
        Image("GIF", "rgb.gif"),
        Image("BMP", "rgb.bmp"),
        Image("WebP", "alpha.webp", "lossless.webp"),
        Image("AVIF", "rgb.avif"),
        Image("TIFF", "strips.tif", "deflate.tif", "lzw.tif", "tiles.tif", "big.tif"),
        Source("IDX", "{0}", "a-images-idx3-ubyte", "b-images-idx3-ubyte.gz"),
        new("IDX labels", ["a-labels-idx1-ubyte"],
            (folder, _) => Images(Path.Combine(folder, "a-images-idx3-ubyte")), typeof(DataSourceException)),
        new("CIFAR-10", ["test_batch.bin"], (folder, _) => Images($"cifar10:{folder}:test"), typeof(DataSourceException)),
        Source("npy", "{0}", "images.npy", "floats.npy"),
        new("npy labels", ["images.labels.npy"],
            (folder, _) => Images(Path.Combine(folder, "images.npy")), typeof(DataSourceException)),
        new("manifest .csv", ["list.csv"], (_, file) => ImageSources.Open(file, s_data), typeof(DataSourceException)),
        new("manifest .jsonl", ["list.jsonl"], (_, file) => ImageSources.Open(file, s_data), typeof(DataSourceException)),
        new("labels", ["labels.csv"],
            (folder, file) => ImageSources.Open($"{folder}@{file}", s_data), typeof(DataSourceException)),
        new("safetensors", ["run/checkpoint.safetensors", "classifier-plain.safetensors"],
            (_, file) => SafeTensors.Read(file).Dispose(), typeof(SafeTensorsException)),
        new("encoder", ["encoder-plain.safetensors", "run/encoder.safetensors"], (_, file) => Encoder.Load(file).Dispose(),
            typeof(SafeTensorsException), typeof(RunException), typeof(StateDictMismatchException)),
        new("classifier", ["classifier-plain.safetensors", "classifier.safetensors"],
            (_, file) => Classifier.Load(file).Dispose(), typeof(SafeTensorsException), typeof(RunException),
            typeof(StateDictMismatchException)),
        new(".pth", ["zip.pth", "legacy.pth", "options.pth", "options-legacy.pth", "whole-module.pth", "torchscript.pt"],
            (_, file) => Release(WeightsFile.Read(file)), typeof(PyTorchFileException), typeof(SafeTensorsException)),
        new("index .npy", ["index.npy"], Index, typeof(EmbeddingFileException)),
        new("index .csv", ["index.csv"], (folder, _) => Index(folder, Path.Combine(folder, "index.npy")),
            typeof(EmbeddingFileException)),
        new("Parquet", ["index.parquet"], Index, typeof(EmbeddingFileException)),
        new("recipe", ["run/recipe.json"],
            (folder, _) => Recipe.Reread(new RunFolder(Path.Combine(folder, "run")).ReadRecipe(), []),
            typeof(OptionsException), typeof(RunException)),
        new("study", ["study.json"], (_, file) => Study.Read(file).Runs([], _ => s_sample.Value),
            typeof(OptionsException), typeof(DataSourceException)),
        new("metrics.jsonl", ["run/metrics.jsonl"],
            (folder, _) => RunHealth.Read(new RunFolder(Path.Combine(folder, "run")), new Recipe()), typeof(RunException)),
        new("evaluation.json", ["run/evaluation.json"],
            (folder, _) => new RunFolder(Path.Combine(folder, "run")).ReadScores(), typeof(RunException)),
        new("draws.json", ["run/draws.json"], (_, file) => FewShotDraws.For([0, 1, 0, 1], ["a", "b"], "",
            new EvaluationOptions { DrawsFile = file, Shots = [1], Draws = 2 }), typeof(DataSourceException)),
    ];

    private static Format Image(string name, params string[] files) => new(name, files, (_, file) =>
    {
        ImageFile.Info(file, s_data);
        ImageFile.Decode(file, 16, s_data);
    }, typeof(UnreadableImageException));

    private static Format Source(string name, string form, params string[] files) =>
        new(name, files, (_, file) => Images(string.Format(form, file)), typeof(DataSourceException));

    /// <summary>Opens a source and decodes its first and last image; that one of them cannot be read is an answer too.</summary>
    private static void Images(string name)
    {
        IImageSource source = ImageSources.Open(name, s_data);
        foreach (int i in new[] { 0, source.Count - 1 })
        {
            try
            {
                source.Decode(i, 16);
            }
            catch (UnreadableImageException) { }
        }
    }

    private static void Index(string folder, string file)
    {
        using EmbeddingTable table = EmbeddingFile.Read(file);
        float sum = 0;
        for (int row = 0; row < table.Count; row++)
            sum += table[row][0] + table.Paths[row].Length + (table.Labels[row]?.Length ?? 0);
    }

    private static void Release(IReadOnlyDictionary<string, TorchSharp.torch.Tensor> tensors)
    {
        foreach (var tensor in tensors.Values) tensor.Dispose();
    }
}

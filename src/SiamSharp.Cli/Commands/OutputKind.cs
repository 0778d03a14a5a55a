using Parquet;
using SiamSharp.Embeddings;
using SiamSharp.Files;
using SiamSharp.Reporting;

namespace SiamSharp.Cli.Commands;

/// <summary>What a command writes, and how a file of the same kind is known that an earlier command wrote.</summary>
/// <param name="Name">In a sentence, such as <c>a sheet of pictures</c>.</param>
/// <param name="Endings">What its name may end in.</param>
/// <param name="IsOurs">Whether a file is one, and may be replaced.</param>
internal sealed record OutputKind(string Name, string[] Endings, Func<string, bool> IsOurs)
{
    internal static readonly OutputKind
        Sheet = new("a sheet of pictures", [".png"], SheetDrawing.IsSheet),
        Index = new("a file of vectors", [".parquet", ".npy"], IsIndex),
        Classifier = new("a classifier", [".safetensors"], path => HasFormat(path, "siamsharp-classifier-")),
        Encoder = new("an encoder", [".safetensors"], path => HasFormat(path, "siamsharp-encoder-")),
        Answers = new("answers of `siam classify predict`", [".csv", ".json"], IsAnswers),
        Onnx =
        new("a model of `siam export onnx`", [".onnx"], path => Start(path, 64).Contains("SiamSharp", StringComparison.Ordinal));

    private static bool HasFormat(string path, string format) =>
        SafeTensorsHeader.Read(path).Metadata.GetValueOrDefault("format", "").StartsWith(format, StringComparison.Ordinal);

    private static bool IsIndex(string path)
    {
        if (path.EndsWith(".npy", StringComparison.OrdinalIgnoreCase))
            return Start(path, 128).Contains("'descr': '<f4'", StringComparison.Ordinal)
                && File.Exists(EmbeddingFile.NamesOf(path)) && Start(EmbeddingFile.NamesOf(path), 10) == "path,label";
        string[] columns = ColumnsOf(path).GetAwaiter().GetResult();
        return columns.Contains("path") && columns.Any(c => c.StartsWith("vector/", StringComparison.Ordinal));
    }

    private static async Task<string[]> ColumnsOf(string path)
    {
        await using FileStream file = RegularFile.OpenRead(path);
        await using ParquetReader reader = await ParquetReader.CreateAsync(file);
        return [.. reader.Schema.GetDataFields().Select(f => f.Path.ToString())];
    }

    private static bool IsAnswers(string path) => path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase)
        ? Start(path, 200).StartsWith("path,class,accepted,probability", StringComparison.Ordinal)
        : Start(path, 100_000) is var text
            && (text.Trim() == "[]" || (text.StartsWith('[') && text.Contains("\"accepted\"", StringComparison.Ordinal)
                && text.Contains("\"probabilities\"", StringComparison.Ordinal)));

    private static string Start(string path, int length)
    {
        byte[] bytes = new byte[length];
        using FileStream file = RegularFile.OpenRead(path);
        return System.Text.Encoding.Latin1.GetString(bytes, 0, file.ReadAtLeast(bytes, length, throwOnEndOfStream: false))
            .TrimStart('\uFEFF');
    }
}

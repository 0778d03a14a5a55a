using System.Numerics.Tensors;
using SiamSharp.Messages;

namespace SiamSharp.Embeddings;

/// <summary>What is said of files of representations that are missing, damaged or cannot be checked.</summary>
internal static class EmbeddingFaults
{
    internal const string Make = "`siam embed --run RUN --data FOLDER --out vectors.parquet`";

    /// <summary>That there is no such file, and what was probably meant.</summary>
    internal static EmbeddingFileException Missing(string path) =>
        new(path, File.Exists(Path.Combine(path, "recipe.json"))
            ? "it is the folder of a run: give it as --run, and as --index the .parquet or .npy file that `siam embed` wrote"
            : Directory.Exists(path)
            ? $"it is a folder; give the .parquet or .npy file that `siam embed` wrote. {EmbeddingFile.EmbedFirst(path)}"
            : path.StartsWith("fashion-mnist", StringComparison.Ordinal)
                || path.StartsWith("cifar10:", StringComparison.Ordinal) || path.Contains('#')
            ? $"it is no file of vectors, but a source of images. {EmbeddingFile.EmbedFirst(path)}"
            : File.Exists(path + ".partial") ? "it is not there yet: a `siam embed` to it was stopped, "
                + $"and {path}.partial holds what it has. Give the same `siam embed` again; it goes on"
            : "it does not exist"
                + (Nearest.Path(path) is { Length: > 0 } hint ? $".{hint.TrimEnd('.')}" : $". Make one with {Make}"));

    internal static string Unchecked(string path, string reason) =>
        $"{path} was made by an earlier version or another program, or was copied without the files beside it. "
            + $"{reason}, so neither its encoder nor damage can be checked. Repeat `siam embed` to have both.";

    /// <summary>Refuses rows that are like nothing. Those that <see cref="EmbeddingFile.Write"/> wrote it checked then.</summary>
    internal static void CheckFinite(string path, EmbeddingTable table)
    {
        for (int row = 0; row < table.Count; row++)
            if (!TensorPrimitives.IsFiniteAll(table[row]))
                throw new EmbeddingFileException(path, $"row {row}, of {table.Paths[row]}, holds a number that is not finite. "
                    + "Leave the row out, or repeat `siam embed`");
    }

    internal static EmbeddingFileException Damaged(string path, string part) =>
        new(path, $"{part} is not as it was written (its hash differs): it is damaged, was changed, or belongs to another file. "
            + (EmbeddingFile.Extension(path) == ".npy"
                ? $"Copy {Path.GetFileName(path)}, {Path.GetFileName(EmbeddingFile.NamesOf(path))} "
                    + $"and {Path.GetFileName(EmbeddingFile.OriginOf(path))} together again, or repeat `siam embed`"
                : "Copy it again, or repeat `siam embed`"));
}

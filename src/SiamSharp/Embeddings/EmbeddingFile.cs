using System.Numerics.Tensors;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Messages;

namespace SiamSharp.Embeddings;

/// <summary>Files of representations: Parquet (columns path, label and vector, a list of float), and NumPy (N, D) with a CSV of
/// paths and labels beside it.</summary>
/// <remarks>
/// Both say which encoder made them, and carry XxHash128 of every byte, which is compared when they are read. Parquet: in the
/// file's metadata, under <c>siamsharp</c> (JSON: format, encoder, name, data) and
/// <c>siamsharp.hash</c> (<c>xxh128:</c> and 32 hexadecimal digits, which count as zeros in the hash). NumPy: in NAME.npy.json,
/// with the hashes of the two other files and, as <c>hash</c>, of itself without that.
/// Files without all of this, of versions before or of other programs, are read with a note.
/// Cost of the hash: one pass over the file, at the rate of the memory (several GB/s) where it is cached.
/// </remarks>
public static class EmbeddingFile
{
    /// <summary>Whether a path ends as one of the two formats does.</summary>
    public static bool IsKnown(string path) => Extension(path) is ".npy" or ".parquet";

    /// <summary>The paths and labels that belong to a .npy file.</summary>
    public static string NamesOf(string path) => Path.ChangeExtension(path, ".csv");

    /// <summary>What a .npy file's encoder and hashes are kept in.</summary>
    public static string OriginOf(string path) => path + ".json";

    /// <summary>Writes a file, whole or not at all.</summary>
    /// <param name="path">.npy or .parquet.</param>
    /// <param name="table">What it will hold.</param>
    /// <exception cref="ArgumentException">The path ends in neither, or a row holds a number that is not finite.</exception>
    /// <exception cref="EmbeddingFileException">There is something else under that name.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Write(string path, EmbeddingTable table)
    {
        CheckReplaceable(path);
        for (int row = 0; row < table.Count; row++)
            if (!TensorPrimitives.IsFiniteAll(table[row]))
                throw new ArgumentException(
                    $"Row {row}, of {table.Paths[row]}, holds a number that is not finite: leave it out.");
        string[] files = Extension(path) == ".npy" ? [OriginOf(path), NamesOf(path), path] : [path];
        string[] writing = [.. files.Select(file => file + ".writing")];
        try
        {
            if (Extension(path) == ".npy") NumPyVectors.Write(writing[2], writing[1], writing[0], table);
            else ParquetVectors.WriteAsync(writing[0], table).GetAwaiter().GetResult();
            // The vectors last: where this is stopped in between, the file that says what belongs together is there and does not
            // fit the others.
            foreach (var (from, to) in writing.Zip(files)) File.Move(from, to, overwrite: true);
        }
        finally
        {
            foreach (string file in writing) File.Delete(file);
        }
    }

    /// <summary>How many vectors of images a file holds that are not those of a source; null where there are none,
    /// and where it cannot be read.</summary>
    internal static int? OthersIn(string path, IImageSource source)
    {
        if (!File.Exists(path)) return null;
        try
        {
            using EmbeddingTable table = Read(path);
            HashSet<string> own = [.. Enumerable.Range(0, source.Count).Select(source.PathOf)];
            return table.Paths.Count(image => !own.Contains(image)) is > 0 and var others ? others : null;
        }
        catch (EmbeddingFileException)
        {
            return null; // it is written anew
        }
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">.npy or .parquet.</param>
    /// <exception cref="EmbeddingFileException">It is missing, damaged or holds something else.</exception>
    public static EmbeddingTable Read(string path)
    {
        if (!File.Exists(path))
            throw EmbeddingFaults.Missing(path);
        try
        {
            EmbeddingTable table = Extension(path) switch
            {
                ".npy" => NumPyVectors.Read(path),
                ".parquet" => ParquetVectors.Read(path),
                ".csv" or ".json" when Vectors(path) is { } vectors => throw new EmbeddingFileException(path,
                    $"it must end in .npy or .parquet, and this file only belongs to {vectors}. Give that one"),
                _ => throw new EmbeddingFileException(path, "it must end in .npy or "
                    + ".parquet"
                    + (ImageFormats.HasImageEnding(path) ? $", and is an image. {EmbedFirst(path)}"
                        : $". Make one with {EmbeddingFaults.Make}")),
            };
            return table;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EmbeddingFileException(path, e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>The .npy file that a file of names or of origins belongs to; null where there is none.</summary>
    private static string? Vectors(string path) =>
        (Extension(path) == ".csv" ? Path.ChangeExtension(path, ".npy") : path[..^".json".Length]) is var vectors
            && Extension(vectors) == ".npy" && File.Exists(vectors) ? vectors : null;

    /// <summary>What to do with images where vectors are wanted, without a full stop.</summary>
    internal static string EmbedFirst(string images) =>
        $"Embed images first: siam embed --run RUN --data {Shell.Word(images)} --out vectors.parquet";

    /// <summary>What made the vectors of a file that stands under a name; null where there is none,
    /// or where that cannot be read.</summary>
    /// <remarks>Cost: none of the vectors are read.</remarks>
    internal static EmbeddingOrigin? OriginIn(string path)
    {
        try
        {
            if (!File.Exists(path)) return null;
            return StoredOrigin.Of(path, Extension(path) == ".npy" ? NumPyVectors.ReadOrigin(path)
                : ParquetVectors.AboutAsync(path).GetAwaiter().GetResult());
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return null; // whatever is there is replaced
        }
    }

    internal static string Extension(string path) => Path.GetExtension(path).ToLowerInvariant();

    /// <summary>Refuses a path where there is something else than an earlier file of embeddings, which writing would
    /// replace.</summary>
    /// <param name="path">.npy or .parquet, which need not exist.</param>
    /// <exception cref="ArgumentException">The path ends in neither.</exception>
    /// <exception cref="EmbeddingFileException">There is something else.</exception>
    public static void CheckReplaceable(string path)
    {
        if (!IsKnown(path)) throw new ArgumentException($"{path} must end in .npy or .parquet.");
        if (Directory.Exists(path)) throw Fault("there is a folder of that name");
        try
        {
            if (Extension(path) == ".parquet")
            {
                if (File.Exists(path) && !ParquetVectors.IsOwn(path))
                    throw Fault("there is a Parquet file of that name that holds no embeddings");
                return;
            }
            string origin = OriginOf(path), names = NamesOf(path);
            if (File.Exists(origin))
            {
                if (!RegularFile.ReadAllText(origin).Contains(StoredOrigin.Format, StringComparison.Ordinal))
                    throw Fault($"there is {origin}, which would be replaced");
                return; // also where a part of it is missing or damaged
            }
            if (!File.Exists(path))
            {
                if (File.Exists(names)) throw Fault($"its names would replace {names}, which is there without it");
                return;
            }
            // One that the version before wrote.
            using var file = RegularFile.OpenRead(path);
            if (NpyHeader.Read(path, file) is not { Type: "<f4", Shape.Length: 2 } || !File.Exists(names))
                throw Fault("there is an array of that name that holds no embeddings");
            if (RegularFile.ReadLines(names).FirstOrDefault() != "path,label")
                throw Fault($"its names would replace {names}, which is no list of paths and labels");
        }
        catch (DataSourceException)
        {
            throw Fault("there is a file of that name that holds no embeddings");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EmbeddingFileException(path, e.Message.TrimEnd('.'), e, "written");
        }

        EmbeddingFileException Fault(string reason) => new(path, $"{reason}; choose another name", use: "written");
    }
}

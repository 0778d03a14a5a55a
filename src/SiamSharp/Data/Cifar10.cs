using SiamSharp.Files;
using SiamSharp.Options;

namespace SiamSharp.Data;

/// <summary>Reads the binary version of CIFAR-10: records of one label byte and 3 x 32 x 32 bytes.</summary>
/// <remarks>
/// Source: Krizhevsky, 2009, "Learning multiple layers of features from tiny images"; layout of <c>data_batch_1.bin</c>.
/// </remarks>
internal static class Cifar10
{
    private const int Side = 32, Area = 3 * Side * Side, Record = 1 + Area;

    private static readonly string[] Classes =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>Opens the training or the test images.</summary>
    /// <param name="name">How the user named the source.</param>
    /// <param name="folder">Where the <c>.bin</c> files lie.</param>
    /// <param name="test">The 10,000 of <c>test_batch.bin</c> instead of the 50,000 of <c>data_batch_1..5.bin</c>.</param>
    /// <param name="options">How images are decoded.</param>
    /// <exception cref="DataSourceException">A file is missing or damaged.</exception>
    public static IImageSource Open(string name, string folder, bool test, DataOptions options)
    {
        string[] files = test ? ["test_batch.bin"] : [.. Enumerable.Range(1, 5).Select(i => $"data_batch_{i}.bin")];
        byte[][] batches = [.. files.Select(f => ReadBatch(Path.Combine(folder, f)))];
        byte[] records = [.. batches.SelectMany(b => b)];
        int count = records.Length / Record;
        int[] labels = [.. Enumerable.Range(0, count).Select(i => (int)records[i * Record])];
        Pixels Image(int i) => new(records.AsSpan(i * Record + 1, Area).ToArray(), 3, Side, Side);
        return new ArraySource(name, count, new ImageInfo(Side, Side, 3, 8), Image, options, labels, Classes);
    }

    private static byte[] ReadBatch(string path)
    {
        if (!File.Exists(path))
            throw File.Exists(Path.Combine(Path.GetDirectoryName(path)!, "fine_label_names.txt"))
                ? new DataSourceException($"'{Path.GetDirectoryName(path)}' holds CIFAR-100, which is not read. "
                    + "Save its images as a folder for each class, or as images.npy with images.labels.npy.")
                : new DataSourceException($"'{path}' is not there: cifar10:DIR needs the binary version of CIFAR-10, "
                + "data_batch_1.bin to data_batch_5.bin and test_batch.bin, in DIR. "
                + "A folder of image files is given without cifar10: ahead of it.");
        byte[] bytes;
        try
        {
            bytes = RegularFile.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataSourceException($"'{path}' cannot be read: {e.Message}");
        }
        if (bytes.Length == 0 || bytes.Length % Record != 0)
            throw new DataSourceException(
                $"'{path}' must hold whole records of {Record} bytes, but has {bytes.Length} bytes: unpack it again.");
        for (int i = 0; i < bytes.Length; i += Record)
            if (bytes[i] >= Classes.Length)
                throw new DataSourceException(
                    $"'{path}' holds label {bytes[i]} at byte {i}, but CIFAR-10 has labels 0 to 9: unpack it again.");
        return bytes;
    }
}

/// <summary><c>cifar10:DIR</c>, or its test images.</summary>
[Kind("cifar10")]
internal sealed class Cifar10Format : SourceFormat
{
    /// <inheritdoc/>
    public override string Form => "cifar10:DIR[:test]";

    /// <inheritdoc/>
    public override bool Takes(string name) =>
        name.StartsWith("cifar10:", StringComparison.Ordinal) && name.Length > "cifar10:".Length;

    /// <inheritdoc/>
    public override IImageSource Open(string name, DataOptions options)
    {
        string folder = name["cifar10:".Length..];
        bool test = folder.EndsWith(":test", StringComparison.Ordinal);
        if (test || folder.EndsWith(":train", StringComparison.Ordinal)) folder = folder[..folder.LastIndexOf(':')];
        return Cifar10.Open(name, folder, test, options);
    }
}

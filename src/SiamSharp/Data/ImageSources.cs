namespace SiamSharp.Data;

/// <summary>Opens what the user names as a source of images.</summary>
public static class ImageSources
{
    private const string Forms =
        "a folder, FOLDER@labels.csv, a manifest .csv or .jsonl, an array .npy, an IDX file *-images-idx3-ubyte[.gz], "
        + "fashion-mnist[:train|:test|:sample] or cifar10:DIR[:test]";

    /// <summary>Opens a source: lists it, reads its labels, decodes nothing yet.</summary>
    /// <param name="source">
    /// A folder (sub-folder names are the labels), <c>FOLDER@labels.csv</c>, a manifest <c>.csv</c> or <c>.jsonl</c>,
    /// <c>.npy</c> of shape (N, H, W) or (N, C, H, W), <c>*-images-idx3-ubyte[.gz]</c>,
    /// <c>fashion-mnist[:train|:test|:sample]</c>, <c>cifar10:DIR[:test]</c>.
    /// </param>
    /// <param name="options">How images are decoded.</param>
    /// <exception cref="DataSourceException">There is no such source, or no image in it.</exception>
    public static IImageSource Open(string source, DataOptions options)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(source);
        string[] parts = source.Split(':');
        if (parts[0] == "fashion-mnist" && parts.Length <= 2)
            return FashionMnist.Open(source, parts.Length == 2 ? parts[1] : "train", options);
        if (File.Exists(source) && IdxFiles.IsImagesPath(source)) return IdxFiles.Open(source, source, options);
        throw new DataSourceException($"'{source}' is not there. A source is {Forms}.");
    }
}

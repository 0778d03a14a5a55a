using SiamSharp.Options;

namespace SiamSharp.Data;

/// <summary>Finds Fashion-MNIST on this machine.</summary>
/// <remarks>Source: Xiao, Rasul and Vollgraf, 2017, arXiv 1708.07747. MIT licence.</remarks>
internal static class FashionMnist
{
    private static readonly string[] Classes =
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    private const string Shadowed = "'fashion-mnist' names the built-in data set, though there is a folder or file of that name "
        + "here: write ./fashion-mnist for it.";

    /// <summary>Opens a part of the data set.</summary>
    /// <param name="name">How the user named the source.</param>
    /// <param name="part">
    /// <c>train</c> (60,000 images), <c>test</c> (10,000), or <c>sample</c> (the test images, beside this program).
    /// </param>
    /// <param name="options">How images are decoded.</param>
    /// <exception cref="DataSourceException">No such part, or the files are nowhere to be found.</exception>
    public static IImageSource Open(string name, string part, DataOptions options)
    {
        string cache = Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "siamsharp", "fashion-mnist");
        string sample = Path.Combine(AppContext.BaseDirectory, "samples", "fashion-mnist");
        var (stem, folders) = part switch
        {
            "train" => ("train", new[] { "/usr/share/datasets/fashion-mnist", cache }),
            "test" => ("t10k", ["/usr/share/datasets/fashion-mnist", cache]),
            "sample" => ("t10k", [sample]),
            _ => throw new DataSourceException(
                $"'{name}': Fashion-MNIST has the parts train, test and sample, but not '{part}'."),
        };
        string[] candidates = [.. folders.Select(f => Path.Combine(f, $"{stem}-images-idx3-ubyte"))];
        string path = candidates.SelectMany(c => (string[])[c, c + ".gz"]).FirstOrDefault(File.Exists)
            ?? throw new DataSourceException(part == "sample"
            ? $"'{name}' must lie beside the program in '{sample}', but is not there: build the program again."
            : (name == "fashion-mnist" && Path.Exists(name) ? Shadowed + " " : "") + $"'{name}' is in neither "
                + $"of '{string.Join("' and '", folders)}': install Debian's package dataset-fashion-mnist, "
                + "put the four files there, or use the embedded 10,000 images, fashion-mnist:sample.");
        bool shadows = name == "fashion-mnist" && Path.Exists(name);
        return IdxFiles.Open(name, path, options, Classes, shadows ? [Shadowed] : []);
    }
}

/// <summary><c>fashion-mnist</c>, or a part of it.</summary>
[Kind("fashion-mnist")]
internal sealed class FashionMnistFormat : SourceFormat
{
    /// <inheritdoc/>
    public override string Form => "fashion-mnist[:train|:test|:sample]";

    /// <inheritdoc/>
    public override bool Takes(string name) => name.Split(':') is ["fashion-mnist"] or ["fashion-mnist", _];

    /// <inheritdoc/>
    public override IImageSource Open(string name, DataOptions options) =>
        FashionMnist.Open(name, name.Split(':') is [_, var part] ? part : "train", options);
}

using SiamSharp.Messages;
using SiamSharp.Options;

namespace SiamSharp.Data;

/// <summary>Images of one size and depth, read from an array: in a file (IDX, CIFAR, NumPy) or in memory.</summary>
internal sealed class ArraySource : IImageSource
{
    private readonly ImageInfo _info;
    private readonly Func<int, Pixels> _read;
    private readonly DataOptions _options;
    private readonly int[]? _labels;

    /// <summary>Describes the array; nothing is read yet.</summary>
    /// <param name="name">How the user named the source.</param>
    /// <param name="count">N.</param>
    /// <param name="info">What all images have in common.</param>
    /// <param name="read">Gives one image as stored, from any thread.</param>
    /// <param name="options">How images are decoded.</param>
    /// <param name="labels">N labels, -1 = none; null where there are none at all.</param>
    /// <param name="classNames">Names in label order; null exactly where <paramref name="labels"/> is.</param>
    public ArraySource(string name, int count, ImageInfo info, Func<int, Pixels> read, DataOptions options,
        int[]? labels = null, IReadOnlyList<string>? classNames = null)
    {
        if (count == 0) throw new DataSourceException($"'{name}' holds no image: it must hold at least one.");
        if (labels is not null) CheckLabels(name, count, labels.Length, null);
        (Name, Count, _info, _read, _options, _labels, ClassNames) =
            (name, count, info, read, OptionsJson.Check(options, "data"), labels, classNames);
    }

    /// <summary>Refuses labels that are more or fewer than the images.</summary>
    /// <param name="path">Of the images.</param>
    /// <param name="images">N.</param>
    /// <param name="labels">As many as there are.</param>
    /// <param name="labelPath">The file that holds them; null where it is that of the images.</param>
    internal static void CheckLabels(string path, int images, int labels, string? labelPath)
    {
        if (images == labels) return;
        throw new DataSourceException(labelPath is null
            ? $"'{path}' holds {Plural.Of(images, "image")} but {Plural.Of(labels, "label")}: each image needs one label."
            : $"'{path}' holds {Plural.Of(images, "image")}, but '{labelPath}' beside it {Plural.Of(labels, "label")}: "
                + "each image needs one. Make both of the same images, or move the labels away.");
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>What the user should know about how the source was understood.</summary>
    internal IReadOnlyList<string> Notes { get; init; } = [];

    IReadOnlyList<string> IImageSource.Notes => Notes;

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public int NativeSize => Math.Min(_info.Width, _info.Height);

    /// <inheritdoc/>
    public IReadOnlyList<string>? ClassNames { get; }

    /// <inheritdoc/>
    public string PathOf(int index) => $"{Name}#{index}";

    /// <inheritdoc/>
    public int LabelOf(int index) => _labels?[index] ?? -1;

    /// <inheritdoc/>
    public ImageInfo InfoOf(int index) => _info;

    /// <inheritdoc/>
    public Pixels Decode(int index, int size)
    {
        var stored = _read(index);
        if (stored.Width != size || stored.Height != size)
        {
            using var image = VipsPixels.ToImage(stored);
            using var square = SquareFit.Apply(image, size, _options.Fit);
            double cutOff = SquareFit.CutOff(stored.Width, stored.Height, _options.Fit);
            stored = VipsPixels.FromImage(square) with
            {
                Origin = new(0, CutOff: cutOff, Stored: stored.Values is float[] values ? StoredRange.Of(values) : null)
            };
        }
        return PixelChecks.Complete(stored, _options, PathOf(index));
    }
}

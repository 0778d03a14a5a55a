using SiamSharp.Messages;
using SiamSharp.Options;

namespace SiamSharp.Data;

/// <summary>Image files with or without labels.</summary>
internal sealed class FileSource : IImageSource
{
    private readonly string[] _paths;
    private readonly int[]? _labels;
    private readonly DataOptions _given;
    private readonly Lazy<DataOptions> _options;

    /// <param name="name">How the user named the source.</param>
    /// <param name="paths">One per image; 1 or more.</param>
    /// <param name="labels">One per image, null = none; all null is a source without labels.</param>
    /// <param name="options">How images are decoded.</param>
    /// <param name="notes">What the user should know.</param>
    public FileSource(string name, string[] paths, IReadOnlyList<string?> labels, DataOptions options,
        IReadOnlyList<string> notes)
    {
        (Name, _paths, _given, _options) = (name, paths, options, new(Choose));
        int unlabelled = labels.Count(l => l is null);
        if (unlabelled < labels.Count) (_labels, ClassNames) = ClassLabels.FromNames(labels);
        Notes = _labels is null ? notes : [.. notes, .. ClassLabels.Notes(ClassNames!, labels.Count - unlabelled),
            .. unlabelled == 0 ? Array.Empty<string>() :
            [$"{unlabelled} of {Plural.Of(labels.Count, "image")} {(unlabelled == 1 ? "has" : "have")} no label, "
                + $"and {(unlabelled == 1 ? "is" : "are")} left out where labels are needed."]];
    }

    public string Name { get; }
    public int Count => _paths.Length;
    public int NativeSize => 0;
    public IReadOnlyList<string>? ClassNames { get; }
    public IReadOnlyList<string> Notes { get; }
    public DataOptions Options => _options.Value;
    public string PathOf(int index) => _paths[index];
    public int LabelOf(int index) => _labels?[index] ?? -1;
    public Pixels Decode(int index, int size) => ImageFile.Decode(_paths[index], size, _options.Value);
    public ImageInfo InfoOf(int index) => ImageFile.Info(_paths[index], _given);

    /// <summary>Looks at all headers for what the options leave to the images: RGB where some are grey and others RGB,
    /// and what shows through.</summary>
    private DataOptions Choose()
    {
        if (_given.Channels != 0 && _given.Alpha != AlphaBackground.Auto) return _given;
        var headers = new (ImageInfo Info, bool HasAlpha)?[_paths.Length];
        DecodingThreads.Run(_given.Threads, _paths.Length, i =>
        {
            try
            {
                headers[i] = ImageFile.Header(_paths[i], _given);
            }
            catch (UnreadableImageException)
            {
                // told when it is decoded
            }
        }, CancellationToken.None);
        int[] channels = [.. headers.Where(h => h is not null).Select(h => h!.Value.Info.Channels).Distinct().Order()];
        return _given with
        {
            Channels = channels is [1, 3] ? 3 : _given.Channels,
            Alpha = _given.Alpha != AlphaBackground.Auto ? _given.Alpha
                : Transparency.Choose([.. _paths.Where((_, i) => headers[i] is { HasAlpha: true })], _given),
        };
    }
}

/// <summary>One image file.</summary>
[Kind("image")]
internal sealed class ImageFormat : SourceFormat
{
    /// <inheritdoc/>
    public override string Form => "one image";

    /// <inheritdoc/>
    public override bool Takes(string name) => File.Exists(name) && ImageFormats.HasImageEnding(name);

    /// <inheritdoc/>
    public override IImageSource Open(string name, DataOptions options) => new FileSource(name, [name], [null], options, []);
}

namespace SiamSharp.Data;

/// <summary>Image files with or without labels.</summary>
internal sealed class FileSource : IImageSource
{
    private readonly string[] _paths;
    private readonly int[]? _labels;
    private readonly DataOptions _options;

    /// <param name="name">How the user named the source.</param>
    /// <param name="paths">One per image; 1 or more.</param>
    /// <param name="labels">One per image, null = none; all null is a source without labels.</param>
    /// <param name="options">How images are decoded.</param>
    /// <param name="notes">What the user should know.</param>
    public FileSource(string name, string[] paths, IReadOnlyList<string?> labels, DataOptions options,
        IReadOnlyList<string> notes)
    {
        (Name, _paths, _options) = (name, paths, options);
        int unlabelled = labels.Count(l => l is null);
        if (unlabelled < labels.Count) (_labels, ClassNames) = ClassLabels.FromNames(labels);
        Notes = unlabelled == 0 || _labels is null ? notes : [.. notes,
            $"{unlabelled} of the {labels.Count} images have no label: an evaluation leaves them out."];
    }

    public string Name { get; }
    public int Count => _paths.Length;
    public int NativeSize => 0;
    public IReadOnlyList<string>? ClassNames { get; }
    public IReadOnlyList<string> Notes { get; }
    public string PathOf(int index) => _paths[index];
    public int LabelOf(int index) => _labels?[index] ?? -1;
    public Pixels Decode(int index, int size) => ImageFile.Decode(_paths[index], size, _options);
    public ImageInfo InfoOf(int index) => ImageFile.Info(_paths[index], _options);
}

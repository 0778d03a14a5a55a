namespace SiamSharp.Data;

/// <summary>Some images of another source, with its class names.</summary>
internal sealed class SubsetSource : IImageSource
{
    private readonly IImageSource _source;
    private readonly int[] _indexes;

    /// <summary>Takes images of a source in the order given.</summary>
    /// <param name="source">Where they come from.</param>
    /// <param name="indexes">Indexes into the source; 1 or more, each at most once.</param>
    /// <param name="name">What the part is called.</param>
    /// <exception cref="ArgumentException">No index, one out of range or one twice.</exception>
    public SubsetSource(IImageSource source, IReadOnlyList<int> indexes, string name)
    {
        if (indexes.Count == 0) throw new ArgumentException(
            "A subset must hold at least one image, but has no index.", nameof(indexes));
        if (indexes.FirstOrDefault(i => i < 0 || i >= source.Count, 0) is not 0 and var outside)
            throw new ArgumentException($"An index must be 0 to {source.Count - 1}, but one is {outside}.", nameof(indexes));
        if (indexes.Distinct().Count() != indexes.Count)
            throw new ArgumentException(
                $"Each image can be taken once, but {indexes.CountBy(i => i).First(g => g.Value > 1).Key} is "
                + "there more often.", nameof(indexes));
        (_source, _indexes, Name) = (source, [.. indexes], name);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Count => _indexes.Length;

    /// <inheritdoc/>
    public int NativeSize => _source.NativeSize;

    /// <inheritdoc/>
    public IReadOnlyList<string> Notes => _source.Notes;

    /// <inheritdoc/>
    public DataOptions? Options => _source.Options;

    /// <inheritdoc/>
    public IReadOnlyList<string>? ClassNames => _source.ClassNames;

    /// <inheritdoc/>
    public string PathOf(int index) => _source.PathOf(_indexes[index]);

    /// <inheritdoc/>
    public int LabelOf(int index) => _source.LabelOf(_indexes[index]);

    /// <inheritdoc/>
    public Pixels Decode(int index, int size) => _source.Decode(_indexes[index], size);

    /// <inheritdoc/>
    public ImageInfo InfoOf(int index) => _source.InfoOf(_indexes[index]);
}

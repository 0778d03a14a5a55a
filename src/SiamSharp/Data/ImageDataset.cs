using SiamSharp.Messages;
using SiamSharp.Options;
using static TorchSharp.torch;

namespace SiamSharp.Data;

/// <summary>
/// The readable images of a source as squares of one size, in memory or decoded on demand. Safe to read from many threads.
/// </summary>
public sealed class ImageDataset
{
    private readonly IImageSource _source;
    private readonly int[] _sourceIndex;
    private readonly Pixels[]? _pixels;
    private readonly UInt128[] _hashes;
    private readonly List<SkippedFile> _skipped;
    private readonly FormerImage[]? _former; // those of AsItWas, with where they are now
    private readonly int?[]? _now;

    internal ImageDataset(DecodedSet set)
    {
        (_source, _sourceIndex, _pixels, _hashes, _skipped) = (set.Source, set.SourceIndex, set.Pixels, set.Hashes, set.Skipped);
        (Size, Channels, BitDepth, Threads) = (set.Size, set.Moments.Length, set.BitDepth, set.Threads);
        Mean = [.. set.Moments.Select(m => m.Mean)];
        Std = [.. set.Moments.Select(m => m.Std)];
        (BlankCount, White) = (set.Notes.BlankCount, set.Notes.White);
        Range = (set.Moments.Min(m => m.Min), set.Moments.Max(m => m.Max));
        StoredRange = set.Notes.StoredFloats ?? Range;
        ClassNames = _source.ClassNames;
        Labels = ClassNames is null ? null : [.. _sourceIndex.Select(_source.LabelOf)];
        DataHash = set.HashWith(Labels);
        Notes = [.. _source.Notes, .. set.Notes.Lines(_source), .. Equal()];
    }

    private ImageDataset(ImageDataset now, FormerImage[] images, int?[] places, string dataHash)
    {
        (_former, _now, _skipped) = (images, places, now._skipped);
        (_source, _sourceIndex, _hashes) = (now._source, [.. images.Select(i => i.Place)], [.. images.Select(i => i.Hash)]);
        _pixels = now._pixels is null ? null : [.. places.Select(p => p is int place ? now._pixels[place] : null!)];
        _now = [.. places.Select(p => p is int place ? now._sourceIndex[place] : (int?)null)];
        (Size, Channels, BitDepth, Threads, Mean, Std) = (now.Size, now.Channels, now.BitDepth, now.Threads, now.Mean, now.Std);
        (BlankCount, White, Range, StoredRange, ClassNames, DataHash, Notes) =
            (now.BlankCount, now.White, now.Range, now.StoredRange, now.ClassNames, dataHash, now.Notes);
        Labels = ClassNames is null ? null : [.. images.Select(i => i.Label)];
        foreach (var (i, image) in images.Index())
            if (places[i] is null) Skip(Gone(image));
    }

    private static UnreadableImageException Gone(FormerImage image) =>
        new(image.Path, File.Exists(image.Path) ? "holds another image than when the run began" : "is not there any more");

    /// <summary>The set as it was when a run began: an image that has gone is unreadable, and one that came
    /// since is not in it.</summary>
    /// <param name="images">Those of the run.</param>
    /// <param name="places">Where each is in this set; null = not there any more.</param>
    /// <param name="dataHash">Of the set as it was.</param>
    internal ImageDataset AsItWas(FormerImage[] images, int?[] places, string dataHash) => new(this, images, places, dataHash);

    /// <summary>
    /// Decodes every image of a source once and keeps the pixels if they fit into <see cref="DataOptions.MemoryGiB"/>.
    /// </summary>
    /// <param name="source">Where the images come from.</param>
    /// <param name="options">Size, memory and threads.</param>
    /// <param name="progress">Called about 200 times, from any thread.</param>
    /// <param name="cancellationToken">Stops between images.</param>
    /// <exception cref="DataSourceException">No image is readable, or they differ in their number of channels
    /// or in their scale.</exception>
    public static ImageDataset Load(IImageSource source, DataOptions options, IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        new(DecodedSet.Decode(source, OptionsJson.Check(options, "data"), progress, cancellationToken));

    /// <summary>How the user named the source.</summary>
    public string Name => _source.Name;

    /// <summary>Number of readable images.</summary>
    public int Count => _sourceIndex.Length;

    /// <summary>H and W in pixels.</summary>
    public int Size { get; }

    /// <summary>C.</summary>
    public int Channels { get; }

    /// <summary>Bits of one value in the source: 8, 16 or 32 (floating point); the largest where images differ.</summary>
    public int BitDepth { get; }

    /// <summary>
    /// The value in the source that becomes 1: 255 for 8 bits, 65535 for 16 (less with <see cref="DataOptions.Bits"/>), 1 for
    /// floating-point values, which are taken as they are; null where images of several depths are scaled each by its own.
    /// </summary>
    public double? White { get; }

    /// <summary>Whether the pixels are held in memory; otherwise each read decodes anew.</summary>
    public bool InMemory => _pixels is not null;

    /// <summary>Label of each readable image, -1 = none; null where the source has no labels.</summary>
    public IReadOnlyList<int>? Labels { get; }

    /// <summary>Class names in label order, or null where the source has no labels.</summary>
    public IReadOnlyList<string>? ClassNames { get; }

    /// <summary>Mean of each channel over all pixels of all images, at the scale of <see cref="Read"/>.</summary>
    public IReadOnlyList<double> Mean { get; }

    /// <summary>
    /// Population standard deviation of each channel over all pixels of all images, at the scale of <see cref="Read"/>.
    /// </summary>
    public IReadOnlyList<double> Std { get; }

    /// <summary>Images of one value in each channel: there is nothing on them, or it is in their transparency alone.</summary>
    public int BlankCount { get; }

    /// <summary>Smallest and largest value of all pixels of all images, at the scale of <see cref="Read"/>.</summary>
    public (float Min, float Max) Range { get; }

    /// <summary>The same of floating-point values as they are stored: resizing goes a little beyond them.</summary>
    internal (float Min, float Max) StoredRange { get; }

    /// <summary>
    /// XxHash128 of all decoded pixels and labels in order, 32 hexadecimal digits: the name of the data behind a number.
    /// </summary>
    public string DataHash { get; }

    /// <summary>
    /// What the user should know of these images, one line each, often none: how the source was understood, and what was seen
    /// when they were decoded (depths, pages not read, transparency, blank and equal images). A run keeps them in
    /// <see cref="Training.RunFolder.NotesPath"/>.
    /// </summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Images left out so far, in the order of the source; those that became unreadable later follow.</summary>
    public IReadOnlyList<SkippedFile> Skipped
    {
        get { lock (_skipped) return [.. _skipped]; }
    }

    /// <summary>Names of the classes without an image here: those of which the source has none, and those of which it has some
    /// but none that can be read.</summary>
    internal (IReadOnlyList<string> Absent, IReadOnlyList<string> Unreadable) EmptyClasses
    {
        get
        {
            if (Labels is null) return ([], []);
            HashSet<int> read = [.. Labels], given = [.. Enumerable.Range(0, _source.Count).Select(_source.LabelOf)];
            ILookup<bool, string> empty = ClassNames!.Index().Where(c => !read.Contains(c.Index))
                .ToLookup(c => given.Contains(c.Index), c => c.Item);
            return ([.. empty[false]], [.. empty[true]]);
        }
    }

    internal int Threads { get; }

    /// <summary>Index of a readable image in its source: stable, whatever else is unreadable.</summary>
    public int SourceIndexOf(int index) => _sourceIndex[index];

    /// <summary>Where a readable image comes from.</summary>
    public string PathOf(int index) => _former is null ? _source.PathOf(_sourceIndex[index]) : _former[index].Path;

    /// <summary>XxHash128 of one image's decoded pixels: equal for duplicates.</summary>
    public UInt128 HashOf(int index) => _hashes[index];

    /// <summary>Writes one image as float32 (C, H, W): integers scaled to 0 to 1, floating-point values as they are.</summary>
    /// <param name="index">0 to <see cref="Count"/> - 1.</param>
    /// <param name="destination">C * H * W values.</param>
    /// <exception cref="UnreadableImageException">The file has changed since it was loaded (never when in memory).</exception>
    public void Read(int index, Span<float> destination)
    {
        int place = _now is null ? _sourceIndex[index] : _now[index] ?? throw Gone(_former![index]);
        var pixels = _pixels is not null ? _pixels[index] : _source.Decode(place, Size);
        if (pixels.Channels != Channels)
            throw new UnreadableImageException(PathOf(index),
                $"now has {Plural.Of(pixels.Channels, "channel")}, but had {Channels}");
        pixels.CopyTo(destination);
    }

    /// <summary>Several images at once, decoded on the calling thread.</summary>
    /// <param name="indexes">N indexes, 0 to <see cref="Count"/> - 1.</param>
    /// <returns>
    /// float32 (N, C, H, W), scaled as in <see cref="Read"/>, on the CPU; owned by the caller or its dispose scope.
    /// </returns>
    /// <exception cref="UnreadableImageException">A file has changed since it was loaded (never when in memory).</exception>
    public Tensor Batch(ReadOnlySpan<int> indexes)
    {
        int length = Channels * Size * Size;
        float[] values = new float[indexes.Length * length];
        for (int i = 0; i < indexes.Length; i++) Read(indexes[i], values.AsSpan(i * length, length));
        return tensor(values, [indexes.Length, Channels, Size, Size]);
    }

    /// <summary>The same without images that have become unreadable since the set was loaded; these are added to
    /// <see cref="Skipped"/>.</summary>
    /// <param name="indexes">N indexes, 0 to <see cref="Count"/> - 1.</param>
    /// <returns>float32 (M, C, H, W), owned by the caller or its dispose scope, and the M indexes that it holds,
    /// in their order; M may be 0.</returns>
    public (Tensor Images, int[] Indexes) ReadableBatch(ReadOnlySpan<int> indexes)
    {
        int length = Channels * Size * Size;
        var kept = new List<int>();
        float[] values = new float[indexes.Length * length];
        foreach (int index in indexes)
        {
            try
            {
                Read(index, values.AsSpan(kept.Count * length, length));
                kept.Add(index);
            }
            catch (UnreadableImageException e)
            {
                Skip(e);
            }
        }
        return (tensor(kept.Count == indexes.Length ? values : values[..(kept.Count * length)],
            [kept.Count, Channels, Size, Size]), [.. kept]);
    }

    // Few equal images do no harm.
    private IEnumerable<string> Equal()
    {
        const int share = 100;
        int equal = Count - _hashes.Distinct().Count();
        if (Count > 1 && equal == Count - 1)
            yield return $"All {Count} images are equal, pixel by pixel: "
                + "of one image repeated nothing can be learned. Give different images.";
        else if (equal * share >= Count && equal > 0)
        {
            int again = Enumerable.Range(0, Count).GroupBy(i => _hashes[i]).First(g => g.Count() > 1).ElementAt(1),
                first = Array.IndexOf([.. _hashes], _hashes[again]);
            yield return $"{equal} of {Count} images {(equal == 1 ? "is" : "are")} equal to another one, pixel by pixel, "
                + $"such as '{PathOf(again)}' and '{PathOf(first)}'.";
        }
        if (Labels is null || equal == 0) yield break;
        int[][] torn = [.. Enumerable.Range(0, Count).Where(i => Labels[i] >= 0).GroupBy(i => _hashes[i])
            .Where(g => g.Select(i => Labels[i]).Distinct().Count() > 1).Select(g => g.ToArray())];
        if (torn.Length > 0)
            yield return $"{torn.Sum(group => group.Length)} images are equal to one of another class, "
                + $"such as '{PathOf(torn[0][0])}' ({ClassNames![Labels[torn[0][0]]]}) and "
                + $"'{PathOf(torn[0].First(i => Labels[i] != Labels[torn[0][0]]))}' "
                + $"({ClassNames[Labels[torn[0].First(i => Labels[i] != Labels[torn[0][0]])]]}): one of the labels is wrong.";
    }

    internal void Skip(UnreadableImageException unreadable)
    {
        var file = new SkippedFile(unreadable.Path, unreadable.Reason);
        lock (_skipped)
            // one that is lost while it is read fails again, for another reason
            if (!_skipped.Exists(s => s.Path == file.Path)) _skipped.Add(file);
    }
}

using SiamSharp.Options;

namespace SiamSharp.Data;

/// <summary>Smallest, median and largest of some whole numbers.</summary>
/// <param name="Min">The smallest.</param>
/// <param name="Median">The middle one; the lower of two.</param>
/// <param name="Max">The largest.</param>
internal sealed record Spread(int Min, int Median, int Max)
{
    internal static Spread Of(IEnumerable<int> values)
    {
        int[] sorted = [.. values.Order()];
        return new Spread(sorted[0], sorted[(sorted.Length - 1) / 2], sorted[^1]);
    }
}

/// <summary>What is known about a source once every image has been decoded.</summary>
internal sealed record DataInspection
{
    /// <summary>How the user named the source.</summary>
    public required string Name { get; init; }

    /// <summary>Images in the source.</summary>
    public required int Count { get; init; }

    /// <summary>Images that can be decoded.</summary>
    public required int Readable { get; init; }

    /// <summary>Width as stored, in pixels.</summary>
    public required Spread Width { get; init; }

    /// <summary>Height as stored, in pixels.</summary>
    public required Spread Height { get; init; }

    /// <summary>Number of readable images for each bit depth: 8, 16 or 32.</summary>
    public required IReadOnlyDictionary<int, int> BitDepths { get; init; }

    /// <summary>C.</summary>
    public required int Channels { get; init; }

    /// <summary>Side in pixels to which images were decoded for the mean, the standard deviation and the duplicates.</summary>
    public required int DecodedSize { get; init; }

    /// <summary>Readable images of each class by name, in label order; empty where there are no labels.</summary>
    public required IReadOnlyList<KeyValuePair<string, int>> Classes { get; init; }

    /// <summary>Readable images without a label.</summary>
    public required int Unlabelled { get; init; }

    /// <summary>Mean of each channel; integers scaled to 0 to 1.</summary>
    public required IReadOnlyList<double> Mean { get; init; }

    /// <summary>Population standard deviation of each channel; integers scaled to 0 to 1.</summary>
    public required IReadOnlyList<double> Std { get; init; }

    /// <summary>Smallest value of all pixels; integers scaled to 0 to 1.</summary>
    public required float Min { get; init; }

    /// <summary>Largest value of all pixels; integers scaled to 0 to 1.</summary>
    public required float Max { get; init; }

    /// <summary>Images of one value in each channel: see <see cref="ImageDataset.BlankCount"/>.</summary>
    public required int Blank { get; init; }

    /// <summary>Groups of images whose decoded pixels are equal: two or more paths each.</summary>
    public required IReadOnlyList<IReadOnlyList<string>> Duplicates { get; init; }

    /// <summary>Images that cannot be decoded, with the reason.</summary>
    public required IReadOnlyList<SkippedFile> Unreadable { get; init; }

    /// <summary>What the user should know: see <see cref="ImageDataset.Notes"/>; values on two scales, which pretraining refuses,
    /// are told here too.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>The name of the data behind a number: see <see cref="ImageDataset.DataHash"/>.</summary>
    public required string DataHash { get; init; }

    /// <summary>Decodes every image once and sums up what there is; keeps no pixels.</summary>
    /// <param name="source">What to look at.</param>
    /// <param name="options">Size and threads.</param>
    /// <param name="progress">As for <see cref="ImageDataset.Load"/>.</param>
    /// <param name="cancellationToken">Stops between images.</param>
    /// <exception cref="DataSourceException">No image is readable, or they differ in their number of channels.</exception>
    public static DataInspection Inspect(IImageSource source, DataOptions options, IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        var set = new ImageDataset(DecodedSet.Decode(source, OptionsJson.Check(options, "data") with { MemoryGiB = 0 }, progress,
            cancellationToken, oneScale: false));
        int[] readable = [.. Enumerable.Range(0, set.Count)];
        var infos = new ImageInfo[set.Count];
        DecodingThreads.Run(options.Threads, set.Count, i => infos[i] = source.InfoOf(set.SourceIndexOf(i)), cancellationToken);
        return new DataInspection
        {
            Name = source.Name,
            Count = source.Count,
            Readable = set.Count,
            Width = Spread.Of(infos.Select(i => i.Width)),
            Height = Spread.Of(infos.Select(i => i.Height)),
            BitDepths = infos.CountBy(i => i.BitDepth).OrderBy(d => d.Key).ToDictionary(),
            Channels = set.Channels,
            DecodedSize = set.Size,
            Classes = [.. (set.ClassNames ?? []).Select((name, k) => KeyValuePair.Create(name, set.Labels!.Count(l => l == k)))],
            Unlabelled = set.Labels?.Count(l => l < 0) ?? set.Count,
            Mean = set.Mean,
            Std = set.Std,
            Blank = set.BlankCount,
            Min = set.StoredRange.Min,
            Max = set.StoredRange.Max,
            Duplicates = [.. readable.GroupBy(set.HashOf).Where(g => g.Count() > 1)
                .Select(IReadOnlyList<string> (g) => [.. g.Select(set.PathOf)])],
            Unreadable = set.Skipped,
            Notes = set.Notes,
            DataHash = set.DataHash,
        };
    }
}

using System.Buffers.Binary;
using System.IO.Hashing;
using SiamSharp.Messages;

namespace SiamSharp.Data;

/// <summary>All images of a source, each decoded once: what a data set is made of.</summary>
internal sealed class DecodedSet
{
    public required IImageSource Source { get; init; }
    public required int Size { get; init; }
    public required int Threads { get; init; }
    public required int BitDepth { get; init; }

    /// <summary>Of each readable image, ascending.</summary>
    public required int[] SourceIndex { get; init; }

    /// <summary>Of each readable image; null = too large to keep.</summary>
    public required Pixels[]? Pixels { get; init; }

    /// <summary>Of each readable image.</summary>
    public required UInt128[] Hashes { get; init; }

    /// <summary>Of each channel, over all readable images.</summary>
    public required Moments[] Moments { get; init; }

    /// <summary>What was seen in the readable images.</summary>
    public required DataNotes Notes { get; init; }

    public required List<SkippedFile> Skipped { get; init; }

    /// <summary>Decodes on several threads; the result does not depend on how many.</summary>
    /// <exception cref="DataSourceException">No image is readable, or they differ in their number of channels
    /// or in their scale.</exception>
    public static DecodedSet Decode(IImageSource source, DataOptions options, IProgress<LoadProgress>? progress,
        CancellationToken cancellationToken, bool oneScale = true)
    {
        int size = options.Size != 0 ? options.Size : source.NativeSize != 0 ? source.NativeSize : 64;
        var pixels = new Pixels?[source.Count];
        var facts = new ImageFacts?[source.Count];
        var unreadable = new SkippedFile?[source.Count];
        var notes = new DataNotes(options);
        double room = options.MemoryGiB * (1L << 30);
        long bytes = 0;
        int done = 0, failed = 0, every = Math.Max(1, source.Count / 200);

        DecodingThreads.Run(options.Threads, source.Count, DecodeOne, cancellationToken);

        int[] readable = [.. Enumerable.Range(0, source.Count).Where(i => facts[i] is not null)];
        SkippedFile[] skipped = [.. unreadable.OfType<SkippedFile>()];
        if (readable.Length == 0)
            throw new DataSourceException((source.Count == 1 ? ""
                : $"None of {Plural.Of(source.Count, "image")} of '{source.Name}' is readable; the first: ")
                + $"'{skipped[0].Path}' {skipped[0].Reason}.");
        ChannelCounts.MustAgree(source, readable, i => facts[i]!.Moments.Length);
        if (oneScale && notes.ScaleFault(source) is { } fault) throw new DataSourceException(fault);
        return new DecodedSet
        {
            Source = source,
            Size = size,
            Threads = options.Threads,
            BitDepth = readable.Max(i => facts[i]!.BitDepth),
            SourceIndex = readable,
            Pixels = bytes > room ? null : [.. readable.Select(i => pixels[i]!)],
            Hashes = [.. readable.Select(i => facts[i]!.Hash)],
            Moments = readable.Select(i => facts[i]!.Moments).Aggregate((a, b) => [.. a.Zip(b, (x, y) => x.Merge(y))]),
            Notes = notes,
            Skipped = [.. skipped],
        };

        void DecodeOne(int i)
        {
            try
            {
                var image = source.Decode(i, size);
                if (image.Height != size || image.Width != size)
                    throw new InvalidOperationException($"A source must decode to the size it is asked for, {size} x {size}, "
                        + $"but '{source.PathOf(i)}' came as {image.Height} x {image.Width}.");
                facts[i] = ImageFacts.Of(image);
                notes.Add(i, image, facts[i]!.Moments);
                // Too large a set is still decoded to its end, to know what is unreadable, but not kept.
                long own = (long)image.Values.Length * image.BitDepth / 8, total = Interlocked.Add(ref bytes, own);
                if (total <= room) pixels[i] = image;
                else if (total - own <= room) Array.Clear(pixels); // the one image that crosses the limit
            }
            catch (UnreadableImageException e)
            {
                unreadable[i] = new SkippedFile(e.Path, e.Reason);
                Interlocked.Increment(ref failed);
            }
            int now = Interlocked.Increment(ref done);
            if (now % every == 0 || now == source.Count)
                progress?.Report(new LoadProgress(now, source.Count, Volatile.Read(ref failed)));
        }
    }

    /// <summary>XxHash128 of each image's hash, then of the labels, as 32 hexadecimal digits.</summary>
    public string HashWith(IReadOnlyList<int>? labels)
    {
        var hash = new XxHash128();
        Span<byte> word = stackalloc byte[16];
        foreach (int shape in new[] { Moments.Length, Size })
        {
            BinaryPrimitives.WriteInt32LittleEndian(word, shape);
            hash.Append(word[..4]);
        }
        foreach (var image in Hashes)
        {
            BinaryPrimitives.WriteUInt128LittleEndian(word, image);
            hash.Append(word);
        }
        foreach (int label in labels ?? [])
        {
            BinaryPrimitives.WriteInt32LittleEndian(word, label);
            hash.Append(word[..4]);
        }
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }
}

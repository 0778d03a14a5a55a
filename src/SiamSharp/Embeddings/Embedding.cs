using System.IO.Hashing;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using SiamSharp.Data;
using SiamSharp.Messages;

namespace SiamSharp.Embeddings;

/// <summary>All images of a source to a file of representations, one batch in memory at a time.</summary>
public static class Embedding
{
    /// <summary>Embeds every image.</summary>
    /// <remarks>
    /// Vectors go to FILE.partial as they come, each batch with its hash; the file itself is written at the end. A call that was
    /// stopped, at whatever moment, goes on
    /// when it is repeated with the same encoder, the same decoding and the same images, by path, length and time of the files,
    /// and gives the same bytes; otherwise it begins again. What cannot be read
    /// is listed in FILE.skipped.jsonl. Cost: the vectors lie on the disk twice until the end.
    /// </remarks>
    /// <param name="path">.npy or .parquet; replaced at the end.</param>
    /// <param name="embedder">What computes.</param>
    /// <param name="name">What the user calls the encoder, such as a run's folder; kept in the file for messages.</param>
    /// <param name="data">How the source was opened; kept in the file.</param>
    /// <param name="source">The images; those that cannot be read are left out.</param>
    /// <param name="batchSize">Images at once.</param>
    /// <param name="progress">Told after each batch.</param>
    /// <param name="cancellationToken">Stops between two batches; what is done stays.</param>
    /// <exception cref="ArgumentException">The path ends in neither .npy nor .parquet.</exception>
    /// <exception cref="EmbeddingFileException">There is something else under that name, another process is writing it, or it
    /// cannot be written.</exception>
    /// <exception cref="DataSourceException">No image can be read.</exception>
    /// <exception cref="OperationCanceledException">Stopped; repeat the call to go on.</exception>
    public static EmbedResult Write(
        string path, Embedder embedder, string name, DataOptions data, IImageSource source, int batchSize,
        IProgress<EmbedProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        EmbeddingFile.CheckReplaceable(path);
        EmbeddingOrigin origin = EmbeddingOrigin.Of(embedder.Encoder, name, data);
        var identity = new JsonObject
        {
            ["format"] = "siamsharp-partial-1",
            ["encoder"] = origin.Encoder,
            ["decoding"] = origin.ToJson()["data"]!.DeepClone(),
            ["engine"] = embedder.Engine.ToString(),
            ["images"] = Identity(source),
            ["batch"] = batchSize,
        };
        using PartialVectors partial = Writing(path, () =>
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            return new PartialVectors(path + ".partial", identity, embedder.Width, source.Count, batchSize);
        });
        progress?.Report(new(partial.Done, source.Count, partial.Resumed));
        var notes = new DataNotes();
        ForEachBatch(embedder, source, notes, partial.Done, data.Threads, batchSize, (batch, vectors) =>
        {
            Writing(path, () => partial.Append(batch.Count, batch.Readable, vectors, batch.Skipped));
            progress?.Report(new(partial.Done, source.Count, partial.Resumed));
        }, cancellationToken);

        string? odd = null;
        int count = Writing(path, () =>
        {
            using EmbeddingTable table = partial.Table(source, origin);
            if (table.Count == 0) return 0;
            if (partial.Skipped.Count > 0) SkippedFile.Write(SkippedOf(path), partial.Skipped);
            else File.Delete(SkippedOf(path));
            EmbeddingFile.Write(path, table);
            odd = OddVectors(table);
            return table.Count;
        });
        partial.Delete();
        return count > 0 ? new(count, embedder.Width, partial.Resumed, partial.Skipped, partial.BegunAnew)
        {
            Notes = [.. source.Notes, .. notes.Lines(source, embedder.White), .. odd is null ? [] : new[] { odd }]
        }
            : throw new DataSourceException((source.Count == 1 ? $"The one image of '{source.Name}' cannot be embedded"
                : $"None of {Plural.Of(source.Count, "image")} of '{source.Name}' can be embedded")
                + (partial.Skipped is [var first, ..]
                    ? $"{(source.Count == 1 ? "" : "; the first")}: {first.Path}: {first.Reason}." : "."));
    }

    /// <summary>What to do about an image of another number of channels than the encoder takes.</summary>
    internal static string WrongChannels(Pixels image, int taken) =>
        $"has {Plural.Of(image.Channels, "channel")}, but the encoder takes {taken}"
            + (image.Origin?.Channels == taken ? $": leave out --set data.channels={image.Channels}, which makes it so"
                : taken is 1 or 3 && image.Channels is 1 or 3
                ? $": --set data.channels={taken} makes it {(taken == 1 ? "grey" : "RGB")}"
                : ": give images of that kind");

    /// <summary>What is wrong with vectors in which nothing can be searched; null where all is well.</summary>
    internal static string? OddVectors(EmbeddingTable table)
    {
        int zero = Enumerable.Range(0, table.Count).Count(row => table[row].IndexOfAnyExcept(0f) < 0);
        const string why = "the weights of the encoder are not those of a trained network, or the images are";
        if (zero > 0)
            return $"{zero:N0} of {Plural.Of(table.Count, "vector")} {(zero == 1 ? "holds" : "hold")} nothing but zeros, "
                + $"so that nothing can be like {(zero == 1 ? "it" : "them")}: {why} blank.";
        return table.Count > 1 && Enumerable.Range(1, table.Count - 1).All(row => table[row].SequenceEqual(table[0]))
            ? $"All {table.Count:N0} vectors are equal, so that a search finds nothing: {why} all the same." : null;
    }

    private static T Writing<T>(string path, Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EmbeddingFileException(path, $"{e.Message.TrimEnd('.')}. "
                + (File.Exists(path + ".partial")
                    ? $"What was done before stays in {path}.partial: mend the cause, then repeat the command to go on"
                    : "Choose a place that you may write to"),
                e, "written");
        }
    }

    /// <summary>Gives the representations of all images to a function, a batch at a time.</summary>
    /// <param name="embedder">What computes.</param>
    /// <param name="source">The images.</param>
    /// <param name="threads">That decode; 0 = one for each processor.</param>
    /// <param name="batchSize">Images at once.</param>
    /// <param name="take">Gets the places of the readable images in the source, N, and their vectors, N D numbers.</param>
    /// <param name="progress">Told after each batch.</param>
    /// <param name="cancellationToken">Stops between two batches.</param>
    /// <returns>What cannot be read.</returns>
    public static SkippedFile[] Run(
        Embedder embedder, IImageSource source, int threads, int batchSize, Action<int[], float[]> take,
        IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Run(embedder, source, new DataNotes(), threads, batchSize, take, progress, cancellationToken);

    /// <summary>The same, counting what should be known of the images.</summary>
    internal static SkippedFile[] Run(
        Embedder embedder, IImageSource source, DataNotes notes, int threads, int batchSize, Action<int[], float[]> take,
        IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var skipped = new List<SkippedFile>();
        ForEachBatch(embedder, source, notes, 0, threads, batchSize, (batch, vectors) =>
        {
            skipped.AddRange(batch.Skipped);
            if (batch.Readable.Length > 0) take([.. batch.Readable.Select(row => batch.Start + row)], vectors);
            progress?.Report(new(batch.Start + batch.Count, source.Count, skipped.Count));
        }, cancellationToken);
        return [.. skipped];
    }

    /// <summary>The next batch is decoded while one is computed.</summary>
    private static void ForEachBatch(
        Embedder embedder, IImageSource source, DataNotes notes, int first, int threads, int batchSize,
        Action<DecodedBatch, float[]> take, CancellationToken cancellationToken)
    {
        Task<DecodedBatch>? next = null;
        for (int start = first; start < source.Count; start += batchSize)
        {
            DecodedBatch batch = (next ?? Decode(start)).GetAwaiter().GetResult();
            next = start + batchSize < source.Count ? Decode(start + batchSize) : null;
            float[] vectors = new float[batch.Readable.Length * embedder.Width];
            embedder.Embed(batch.Pixels, vectors);
            (batch, vectors) = batch.Finite(source, vectors, embedder.Width);
            take(batch, vectors);
            cancellationToken.ThrowIfCancellationRequested();
        }

        Task<DecodedBatch> Decode(int start) => Task.Run(() => DecodedBatch.Of(embedder, source, notes, start,
            Math.Min(batchSize, source.Count - start), threads, cancellationToken), CancellationToken.None);
    }

    /// <summary>Names all images by their paths, and by length and time of the files that hold them.</summary>
    private static string Identity(IImageSource source)
    {
        var hash = new XxHash128();
        string last = "";
        for (int i = 0; i < source.Count; i++)
        {
            // images of an array are called FILE#0, FILE#1, ...
            string path = source.PathOf(i),
                file = path.LastIndexOf('#') is > 0 and var mark && !File.Exists(path) ? path[..mark] : path;
            hash.Append(MemoryMarshal.AsBytes($"{path}\0".AsSpan()));
            if (file != last && new FileInfo(file) is { Exists: true } info)
                hash.Append(MemoryMarshal.AsBytes<long>([info.Length, info.LastWriteTimeUtc.Ticks]));
            last = file;
        }
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    /// <summary>The list of what could not be read, beside a file of embeddings.</summary>
    public static string SkippedOf(string path) => path + ".skipped.jsonl";
}

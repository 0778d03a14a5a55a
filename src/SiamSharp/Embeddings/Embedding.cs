using System.IO.Hashing;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json;
using SiamSharp.Data;

namespace SiamSharp.Embeddings;

/// <summary>How far a source is embedded.</summary>
/// <param name="Done">Images embedded or found unreadable.</param>
/// <param name="Total">Images in the source.</param>
/// <param name="Resumed">Of them done by an earlier call.</param>
public readonly record struct EmbedProgress(int Done, int Total, int Resumed);

/// <summary>What was embedded.</summary>
/// <param name="Count">Vectors written.</param>
/// <param name="Width">D.</param>
/// <param name="Resumed">Images that an earlier call had done.</param>
/// <param name="Skipped">Images that cannot be read.</param>
public sealed record EmbedResult(int Count, int Width, int Resumed, IReadOnlyList<SkippedFile> Skipped);

/// <summary>All images of a source to a file of representations, one batch in memory at a time.</summary>
public static class Embedding
{
    /// <summary>Embeds every image.</summary>
    /// <remarks>
    /// Vectors go to FILE.partial as they come, with FILE.partial.json that says of what; the file itself is written at the end. A call that was stopped goes on
    /// when it is repeated with the same encoder and the same images, by path, length and time of the files; otherwise it begins again. What cannot be read is listed in FILE.skipped.jsonl. Cost: the vectors lie on the disk twice until the end.
    /// </remarks>
    /// <param name="path">.npy or .parquet; replaced at the end.</param>
    /// <param name="embedder">What computes.</param>
    /// <param name="identity">Names the encoder, such as a hash of its file: vectors of another one are not gone on with.</param>
    /// <param name="source">The images; those that cannot be read are left out.</param>
    /// <param name="threads">That decode; 0 = one for each processor.</param>
    /// <param name="batchSize">Images at once.</param>
    /// <param name="progress">Told after each batch.</param>
    /// <param name="cancel">Stops between two batches; what is done stays.</param>
    /// <exception cref="ArgumentException">The path ends in neither .npy nor .parquet.</exception>
    /// <exception cref="DataSourceException">No image can be read.</exception>
    /// <exception cref="OperationCanceledException">Stopped; repeat the call to go on.</exception>
    public static EmbedResult Write(string path, Embedder embedder, string identity, IImageSource source, int threads, int batchSize,
        IProgress<EmbedProgress>? progress = null, CancellationToken cancel = default)
    {
        if (!EmbeddingFile.IsKnown(path)) throw new ArgumentException($"{path} must end in .npy or .parquet.");
        string partial = path + ".partial", about = partial + ".json", unreadable = SkippedOf(path);
        string whole = JsonSerializer.Serialize(new { encoder = identity, width = embedder.Width, source = source.Name, count = source.Count, images = Identity(source) });
        int rowBytes = embedder.Width * sizeof(float);
        if (!File.Exists(about) || File.ReadAllText(about) != whole)
        {
            File.Delete(partial);
            File.Delete(unreadable);
        }
        File.WriteAllText(about, whole);

        int resumed;
        using (var file = new FileStream(partial, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read))
        {
            resumed = (int)Math.Min(source.Count, file.Length / rowBytes);
            file.SetLength((long)resumed * rowBytes);
            file.Position = file.Length;
            progress?.Report(new(resumed, source.Count, resumed));

            float[] rows = new float[batchSize * embedder.Width];
            ForEachBatch(embedder, source, resumed, threads, batchSize, (batch, vectors) =>
            {
                Array.Fill(rows, float.NaN); // where an image cannot be read
                foreach (var (n, row) in batch.Readable.Index())
                    vectors.AsSpan(n * embedder.Width, embedder.Width).CopyTo(rows.AsSpan(row * embedder.Width));
                if (batch.Skipped.Length > 0) SkippedFile.Append(unreadable, batch.Skipped);
                file.Write(MemoryMarshal.AsBytes(rows.AsSpan(0, batch.Count * embedder.Width)));
                file.Flush();
                progress?.Report(new(batch.Start + batch.Count, source.Count, resumed));
            }, cancel);
            file.Flush(flushToDisk: true);
        }

        SkippedFile[] skipped = SkippedFile.Read(unreadable);
        int count = Finish(path, partial, embedder.Width, source);
        if (count == 0) throw new DataSourceException($"None of the {source.Count} images of '{source.Name}' can be embedded" + (skipped.Length > 0 ? $"; the first: {skipped[0].Path}: {skipped[0].Reason}." : "."));
        File.Delete(partial);
        File.Delete(about);
        return new(count, embedder.Width, resumed, skipped);
    }

    /// <summary>Gives the representations of all images to a function, a batch at a time.</summary>
    /// <param name="embedder">What computes.</param>
    /// <param name="source">The images.</param>
    /// <param name="threads">That decode; 0 = one for each processor.</param>
    /// <param name="batchSize">Images at once.</param>
    /// <param name="take">Gets the places of the readable images in the source, N, and their vectors, N D numbers.</param>
    /// <param name="progress">Told after each batch.</param>
    /// <param name="cancel">Stops between two batches.</param>
    /// <returns>What cannot be read.</returns>
    public static SkippedFile[] Run(Embedder embedder, IImageSource source, int threads, int batchSize, Action<int[], float[]> take,
        IProgress<LoadProgress>? progress = null, CancellationToken cancel = default)
    {
        var skipped = new List<SkippedFile>();
        ForEachBatch(embedder, source, 0, threads, batchSize, (batch, vectors) =>
        {
            skipped.AddRange(batch.Skipped);
            if (batch.Readable.Length > 0) take([.. batch.Readable.Select(row => batch.Start + row)], vectors);
            progress?.Report(new(batch.Start + batch.Count, source.Count, skipped.Count));
        }, cancel);
        return [.. skipped];
    }

    /// <summary>The next batch is decoded while one is computed.</summary>
    private static void ForEachBatch(Embedder embedder, IImageSource source, int first, int threads, int batchSize, Action<Decoded, float[]> take, CancellationToken cancel)
    {
        Task<Decoded>? next = null;
        for (int start = first; start < source.Count; start += batchSize)
        {
            Decoded batch = (next ?? Decode(start)).GetAwaiter().GetResult();
            next = start + batchSize < source.Count ? Decode(start + batchSize) : null;
            float[] vectors = new float[batch.Readable.Length * embedder.Width];
            embedder.Embed(batch.Pixels, vectors);
            (batch, vectors) = batch.Finite(source, vectors, embedder.Width);
            take(batch, vectors);
            cancel.ThrowIfCancellationRequested();
        }

        Task<Decoded> Decode(int start) => Task.Run(() => Decoded.Of(embedder, source, start, Math.Min(batchSize, source.Count - start), threads, cancel), CancellationToken.None);
    }

    /// <summary>Names all images by their paths, and by length and time of the files that hold them.</summary>
    private static string Identity(IImageSource source)
    {
        var hash = new XxHash128();
        string last = "";
        for (int i = 0; i < source.Count; i++)
        {
            string path = source.PathOf(i), file = path.LastIndexOf('#') is > 0 and var mark && !File.Exists(path) ? path[..mark] : path; // images of an array are called FILE#0, FILE#1, ...
            hash.Append(MemoryMarshal.AsBytes($"{path}\0".AsSpan()));
            if (file != last && new FileInfo(file) is { Exists: true } info) hash.Append(MemoryMarshal.AsBytes<long>([info.Length, info.LastWriteTimeUtc.Ticks]));
            last = file;
        }
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    /// <summary>The list of what could not be read, beside a file of embeddings.</summary>
    public static string SkippedOf(string path) => path + ".skipped.jsonl";

    /// <summary>From the vectors as they came to the file that was asked for; how many there are.</summary>
    private static int Finish(string path, string partial, int width, IImageSource source)
    {
        using var mapped = new MappedFloats(partial, 0, (long)source.Count * width);
        List<ReadOnlyMemory<float>> vectors = mapped.Blocks(width);
        int[] rows = [.. Enumerable.Range(0, source.Count).Where(row => !float.IsNaN(vectors[row].Span[0]))];
        if (rows.Length == 0) return 0;
        using var written = new EmbeddingTable(width, [.. rows.Select(row => vectors[row])], [.. rows.Select(source.PathOf)],
            [.. rows.Select(row => source.LabelOf(row) is >= 0 and var label ? source.ClassNames![label] : null)]);
        EmbeddingFile.Write(path, written);
        return rows.Length;
    }

    /// <summary>A batch whose unreadable images are left out.</summary>
    /// <param name="Start">Its first image's place in the source.</param>
    /// <param name="Pixels">(N, C, H, W) of those that can be read.</param>
    /// <param name="Readable">Their places in the batch.</param>
    /// <param name="Count">Images of the batch, readable or not.</param>
    /// <param name="Skipped">The others.</param>
    private sealed record Decoded(int Start, Memory<float> Pixels, int[] Readable, int Count, SkippedFile[] Skipped)
    {
        /// <summary>Counts images whose representations are not finite among those that cannot be read; the vectors of the others.</summary>
        public (Decoded Batch, float[] Vectors) Finite(IImageSource source, float[] vectors, int width)
        {
            int[] finite = [.. Enumerable.Range(0, Readable.Length).Where(n => TensorPrimitives.IsFiniteAll<float>(vectors.AsSpan(n * width, width)))];
            if (finite.Length == Readable.Length) return (this, vectors);
            SkippedFile[] lost = [.. Enumerable.Range(0, Readable.Length).Except(finite).Select(n =>
                new SkippedFile(source.PathOf(Start + Readable[n]), "has a representation that is not finite; its pixels are far outside of those that the encoder was trained on"))];
            return (this with { Readable = [.. finite.Select(n => Readable[n])], Skipped = [.. Skipped, .. lost] },
                [.. finite.SelectMany(n => vectors[(n * width)..((n + 1) * width)])]);
        }

        public static Decoded Of(Embedder embedder, IImageSource source, int start, int count, int threads, CancellationToken cancel)
        {
            int image = embedder.Channels * embedder.Size * embedder.Size;
            float[] pixels = new float[count * image];
            var skipped = new SkippedFile?[count];
            DecodingThreads.Run(threads, count, i =>
            {
                try
                {
                    Pixels one = source.Decode(start + i, embedder.Size);
                    if (one.Channels != embedder.Channels)
                        throw new UnreadableImageException(source.PathOf(start + i), $"has {one.Channels} channels, but the encoder takes {embedder.Channels}: --set data.channels={embedder.Channels} converts 1 and 3");
                    one.CopyTo(pixels.AsSpan(i * image, image));
                }
                catch (UnreadableImageException e)
                {
                    skipped[i] = new(e.Path, e.Reason);
                }
            }, cancel);
            int[] readable = [.. Enumerable.Range(0, count).Where(i => skipped[i] is null)];
            foreach (var (n, row) in readable.Index())
            {
                if (n != row) pixels.AsSpan(row * image, image).CopyTo(pixels.AsSpan(n * image, image));
            }
            return new(start, pixels.AsMemory(0, readable.Length * image), readable, count, [.. skipped.OfType<SkippedFile>()]);
        }
    }
}

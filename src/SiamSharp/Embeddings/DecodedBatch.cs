using System.Numerics.Tensors;
using SiamSharp.Data;

namespace SiamSharp.Embeddings;

/// <summary>A batch whose unreadable images are left out.</summary>
/// <param name="Start">Its first image's place in the source.</param>
/// <param name="Pixels">(N, C, H, W) of those that can be read.</param>
/// <param name="Readable">Their places in the batch.</param>
/// <param name="Count">Images of the batch, readable or not.</param>
/// <param name="Skipped">The others.</param>
internal sealed record DecodedBatch(int Start, Memory<float> Pixels, int[] Readable, int Count, SkippedFile[] Skipped)
{
    /// <summary>Counts images whose representations are not finite among those that cannot be read; the vectors of the
    /// others.</summary>
    public (DecodedBatch Batch, float[] Vectors) Finite(IImageSource source, float[] vectors, int width)
    {
        int[] finite = [.. Enumerable.Range(0, Readable.Length)
            .Where(n => TensorPrimitives.IsFiniteAll<float>(vectors.AsSpan(n * width, width)))];
        if (finite.Length == Readable.Length) return (this, vectors);
        SkippedFile[] lost = [.. Enumerable.Range(0, Readable.Length).Except(finite).Select(n =>
            new SkippedFile(source.PathOf(Start + Readable[n]), "has a representation that is not finite; "
                + "its pixels are far outside of those that the encoder was trained on"))];
        return (this with { Readable = [.. finite.Select(n => Readable[n])], Skipped = [.. Skipped, .. lost] },
            [.. finite.SelectMany(n => vectors[(n * width)..((n + 1) * width)])]);
    }

    public static DecodedBatch Of(
        Embedder embedder, IImageSource source, DataNotes notes, int start, int count, int threads,
        CancellationToken cancellationToken)
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
                    throw new UnreadableImageException(source.PathOf(start + i), Embedding.WrongChannels(one, embedder.Channels));
                one.CopyTo(pixels.AsSpan(i * image, image));
                notes.Add(start + i, one);
            }
            catch (UnreadableImageException e)
            {
                skipped[i] = new(e.Path, e.Reason);
            }
            catch (Exception e)
                when (e is IOException or UnauthorizedAccessException) // an array's file that is gone or shorter than it was
            {
                skipped[i] = new(source.PathOf(start + i), $"cannot be read any more: {e.Message.TrimEnd('.')}");
            }
        }, cancellationToken);
        int[] readable = [.. Enumerable.Range(0, count).Where(i => skipped[i] is null)];
        foreach (var (n, row) in readable.Index())
        {
            if (n != row) pixels.AsSpan(row * image, image).CopyTo(pixels.AsSpan(n * image, image));
        }
        return new(start, pixels.AsMemory(0, readable.Length * image), readable, count, [.. skipped.OfType<SkippedFile>()]);
    }
}

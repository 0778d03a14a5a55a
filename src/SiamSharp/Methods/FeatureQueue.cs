using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Randomness;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>The embeddings of the last batches, first in first out.</summary>
/// <remarks>Rows and position are buffers, so they are in the state dict. It starts with random directions, as MoCo's.</remarks>
internal sealed class FeatureQueue : nn.Module
{
    private readonly Tensor rows, added;

    /// <param name="length">K, rows held; 1 or more.</param>
    /// <param name="width">E.</param>
    /// <param name="seed">Of the first rows.</param>
    public FeatureQueue(int length, int width, ulong seed) : base(nameof(FeatureQueue))
    {
        float[] values = new float[length * width];
        new RandomStream(seed, RandomPurpose.Weights, sample: 1).FillNormal(values);
        using var drawn = tensor(values, [length, width]);
        rows = SiameseMethod.Normalize(drawn);
        added = zeros(1, ScalarType.Int64);
        RegisterComponents();
    }

    /// <summary>float32 (K, E), owned by the queue; changed in place by <see cref="Add"/>.</summary>
    public Tensor Rows => rows;

    /// <summary>Whether all rows are real ones by now.</summary>
    public bool Full => added.item<long>() >= rows.shape[0];

    /// <summary>A sentence where a queue is longer than there are images; null where it is not.</summary>
    /// <param name="queueSize">K.</param>
    /// <param name="images">Images to learn from.</param>
    /// <param name="batchSize">Images in a step.</param>
    /// <param name="so">What follows from it, behind "so that".</param>
    public static string? TooLong(int queueSize, int images, int batchSize, string so) =>
        queueSize <= images || images < batchSize ? null
            : $"method.queueSize is {queueSize}, but there are only {Plural.Of(images, "image")}: "
                + $"the queue holds up to {(queueSize + images - 1) / images} embeddings of each, so that {so}. "
                + $"--set method.queueSize={images / batchSize * batchSize}, or less.";

    /// <summary>The rule that a queue holds whole batches.</summary>
    public static IEnumerable<Fault> FaultsOf(int queueSize, int batchSize)
    {
        if (queueSize % batchSize != 0)
            yield return new("queueSize",
                $"{queueSize} is no multiple of training.batchSize, {batchSize}: batches would be cut. Choose "
                    + $"{Math.Max(1, queueSize / batchSize) * batchSize}");
    }

    /// <summary>Puts new rows in the place of the oldest.</summary>
    /// <param name="embeddings">(N, E); of more than K, the last K stay.</param>
    public void Add(Tensor embeddings)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        long length = rows.shape[0], count = embeddings.shape[0], done = added.item<long>(),
            skipped = Math.Max(0, count - length);
        for (long from = skipped; from < count;)
        {
            long start = (done + from) % length, part = Math.Min(length - start, count - from);
            rows.narrow(0, start, part).copy_(embeddings.narrow(0, from, part));
            from += part;
        }
        added.PlusInPlace(count);
    }
}

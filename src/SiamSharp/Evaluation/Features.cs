using SiamSharp.Data;
using SiamSharp.Messages;
using SiamSharp.Views;
using static TorchSharp.torch;

namespace SiamSharp.Evaluation;

/// <summary>Representations of a whole dataset, with labels, ready for any protocol.</summary>
/// <param name="Values">float32 (N, D).</param>
/// <param name="Labels">int64 (N), index into <paramref name="ClassNames"/>.</param>
/// <param name="ClassNames">Of the classes that have an image, in label order.</param>
public sealed record Features(Tensor Values, Tensor Labels, IReadOnlyList<string> ClassNames) : IDisposable
{
    /// <summary>N.</summary>
    public int Count => (int)Values.shape[0];

    /// <summary>Runs an encoder over the labelled images of a dataset.</summary>
    /// <param name="encoder">In evaluation mode by construction.</param>
    /// <param name="data">Labelled images; those without a label are left out.</param>
    /// <param name="batchSize">Images per forward pass.</param>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    /// <param name="cancellationToken">Stops between two batches.</param>
    /// <returns>Owned by the caller.</returns>
    /// <exception cref="DataSourceException">There are no labels, or the images have another number of channels.</exception>
    public static Features Of(
        Encoder encoder, ImageDataset data, int batchSize, IProgress<double>? progress = null,
        CancellationToken cancellationToken = default)
    {
        CheckChannels(encoder, data);
        return Collect(data, batchSize, (images, _) => encoder.Encode(images), progress, cancellationToken);
    }

    /// <summary>Refuses images of another number of channels than the encoder's.</summary>
    internal static void CheckChannels(Encoder encoder, ImageDataset data)
    {
        if (data.Channels != encoder.Channels)
            throw new DataSourceException(OtherChannels(encoder.Channels, data.Name, data.Channels));
    }

    internal static string OtherChannels(int wanted, string name, int channels) =>
        $"The encoder was trained on images of {Plural.Of(wanted, "channel")}, but {name} has {channels}. "
            + $"Give images of the same kind, or convert with --set data.channels={wanted}.";

    /// <summary>The pixels as representations: the baseline that an encoder must beat to be worth having.</summary>
    /// <remarks>
    /// Minus the mean and divided by the standard deviation of each channel over the training images: on Fashion-MNIST k-NN is
    /// better by more than a point with these than with plain pixels from 0 to 1.
    /// </remarks>
    /// <param name="data">Labelled images; those without a label are left out.</param>
    /// <param name="train">The training images, whose mean and standard deviation are taken.</param>
    /// <param name="batchSize">Images at once.</param>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    /// <param name="cancellationToken">Stops between two batches.</param>
    /// <returns>float32 (N, C*H*W); owned by the caller.</returns>
    public static Features OfPixels(
        ImageDataset data, ImageDataset train, int batchSize, IProgress<double>? progress = null,
        CancellationToken cancellationToken = default)
    {
        Func<Tensor, Tensor> represent = Pixels(train);
        return Collect(data, batchSize, (images, _) => represent(images), progress, cancellationToken);
    }

    /// <summary>What makes the representations of <see cref="OfPixels"/>: float32 (N, C, H, W) to (N, C*H*W).</summary>
    internal static Func<Tensor, Tensor> Pixels(ImageDataset train)
    {
        var standardise = new Preprocessing(new HighPassOptions { Sigma = 0 }, train.Mean,
            [.. train.Std.Select(s => s > 0 ? s : 1)]);
        return images =>
        {
            using Tensor signal = standardise.Apply(images);
            return signal.flatten(1);
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Values.Dispose();
        Labels.Dispose();
    }

    internal static Features Collect(
        ImageDataset data, int batchSize, Func<Tensor, int[], Tensor> represent, IProgress<double>? progress,
        CancellationToken cancellationToken)
    {
        LabelledImages labelled = LabelledImages.Of(data);
        int[] chosen = labelled.Indexes;
        using var scope = NewDisposeScope();
        Tensor? all = null;
        for (int start = 0; start < chosen.Length; start += batchSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var batch = NewDisposeScope();
            int end = Math.Min(start + batchSize, chosen.Length);
            int[] indexes = chosen[start..end];
            Tensor part = represent(data.Batch(indexes), indexes);
            all ??= empty([chosen.Length, part.shape[1]]).MoveToOuterDisposeScope();
            all[start..end].copy_(part);
            if (!part.isfinite().all().item<bool>())
            {
                int bad = Enumerable.Range(0, indexes.Length).First(n => !part[n].isfinite().all().item<bool>());
                throw new DataSourceException($"{data.PathOf(indexes[bad])} has a representation that is not finite; "
                    + "its pixels are far outside of those that the encoder was trained on. Leave it out.");
            }
            progress?.Report((double)end / chosen.Length);
        }
        return new Features(
            all!.MoveToOuterDisposeScope(),
            tensor(labelled.Labels).MoveToOuterDisposeScope(),
            labelled.ClassNames);
    }
}

using SiamSharp.Data;
using SiamSharp.Views;
using static TorchSharp.torch;

namespace SiamSharp.Evaluation;

/// <summary>Representations of a whole dataset, with labels, ready for any protocol.</summary>
/// <param name="Values">float32 (N, D).</param>
/// <param name="Labels">int64 (N), index into <paramref name="ClassNames"/>.</param>
/// <param name="ClassNames">In label order.</param>
public sealed record Features(Tensor Values, Tensor Labels, IReadOnlyList<string> ClassNames) : IDisposable
{
    /// <summary>N.</summary>
    public int Count => (int)Values.shape[0];

    /// <summary>Runs an encoder over the labelled images of a dataset.</summary>
    /// <param name="encoder">In evaluation mode by construction.</param>
    /// <param name="data">Labelled images; those without a label are left out.</param>
    /// <param name="batchSize">Images per forward pass.</param>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    /// <param name="cancel">Stops between two batches.</param>
    /// <returns>Owned by the caller.</returns>
    public static Features Of(
        Encoder encoder, ImageDataset data, int batchSize, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        if (data.Channels != encoder.Channels)
            throw new DataSourceException($"The encoder was trained on images of {encoder.Channels} channels, but {data.Name} has {data.Channels}. "
                + $"Give images of the same kind, or convert with --set data.channels={encoder.Channels}.");
        return Collect(data, batchSize, encoder.Encode, progress, cancel);
    }

    /// <summary>The pixels as representations: the baseline that an encoder must beat to be worth having.</summary>
    /// <remarks>
    /// Minus the mean and divided by the standard deviation of each channel over the training images: on Fashion-MNIST k-NN is
    /// better by more than a point with these than with plain pixels from 0 to 1.
    /// </remarks>
    /// <param name="data">Labelled images; those without a label are left out.</param>
    /// <param name="train">The training images, whose mean and standard deviation are taken.</param>
    /// <param name="batchSize">Images at once.</param>
    /// <param name="cancel">Stops between two batches.</param>
    /// <returns>float32 (N, C*H*W); owned by the caller.</returns>
    public static Features OfPixels(ImageDataset data, ImageDataset train, int batchSize, CancellationToken cancel = default)
    {
        var standardise = new Preprocessing(new HighPassOptions { Sigma = 0 }, train.Mean, [.. train.Std.Select(s => s > 0 ? s : 1)]);
        return Collect(data, batchSize, images =>
        {
            using Tensor signal = standardise.Apply(images);
            return signal.flatten(1);
        }, null, cancel);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Values.Dispose();
        Labels.Dispose();
    }

    private static Features Collect(
        ImageDataset data, int batchSize, Func<Tensor, Tensor> represent, IProgress<double>? progress, CancellationToken cancel)
    {
        if (data.Labels is not { } labels || data.ClassNames is not { } names)
            throw new DataSourceException($"{data.Name} has no labels, and judging needs them. Sort the images into one folder per class, "
                + "or name a list of labels as FOLDER@labels.csv.");
        int[] chosen = [.. Enumerable.Range(0, data.Count).Where(i => labels[i] >= 0)];

        if (chosen.Length == 0)
            throw new DataSourceException($"Not one of the {data.Count} images of {data.Name} has a label, and judging needs them.");

        using var scope = NewDisposeScope();
        Tensor? all = null;
        for (int start = 0; start < chosen.Length; start += batchSize)
        {
            cancel.ThrowIfCancellationRequested();
            using var batch = NewDisposeScope();
            int end = Math.Min(start + batchSize, chosen.Length);
            Tensor part = represent(data.Batch(chosen.AsSpan(start..end)));
            all ??= empty([chosen.Length, part.shape[1]]).MoveToOuterDisposeScope();
            all[start..end].copy_(part);
            progress?.Report((double)end / chosen.Length);
        }
        return new Features(
            all!.MoveToOuterDisposeScope(),
            tensor(chosen.Select(i => (long)labels[i]).ToArray()).MoveToOuterDisposeScope(),
            names);
    }
}

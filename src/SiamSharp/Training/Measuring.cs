using SiamSharp.Data;
using SiamSharp.Views;
using static TorchSharp.torch;

namespace SiamSharp.Training;

/// <summary>Measures the preprocessing on a dataset.</summary>
internal static class Measuring
{
    private const int ImagesAtOnce = 256, ValuesAtOnce = 1 << 22;

    /// <summary>Mean and standard deviation of each channel after the high-pass, over all images that
    /// can still be read.</summary>
    /// <param name="data">The training images.</param>
    /// <param name="highPass">Resolved; sigma 0 = off.</param>
    /// <param name="progress">Told the share of the images that is done, 0 to 1.</param>
    /// <param name="cancellationToken">Stops between two batches.</param>
    /// <exception cref="DataSourceException">No image can be read any more.</exception>
    public static Preprocessing Measure(
        this ImageDataset data, HighPassOptions highPass, IProgress<double>? progress = null,
        CancellationToken cancellationToken = default) =>
        Preprocessing.Measure(highPass, Batches(data, progress), cancellationToken);

    private static IEnumerable<Tensor> Batches(ImageDataset data, IProgress<double>? progress)
    {
        bool any = false;
        long each = (long)data.Channels * data.Size * data.Size;
        foreach (int[] indexes in Enumerable.Range(0, data.Count).Chunk((int)Math.Clamp(ValuesAtOnce / each, 1, ImagesAtOnce)))
        {
            using Tensor batch = data.ReadableBatch(indexes).Images;
            progress?.Report((indexes[^1] + 1.0) / data.Count);
            if (batch.shape[0] == 0) continue;
            any = true;
            yield return batch;
        }
        if (!any)
            throw new DataSourceException($"No image of '{data.Name}' is readable any more, though all were when the set was "
                + "loaded: is the disk or the network share still there?");
    }
}

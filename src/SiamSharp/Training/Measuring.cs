using SiamSharp.Data;
using SiamSharp.Views;
using static TorchSharp.torch;

namespace SiamSharp.Training;

/// <summary>Measures the preprocessing on a dataset.</summary>
public static class Measuring
{
    private const int ImagesAtOnce = 256, ValuesAtOnce = 1 << 22;

    /// <summary>Mean and standard deviation of each channel after the high-pass, over all images.</summary>
    /// <param name="data">The training images.</param>
    /// <param name="highPass">Resolved; sigma 0 = off.</param>
    /// <param name="cancel">Stops between two batches.</param>
    public static Preprocessing Measure(this ImageDataset data, HighPassOptions highPass, CancellationToken cancel = default) =>
        Preprocessing.Measure(highPass, Batches(data), cancel);

    private static IEnumerable<Tensor> Batches(ImageDataset data)
    {
        long each = (long)data.Channels * data.Size * data.Size;
        foreach (int[] indexes in Enumerable.Range(0, data.Count).Chunk((int)Math.Clamp(ValuesAtOnce / each, 1, ImagesAtOnce)))
        {
            using Tensor batch = data.Batch(indexes);
            yield return batch;
        }
    }
}

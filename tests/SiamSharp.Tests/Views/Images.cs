using SiamSharp.Randomness;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Views;

/// <summary>Images for tests.</summary>
internal static class Images
{
    /// <summary>Uniform values, (channels, height, width) each.</summary>
    public static float[] Uniform(int count, int sample = 0)
    {
        var random = new RandomStream(7, RandomPurpose.Evaluation, 0, sample);
        var values = new float[count];
        for (int i = 0; i < count; i++) values[i] = (float)random.NextDouble();
        return values;
    }

    /// <summary>A batch of uniform values, float32 (N, C, S, S).</summary>
    public static Tensor Batch(int count, int channels, int size) =>
        tensor(Uniform(count * channels * size * size)).reshape(count, channels, size, size);

    public static long[] Ids(int count, int first = 0) => [.. Enumerable.Range(first, count).Select(i => (long)i)];
}

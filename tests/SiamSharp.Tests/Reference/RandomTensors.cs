using SiamSharp.Randomness;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Reference;

/// <summary>Repeatable inputs.</summary>
internal static class RandomTensors
{
    /// <summary>Standard normal numbers, a function of the seed.</summary>
    public static Tensor Normal(ulong seed, long[] shape, ScalarType type = ScalarType.Float32)
    {
        float[] values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        new RandomStream(seed, RandomPurpose.Fill).FillNormal(values);
        return tensor(values).reshape(shape).to(type);
    }

    /// <summary>Numbers from 0 to 1, a function of the seed.</summary>
    public static Tensor Uniform(ulong seed, long[] shape)
    {
        var random = new RandomStream(seed, RandomPurpose.Fill);
        float[] values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        for (int i = 0; i < values.Length; i++) values[i] = (float)random.NextDouble();
        return tensor(values).reshape(shape);
    }
}

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
}

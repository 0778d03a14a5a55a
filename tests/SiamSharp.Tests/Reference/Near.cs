using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Reference;

/// <summary>Comparison of tensors by the size of their difference.</summary>
internal static class Near
{
    /// <summary>Asserts equal shapes and |actual - expected| at most <paramref name="relative"/>
    /// |expected|, Euclidean norms.</summary>
    public static void Equal(Tensor expected, Tensor actual, double relative)
    {
        Assert.Equal(expected.shape, actual.shape);
        using var scope = NewDisposeScope();
        var wanted = expected.detach().to(ScalarType.Float64);
        double error = (actual.detach().to(ScalarType.Float64) - wanted).norm().item<double>(),
            size = wanted.norm().item<double>();
        Assert.True(error <= relative * size, $"differs by {error:g3}, allowed is {relative:g3} of the norm {size:g3}");
    }

    /// <summary>Asserts the same shape, type and bits.</summary>
    public static void Same(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.Equal(expected.dtype, actual.dtype);
        Assert.True(expected.detach().contiguous().bytes.SequenceEqual(actual.detach().contiguous().bytes), "the bits differ");
    }
}

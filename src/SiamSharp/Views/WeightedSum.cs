using System.Numerics;

namespace SiamSharp.Views;

/// <summary>The inner loop of the filters: neighbours times weights.</summary>
internal static class WeightedSum
{
    /// <summary>For every i: sum[i] = weights[0] * values[i] + weights[1] * values[i + stride] + ...</summary>
    /// <remarks>The additions keep this order whatever the width of the processor's vectors, so every machine gets the same bits.</remarks>
    public static void Of<T>(ReadOnlySpan<T> values, int stride, ReadOnlySpan<T> weights, Span<T> sum)
        where T : unmanaged, INumber<T>
    {
        int lanes = Vector<T>.Count, i = 0;
        for (; i <= sum.Length - lanes; i += lanes)
        {
            Vector<T> total = Vector<T>.Zero;
            for (int k = 0; k < weights.Length; k++) total += weights[k] * new Vector<T>(values[(k * stride + i)..]);
            total.CopyTo(sum[i..]);
        }
        for (; i < sum.Length; i++)
        {
            T total = T.Zero;
            for (int k = 0; k < weights.Length; k++) total += weights[k] * values[k * stride + i];
            sum[i] = total;
        }
    }
}

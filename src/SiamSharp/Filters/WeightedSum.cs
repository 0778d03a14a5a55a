using System.Numerics;

namespace SiamSharp.Filters;

/// <summary>The inner loop of the filters: neighbours times weights.</summary>
internal static class WeightedSum
{
    /// <summary>For every i: sum[i] = weights[0] * values[i] + weights[1] * values[i + stride] + ...</summary>
    /// <remarks>The additions keep this order whatever the width of the vectors: every machine gets the same bits.</remarks>
    /// <param name="values">At least (weights - 1) * stride + sum values.</param>
    /// <param name="stride">Distance of two neighbours.</param>
    /// <param name="weights">One or more.</param>
    /// <param name="sum">The result; must not overlap the values.</param>
    public static void Of<T>(ReadOnlySpan<T> values, int stride, ReadOnlySpan<T> weights, Span<T> sum)
        where T : unmanaged, INumber<T>
    {
        int lanes = Vector<T>.Count, i = 0;
        // Four vectors at a time, so that the additions of one need not wait for another's.
        for (; i <= sum.Length - 4 * lanes; i += 4 * lanes)
        {
            Vector<T> a = default, b = default, c = default, d = default;
            for (int k = 0; k < weights.Length; k++)
            {
                ReadOnlySpan<T> near = values.Slice(k * stride + i, 4 * lanes);
                var weight = new Vector<T>(weights[k]);
                a += weight * new Vector<T>(near);
                b += weight * new Vector<T>(near[lanes..]);
                c += weight * new Vector<T>(near[(2 * lanes)..]);
                d += weight * new Vector<T>(near[(3 * lanes)..]);
            }
            a.CopyTo(sum[i..]);
            b.CopyTo(sum[(i + lanes)..]);
            c.CopyTo(sum[(i + 2 * lanes)..]);
            d.CopyTo(sum[(i + 3 * lanes)..]);
        }
        for (; i <= sum.Length - lanes; i += lanes)
        {
            Vector<T> total = default;
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

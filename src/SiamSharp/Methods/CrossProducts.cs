using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>Sums over all pairs of dimensions, for losses that compare each dimension with every other.</summary>
internal static class CrossProducts
{
    /// <summary>The sum over i and j of (sum over n of a_ni b_nj)^2.</summary>
    /// <remarks>
    /// It equals the sum over n and m of (a a^T)_nm (b b^T)_nm, so that a batch narrower than the embedding costs N^2 E instead
    /// of N E^2: at the published 8192 dimensions that is a hundred times less.
    /// </remarks>
    /// <param name="a">(N, E).</param>
    /// <param name="b">(N, E).</param>
    /// <returns>A differentiable scalar, owned by the caller.</returns>
    public static Tensor SumOfSquares(Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        return (a.shape[0] < a.shape[1]
            ? (a.mm(a.t()) * b.mm(b.t())).sum()
            : a.t().mm(b).Squared().sum()).MoveToOuterDisposeScope();
    }
}

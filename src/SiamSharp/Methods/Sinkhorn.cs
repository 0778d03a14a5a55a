using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>Assignments of samples to prototypes that use all prototypes equally.</summary>
public static class Sinkhorn
{
    /// <summary>Balances a matrix: in turn, each prototype gets the same total, each sample a total of 1.</summary>
    /// <remarks>
    /// Definition: scores exp(s / epsilon); then, in each iteration, columns are divided by their sums, rows by theirs (the
    /// papers' further divisions by P and N cancel). Source: Cuturi 2013, arXiv 1306.0895; Caron et al. 2020, arXiv 2006.09882,
    /// section 3.1. Differences: computed in logarithms, which changes nothing but keeps every sum above
    /// 0 however far scores differ.
    /// </remarks>
    /// <param name="scores">(N, P).</param>
    /// <param name="epsilon">Above 0; small = close to one prototype each.</param>
    /// <param name="iterations">1 or more.</param>
    /// <returns>(N, P): rows that sum to 1; not differentiable; owned by the caller.</returns>
    public static Tensor Assign(Tensor scores, double epsilon, int iterations)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        return BalanceLogarithms(scores / Held(epsilon), iterations).MoveToOuterDisposeScope();
    }

    /// <summary>The same for the logarithms of a matrix of positive numbers, such as probabilities.</summary>
    /// <param name="logarithms">(N, P), finite.</param>
    /// <param name="iterations">0 = divide rows by their sums only.</param>
    /// <returns>(N, P): rows that sum to 1; not differentiable; owned by the caller.</returns>
    public static Tensor BalanceLogarithms(Tensor logarithms, int iterations)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var q = logarithms.detach();
        for (int i = 0; i < iterations; i++)
        {
            q = q.log_softmax(0);
            q = q.log_softmax(1);
        }
        return q.softmax(1).MoveToOuterDisposeScope();
    }
}

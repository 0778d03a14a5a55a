using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>Assignments of samples to prototypes that use all prototypes equally.</summary>
public static class Sinkhorn
{
    /// <summary>Balances a matrix: in turn, each prototype gets the same total, each sample a total of 1.</summary>
    /// <remarks>
    /// Definition: scores exp(s / epsilon); then, in each iteration, columns are divided by their sums and by P, rows by their sums
    /// and by N; at the end all is multiplied by N. Source: Cuturi 2013, arXiv 1306.0895; Caron et al. 2020, arXiv 2006.09882,
    /// section 3.1. Differences: the largest score is subtracted first, which changes nothing but keeps the exponential finite.
    /// </remarks>
    /// <param name="scores">(N, P); in float32 they may differ by 80 epsilon before small ones vanish. Cosines differ by 2.</param>
    /// <param name="epsilon">Above 0; small = close to one prototype each.</param>
    /// <param name="iterations">1 or more.</param>
    /// <returns>(N, P): rows that sum to 1; not differentiable; owned by the caller.</returns>
    public static Tensor Assign(Tensor scores, double epsilon, int iterations)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var scaled = scores.detach() / Held(epsilon);
        return Balance((scaled - scaled.max()).exp(), iterations).MoveToOuterDisposeScope();
    }

    /// <summary>The same for a matrix of positive numbers, such as probabilities.</summary>
    /// <param name="weights">(N, P), above 0.</param>
    /// <param name="iterations">0 = divide rows by their sums only.</param>
    /// <returns>(N, P): rows that sum to 1; not differentiable; owned by the caller.</returns>
    public static Tensor Balance(Tensor weights, int iterations)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var q = weights.detach() / weights.detach().sum();
        for (int i = 0; i < iterations; i++)
        {
            q = q / (q.sum(0, keepdim: true) * Held(q.shape[1]));
            q = q / (q.sum(1, keepdim: true) * Held(q.shape[0]));
        }
        return (q / q.sum(1, keepdim: true)).MoveToOuterDisposeScope();
    }
}

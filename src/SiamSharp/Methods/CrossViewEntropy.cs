using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>Predicting, from each view, what another view is assigned to: the loss of SwAV and DINO.</summary>
internal static class CrossViewEntropy
{
    /// <summary>The mean cross entropy of each view's scores with the assignments of each target view other than it.</summary>
    /// <remarks>Source: equation 2 and section 3.2 of the paper.</remarks>
    /// <param name="scores">V tensors (N, P): cosines.</param>
    /// <param name="assignments">T tensors (N, P) of the first T views: rows that sum to 1, without gradient.</param>
    /// <param name="temperature">Above 0.</param>
    /// <returns>A differentiable scalar, owned by the caller.</returns>
    public static Tensor Of(IReadOnlyList<Tensor> scores, IReadOnlyList<Tensor> assignments, double temperature)
    {
        using var scope = NewDisposeScope();
        Tensor[] predicted = [.. scores.Select(s => (s / Held(temperature)).log_softmax(1))];
        Tensor[] pairs =
        [
            .. from t in Enumerable.Range(0, assignments.Count)
               from v in Enumerable.Range(0, scores.Count)
               where v != t
               select -(assignments[t] * predicted[v]).sum(1).mean(),
        ];
        return stack(pairs).mean().MoveToOuterDisposeScope();
    }

    /// <summary>The number of prototypes that assignments are spread over: exp of the entropy of their mean, 1 to P.</summary>
    public static Tensor Used(Tensor assignments)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var mean = assignments.detach().mean([0]);
        return (-(mean * mean.Plus(1e-12).log()).sum()).exp().MoveToOuterDisposeScope();
    }
}

using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>The loss of methods that predict one view's embedding from another's.</summary>
internal static class CosineRegression
{
    /// <summary>The mean negative cosine between each prediction and the targets of all other views.</summary>
    /// <remarks>
    /// Definition: - mean over samples and over all pairs of a student view s and a target view t, s not t, of cos(p_s, z_t).
    /// Source: Chen and He 2020, arXiv 2011.10566, equations 1 to 4 (two views); with more views every pair counts alike.
    /// </remarks>
    /// <param name="predictions">(V N, E), view by view.</param>
    /// <param name="targets">(T N, E) of the first T views.</param>
    /// <param name="samples">N.</param>
    /// <param name="stopGradient">Whether no gradient flows into <paramref name="targets"/>, as published.</param>
    /// <returns>A differentiable scalar, -1 to 1, owned by the caller.</returns>
    public static Tensor Loss(Tensor predictions, Tensor targets, long samples, bool stopGradient = true)
    {
        using var scope = NewDisposeScope();
        var p = SiameseMethod.Normalize(predictions).view(-1, samples, predictions.shape[1]);
        var z = SiameseMethod.Normalize(stopGradient ? targets.detach() : targets).view(-1, samples, targets.shape[1]);
        long views = p.shape[0], targetViews = z.shape[0];
        // All pairs sum to the product of the sums; the pairs of a view with itself are taken off again.
        var all = (p.sum(dim: 0) * z.sum(dim: 0)).sum();
        var same = (p.narrow(0, 0, targetViews) * z).sum();
        return ((same - all) / Held(samples * (views * targetViews - targetViews))).MoveToOuterDisposeScope();
    }
}

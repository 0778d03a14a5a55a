using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Evaluation;

/// <summary>What a classifier makes of images, against the truth.</summary>
internal static class ClassScores
{
    /// <summary>Fewest classes for which the accuracy among the best five says anything.</summary>
    internal const int ClassesForTop5 = 6;

    /// <summary>Share of images whose class has the highest score; of equal scores the first class counts.</summary>
    /// <param name="scores">Float (N, K).</param>
    /// <param name="truth">Int64 (N); K and above are classes without a score, which are never right.</param>
    internal static double Top1(Tensor scores, Tensor truth)
    {
        using var scope = NewDisposeScope();
        return scores.argmax(1).eq(truth).sum().item<long>() / (double)truth.shape[0];
    }

    /// <summary>Share of images whose class is among the five of the highest scores; equal scores count against it.</summary>
    /// <param name="scores">Float (N, K).</param>
    /// <param name="truth">Int64 (N); K and above are classes without a score, which are never right.</param>
    /// <returns>Null with five classes or fewer.</returns>
    internal static double? Top5(Tensor scores, Tensor truth)
    {
        if (scores.shape[1] < ClassesForTop5) return null;
        using var scope = NewDisposeScope();
        Tensor known = truth.lt(tensor(scores.shape[1]));
        Tensor own = scores.gather(1, truth.clamp_max(Held(scores.shape[1] - 1)).unsqueeze(1)); // (N, 1)
        Tensor rank = scores.ge(own).sum(1);                                   // 1 = the best
        return rank.le(tensor(5L)).logical_and(known).sum().item<long>() / (double)truth.shape[0];
    }
}

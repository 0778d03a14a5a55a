using System.Globalization;

namespace SiamSharp.Evaluation;

/// <summary>Whether an encoder was worth its training: its scores beside those of the pixels and of what
/// the run started from.</summary>
/// <param name="IsBetter">Whether no score of theirs is as good as the encoder's.</param>
/// <param name="IsCertain">Whether each difference is larger than what so few test images leave open.</param>
/// <param name="Text">In plain words, with what to try.</param>
public sealed record ScoreVerdict(bool IsBetter, bool IsCertain, string Text)
{
    private const int MaxNamed = 3, LongerBy = 4;
    private const double Z = 1.95996; // of a 95 % interval

    /// <summary>Compares scores on the same images.</summary>
    /// <param name="scores">Of one pair of data sets; RankMe, which is no accuracy, is passed over.</param>
    /// <param name="epochs">That the run took.</param>
    /// <returns>Null without a baseline to compare with.</returns>
    public static ScoreVerdict? Of(IReadOnlyList<Score> scores, int epochs)
    {
        Score[] accuracies = [.. scores.Where(s => s.Metric == "top1" && s.Corruption is null or "mean")];
        (Score Own, Score Other)[] pairs = [.. from own in accuracies
                                               where own.Encoder == "pretrained"
                                               from other in accuracies
                                               where other.Encoder != "pretrained" && other.Title == own.Title
                                               select (own, other)];
        if (pairs.Length == 0) return null;
        foreach (string encoder in new[] { "pixels", "start", "untrained" })
        {
            (Score Own, Score Other)[] behind = [.. pairs.Where(p => p.Other.Encoder == encoder && p.Own.Value <= p.Other.Value)];
            if (behind.Length == 0) continue;
            string before = encoder != "pixels" && pairs.Any(p => p.Other.Encoder == "pixels")
                ? "Better than the pixels, but not better" : "Not better";
            return new(false, false, $"{before} than {The(behind[0].Other)} yet: {Named(behind)}. "
                + $"Try a longer run (--set training.epochs={epochs * LongerBy} "
                + $"instead of {epochs}), more images, or another recipe; "
                + "`siam views` shows whether the views still show what matters.");
        }
        string others = string.Join(" and ", pairs.Select(p => The(p.Other)).Distinct());
        (Score Own, Score Other)[] close =
            [.. pairs.Where(p => p.Own.Value - p.Other.Value < Z * Math.Sqrt(Variance(p.Own) + Variance(p.Other)))];
        return close.Length == 0
            ? new(true, true, $"Better than {others}.")
            : new(true, false, string.Create(CultureInfo.InvariantCulture,
                $"Better than {others}, but with {close[0].Own.TestCount:N0} test images this may be chance: "
                    + $"{Named(close)}. More test images tell."));
    }

    private static double Variance(Score score) => score.Value * (1 - score.Value) / Math.Max(1, score.TestCount);

    private static string The(Score score) =>
        score.Encoder is "pixels" or "untrained" ? $"the {score.Representation}" : $"its {score.Representation}";

    private static string Named((Score Own, Score Other)[] pairs)
    {
        bool several = pairs.Select(p => p.Other.Representation).Distinct().Count() > 1;
        return string.Join(", ", pairs.Take(MaxNamed).Select(p =>
            $"{(p.Own.Corruption is null ? p.Own.Title : "corruptions")} {p.Own.Shown} against "
                + $"{p.Other.Shown}{(several ? $" ({p.Other.Representation})" : "")}"))
            + (pairs.Length > MaxNamed ? $" and {pairs.Length - MaxNamed} more" : "");
    }
}

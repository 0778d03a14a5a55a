namespace SiamSharp.Evaluation;

/// <summary>How far the probabilities of a classifier can be believed.</summary>
internal static class Calibration
{
    private const int Bins = 10;

    /// <summary>The largest probability of an image, and whether its class is right.</summary>
    public readonly record struct Answer(double Probability, bool Right);

    /// <summary>Mean -log softmax(scores / temperature) of the true classes.</summary>
    /// <param name="scores">N times K.</param>
    /// <param name="labels">N.</param>
    /// <param name="temperature">More than 0.</param>
    public static double CrossEntropy(double[][] scores, long[] labels, double temperature) =>
        scores.Index().Average(s => LogSum(s.Item, temperature) - s.Item[labels[s.Index]] / temperature);

    /// <summary>The temperature with the smallest cross entropy, 0.05 to 20.</summary>
    /// <remarks>
    /// Golden-section search; in 1 / T the cross entropy has one minimum. Source: Guo et al. 2017, arXiv 1706.04599, section 4.2.
    /// </remarks>
    public static double Temperature(double[][] scores, long[] labels)
    {
        double ratio = (Math.Sqrt(5) - 1) / 2, low = Math.Log(0.05), high = Math.Log(20);
        double Loss(double log) => CrossEntropy(scores, labels, Math.Exp(log));
        while (high - low > 1e-5)
        {
            double a = high - ratio * (high - low), b = low + ratio * (high - low);
            if (Loss(a) <= Loss(b)) high = b;
            else low = a;
        }
        return Math.Exp((low + high) / 2);
    }

    /// <summary>What a classifier answers.</summary>
    public static Answer[] Answers(double[][] scores, long[] labels, double temperature) => [.. scores.Select((s, i) =>
    {
        int best = Array.IndexOf(s, s.Max());
        return new Answer(Math.Exp(s[best] / temperature - LogSum(s, temperature)), best == labels[i]);
    })];

    /// <summary>Expected calibration error: the mean over ten equal bins of |accuracy - mean probability|,
    /// weighted by their images.</summary>
    /// <remarks>Source: Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian binning".</remarks>
    public static double Error(Answer[] answers) => answers.GroupBy(a => Math.Min(Bins - 1, (int)(a.Probability * Bins)))
        .Sum(bin =>
            Math.Abs(bin.Average(a => a.Right ? 1.0 : 0) - bin.Average(a => a.Probability)) * bin.Count() / answers.Length);

    /// <summary>The lowest probability from which on the answers are right as often as asked for.</summary>
    /// <returns>0 where all of them are; just above 1, so that nothing is accepted, where not even the surest are.</returns>
    public static double Threshold(Answer[] answers, double minAccuracy)
    {
        Answer[] sorted = [.. answers.OrderByDescending(a => a.Probability)];
        double threshold = double.BitIncrement(1);
        for (int i = 0, right = 0; i < sorted.Length; i++)
        {
            if (sorted[i].Right) right++;
            // equal ones are accepted together
            bool last = i + 1 == sorted.Length || sorted[i + 1].Probability < sorted[i].Probability;
            if (last && right >= minAccuracy * (i + 1)) threshold = i + 1 == sorted.Length ? 0 : sorted[i].Probability;
        }
        return threshold;
    }

    private static double LogSum(double[] scores, double temperature)
    {
        double max = scores.Max();
        return max / temperature + Math.Log(scores.Sum(s => Math.Exp((s - max) / temperature)));
    }
}

namespace SiamSharp.Evaluation;

/// <summary>What is said about several measurements of the same thing.</summary>
public static class Statistics
{
    /// <summary>The sample standard deviation, with n - 1; 0 for a single value.</summary>
    /// <param name="values">1 or more.</param>
    public static double StandardDeviation(IReadOnlyCollection<double> values)
    {
        double mean = values.Average();
        return values.Count < 2 ? 0 : Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1));
    }

    /// <summary>Half the width of the 95 % confidence interval of a mean, by Student's t.</summary>
    /// <param name="std">Sample standard deviation.</param>
    /// <param name="count">Values, 2 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer: one value tells no spread.</exception>
    public static double Interval(double std, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 2);
        // The 0.975 quantile for 1 to 30 degrees of freedom; beyond, the first terms of its expansion
        // around the normal distribution's.
        ReadOnlySpan<double> quantiles =
        [
            12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281, 2.2010, 2.1788, 2.1604, 2.1448,
            2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484,
            2.0452, 2.0423,
        ];
        int freedom = count - 1;
        double t = freedom <= quantiles.Length ? quantiles[freedom - 1]
            : 1.95996 + 2.3722 / freedom + 2.8225 / ((double)freedom * freedom);
        return t * std / Math.Sqrt(count);
    }

    /// <summary>The 95 % interval of a share that was counted on so many things.</summary>
    /// <remarks>Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".</remarks>
    /// <param name="share">0 to 1.</param>
    /// <param name="count">Things counted, 1 or more.</param>
    public static (double Low, double High) ShareInterval(double share, int count)
    {
        const double z = 1.95996;
        double middle = share + z * z / (2 * count),
            half = z * Math.Sqrt(share * (1 - share) / count + z * z / (4.0 * count * count)), all = 1 + z * z / count;
        return (Math.Max(0, (middle - half) / all), Math.Min(1, (middle + half) / all));
    }

    /// <summary>Spearman's rank correlation: whether two measures put things in the same order.</summary>
    /// <remarks>Definition: Pearson's correlation of the ranks; equal values share the mean of their ranks.</remarks>
    /// <param name="a">One number for each thing; 2 or more.</param>
    /// <param name="b">Another for each, in the same order.</param>
    /// <returns>-1 (opposite order) to 1 (the same); NaN where all values of one are equal.</returns>
    /// <exception cref="ArgumentException">The lists differ in length, or hold fewer than two.</exception>
    public static double RankCorrelation(IReadOnlyList<double> a, IReadOnlyList<double> b)
    {
        if (a.Count != b.Count || a.Count < 2)
            throw new ArgumentException(
                $"A rank correlation needs two lists of the same length, 2 or more, but these have {a.Count} and {b.Count}.");
        double[] x = Ranks(a), y = Ranks(b);
        double middle = (a.Count + 1) / 2.0;
        double Sum(double[] p, double[] q) => p.Zip(q, (i, j) => (i - middle) * (j - middle)).Sum();
        return Sum(x, y) / Math.Sqrt(Sum(x, x) * Sum(y, y));
    }

    private static double[] Ranks(IReadOnlyList<double> values) =>
        [.. values.Select(v => values.Count(w => w < v) + (values.Count(w => w == v) + 1) / 2.0)];
}

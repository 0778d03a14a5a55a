using SiamSharp.Data;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>Classification with a few labels per class, drawn many times.</summary>
public static class FewShot
{
    /// <summary>Draws images for one trial.</summary>
    /// <remarks>
    /// A function of (seed, draw, class): the images of 5 shots are among those of 10, and every encoder gets the same.
    /// </remarks>
    /// <param name="labels">One label for each training image.</param>
    /// <param name="classNames">In label order.</param>
    /// <param name="shots">Images per class, 1 or more.</param>
    /// <param name="draw">Which trial; 0 or more.</param>
    /// <param name="seed">Of the draws.</param>
    /// <returns>shots indexes for each class, class by class.</returns>
    /// <exception cref="DataSourceException">A class has fewer images than that.</exception>
    public static long[] Draw(ReadOnlySpan<long> labels, IReadOnlyList<string> classNames, int shots, int draw, ulong seed)
    {
        var members = Enumerable.Range(0, classNames.Count).Select(_ => new List<long>()).ToArray();
        for (int i = 0; i < labels.Length; i++) members[labels[i]].Add(i);
        string[] small = [.. members.Index().Where(m => m.Item.Count < shots).Select(m => $"{classNames[m.Index]} ({m.Item.Count})")];
        if (small.Length > 0)
            throw new DataSourceException($"{shots} shots need {shots} labelled training images of each class, but {small.Length} classes have fewer: "
                + $"{string.Join(", ", small.Take(5))}. Give more, or lower evaluation.shots.");
        var drawn = new List<long>();
        foreach (var (k, indexes) in members.Index())
        {
            long[] order = [.. indexes];
            new RandomStream(seed, RandomPurpose.Evaluation, epoch: draw, sample: k, view: 1).Shuffle<long>(order);
            drawn.AddRange(order[..shots]);
        }
        return [.. drawn];
    }

    /// <summary>Half the width of the 95 % confidence interval of a mean, by Student's t.</summary>
    /// <param name="std">Sample standard deviation.</param>
    /// <param name="count">Values, 2 or more.</param>
    public static double Interval(double std, int count)
    {
        // The 0.975 quantile for 1 to 30 degrees of freedom; beyond, the first terms of its expansion around the normal distribution's.
        ReadOnlySpan<double> quantiles =
        [
            12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281, 2.2010, 2.1788, 2.1604, 2.1448, 2.1314,
            2.1199, 2.1098, 2.1009, 2.0930, 2.0860, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423,
        ];
        int freedom = count - 1;
        double t = freedom <= quantiles.Length ? quantiles[freedom - 1] : 1.95996 + 2.3722 / freedom + 2.8225 / ((double)freedom * freedom);
        return t * std / Math.Sqrt(count);
    }
}

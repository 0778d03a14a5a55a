namespace SiamSharp.Data;

/// <summary>Count, mean, summed squared deviation and range of some values, mergeable without loss of precision.</summary>
/// <remarks>
/// Definition: merged mean = m1 + d n2 / n and squares = s1 + s2 + d^2 n1 n2 / n with d = m2 - m1, n = n1 + n2.
/// Source: Chan, Golub and LeVeque, 1979, "Updating formulae and a pairwise algorithm for computing sample variances".
/// </remarks>
internal readonly record struct Moments(long Count, double Mean, double Squares, float Min, float Max)
{
    /// <summary>The population standard deviation: the divisor is the count.</summary>
    public double Std => Count == 0 ? 0 : Math.Sqrt(Squares / Count);

    /// <summary>The square root of the mean of the squared values.</summary>
    public double RootMeanSquare => Count == 0 ? 0 : Math.Sqrt(Mean * Mean + Squares / Count);

    /// <summary>Two passes in double precision.</summary>
    public static Moments Of(ReadOnlySpan<float> values)
    {
        double sum = 0, squares = 0;
        float min = float.PositiveInfinity, max = float.NegativeInfinity;
        foreach (float v in values)
        {
            sum += v;
            min = Math.Min(min, v);
            max = Math.Max(max, v);
        }
        if (values.Length == 0) return default;
        double mean = sum / values.Length;
        foreach (float v in values) squares += (v - mean) * (v - mean);
        return new Moments(values.Length, mean, squares, min, max);
    }

    /// <summary>The moments of both sets of values together.</summary>
    public Moments Merge(Moments other)
    {
        long count = Count + other.Count;
        if (Count == 0) return other;
        if (other.Count == 0) return this;
        double delta = other.Mean - Mean, share = (double)other.Count / count;
        return new Moments(count, Mean + delta * share, Squares + other.Squares + delta * delta * Count * share,
            Math.Min(Min, other.Min), Math.Max(Max, other.Max));
    }
}

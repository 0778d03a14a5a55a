using SiamSharp.Evaluation;
using Xunit;

namespace SiamSharp.Tests.Evaluation;

public sealed class StatisticsTests
{
    [Theory]
    [InlineData(2, 12.7062)]
    [InlineData(10, 2.2622)]
    [InlineData(31, 2.0423)]
    [InlineData(32, 2.0395)]
    [InlineData(101, 1.9840)]
    [InlineData(10_001, 1.9602)]
    public void Interval_Count_HasStudentsQuantile(int count, double quantile) =>
        Assert.Equal(quantile, Statistics.Interval(Math.Sqrt(count), count), 1e-4);

    [Fact]
    public void Interval_OneValue_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => Statistics.Interval(0.1, 1));

    // The bounds of Wilson's interval solve (p - share)^2 = z^2 p (1 - p) / n.
    [Theory]
    [InlineData(0.0, 10)]
    [InlineData(1.0, 10)]
    [InlineData(0.85, 60)]
    [InlineData(0.5, 10_000)]
    public void ShareInterval_Bounds_SolveTheirEquation(double share, int count)
    {
        var (low, high) = Statistics.ShareInterval(share, count);
        Assert.InRange(share, low, high);
        foreach (double p in new[] { low, high }.Where(p => p is > 0 and < 1))
            Assert.Equal(1.95996 * 1.95996 * p * (1 - p) / count, (p - share) * (p - share), 1e-9);
    }

    [Fact]
    public void StandardDeviation_KnownValues_DividesByOneLess()
    {
        Assert.Equal(2.138089935, Statistics.StandardDeviation([2, 4, 4, 4, 5, 5, 7, 9]), 1e-9);
        Assert.Equal(0, Statistics.StandardDeviation([3]));
    }

    // The third is the example of SciPy's spearmanr, the last one that of the article on the coefficient in Wikipedia (-29/165).
    [Theory]
    [InlineData(new double[] { 1, 2, 3, 4 }, new double[] { 10, 20, 30, 1000 }, 1.0)]
    [InlineData(new double[] { 1, 2, 3, 4 }, new double[] { 9, 7, 3, 1 }, -1.0)]
    [InlineData(new double[] { 1, 2, 3, 4, 5 }, new double[] { 5, 6, 7, 8, 7 }, 0.820782681)]
    [InlineData(new double[] { 86, 97, 99, 100, 101, 103, 106, 110, 112, 113 },
        new double[] { 2, 20, 28, 27, 50, 29, 7, 17, 6, 12 }, -0.175757576)]
    public void RankCorrelation_KnownValues_Agree(double[] a, double[] b, double expected) =>
        Assert.Equal(expected, Statistics.RankCorrelation(a, b), 1e-9);

    [Fact]
    public void RankCorrelation_OtherLengths_AreRefused() =>
        Assert.Contains("2 and 3", Assert.Throws<ArgumentException>(() => Statistics.RankCorrelation([1, 2], [1, 2, 3])).Message);
}

using SiamSharp.Data;
using Xunit;

namespace SiamSharp.Tests.Data;

public sealed class EvenDrawTests
{
    [Theory]
    [InlineData(0, 5)]
    [InlineData(5, 5)]
    [InlineData(3, 10)]
    public void Of_NoMoreThanWanted_IsAll(int count, int most) =>
        Assert.Equal(Enumerable.Range(0, count), EvenDraw.Of(count, most));

    [Theory]
    [InlineData(60_000, 25_600)]
    [InlineData(1_281_167, 1_000)]
    [InlineData(2_000_000_000, 64)]
    public void Of_Many_TakesOneOfEachPart(int count, int most)
    {
        int[] drawn = EvenDraw.Of(count, most);
        Assert.Equal(drawn, EvenDraw.Of(count, most));
        Assert.Equal(most, drawn.Distinct().Count());
        Assert.All(drawn.Index(), d => Assert.InRange(d.Item, (long)d.Index * count / most, (d.Index + 1L) * count / most - 1));
    }

    [Fact]
    public void Of_ClassesThatTakeTurns_MeetsAllOfThem()
    {
        int[] counts = [.. EvenDraw.Of(10_000, 1_000).GroupBy(i => i % 10).Select(g => g.Count())];
        Assert.Equal(10, counts.Length);
        Assert.All(counts, c => Assert.InRange(c, 60, 140));
    }
}

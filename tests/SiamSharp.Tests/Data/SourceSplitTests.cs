using CsCheck;
using SiamSharp.Data;
using Xunit;

namespace SiamSharp.Tests.Data;

public class SourceSplitTests
{
    private static int[] Ids(SubsetSource part) =>
        [.. Enumerable.Range(0, part.Count).Select(i => int.Parse(part.PathOf(i)["fake/".Length..]))];

    [Fact]
    public void Split_AnyClasses_IsAStratifiedPartition() =>
        Gen.Select(Gen.Int[-1, 4].Array[2, 80], Gen.Double[0, 1], Gen.ULong).Sample((labels, share, seed) =>
        {
            int first = 1 + (int)(share * (labels.Length - 2));
            var source = new FakeSource(labels.Length, FakeSource.One)
            {
                ClassNames = ["a", "b", "c", "d", "e"],
                Label = i => labels[i]
            };
            var (a, b) = source.Split(first, seed);
            Assert.Equal(first, a.Count);
            Assert.Equal(Enumerable.Range(0, labels.Length), Ids(a).Concat(Ids(b)).Order());
            Assert.Equal(Ids(a).Order(), Ids(a));
            foreach (var (label, n) in labels.CountBy(l => l))
            {
                double share1 = (double)n * first / labels.Length;
                Assert.InRange(Enumerable.Range(0, a.Count).Count(i => a.LabelOf(i) == label), Math.Floor(share1),
                    Math.Floor(share1) + 1);
            }
            Assert.Equal(Ids(a), Ids(source.Split(first, seed).First));
        });

    [Fact]
    public void Split_FashionMnistSample_GivesEightHundredOfEachClass()
    {
        var source = ImageSources.Open("fashion-mnist:sample", new DataOptions());
        var (train, test) = source.Split(8_000, seed: 1);
        Assert.All(Enumerable.Range(0, 8_000).CountBy(train.LabelOf), c => Assert.Equal(800, c.Value));
        Assert.Equal((2_000, source.ClassNames), (test.Count, test.ClassNames));
        Assert.Equal("fashion-mnist:sample (8000 of 10000, seed 1)", train.Name);
        Assert.NotEqual(Enumerable.Range(0, 100).Select(train.PathOf),
            Enumerable.Range(0, 100).Select(source.Split(8_000, 2).First.PathOf));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    public void Split_OnePartEmpty_Throws(int first) =>
        Assert.Contains("must hold 1 to 9 of its 10 images",
            Assert.Throws<DataSourceException>(() => FakeSource.Numbered(10).Split(first, 1)).Message);

    [Theory]
    [InlineData(new int[0], "at least one image")]
    [InlineData(new[] { 0, 5 }, "must be 0 to 4, but one is 5")]
    [InlineData(new[] { -1 }, "but one is -1")]
    [InlineData(new[] { 2, 0, 2 }, "2 is there more often")]
    public void Subset_WrongIndexes_Throws(int[] indexes, string expected) =>
        Assert.Contains(expected,
            Assert.Throws<ArgumentException>(() => new SubsetSource(FakeSource.Numbered(5), indexes, "s")).Message);

    [Fact]
    public void Subset_Decode_TakesTheSourcesImages()
    {
        var subset = new SubsetSource(FakeSource.Numbered(5), [4, 1], "s");
        Assert.Equal([4, 1], new[] { 0, 1 }.Select(i => (int)((byte[])subset.Decode(i, 2).Values)[0]));
        Assert.Equal(["fake/4", "fake/1"], new[] { 0, 1 }.Select(subset.PathOf));
    }
}

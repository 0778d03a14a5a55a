using SiamSharp.Randomness;
using Xunit;

namespace SiamSharp.Tests.Randomness;

public class RandomStreamTests
{
    // Known answers of Random123 (kat_vectors, philox4x32 10).
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u,
        0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Philox_KnownCounters_GivesKnownWords(
        uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint w0, uint w1, uint w2, uint w3) =>
        Assert.Equal((w0, w1, w2, w3), RandomStream.Philox(c0, c1, c2, c3, k0, k1));

    [Fact]
    public void NextUInt32_AnyKeyPartChanged_GivesAnotherStream()
    {
        RandomStream[] streams =
        [
            new(7, RandomPurpose.Mask), new(8, RandomPurpose.Mask), new(7, RandomPurpose.Fill),
            new(7, RandomPurpose.Mask, epoch: 1),
            new(7, RandomPurpose.Mask, sample: 1), new(7, RandomPurpose.Mask, view: 1), new(7ul << 32, RandomPurpose.Mask),
        ];
        var first = new HashSet<uint>();
        for (int i = 0; i < streams.Length; i++)
            for (int k = 0; k < 8; k++) first.Add(streams[i].NextUInt32());
        Assert.Equal(8 * streams.Length, first.Count);
    }

    [Fact]
    public void NextInt_SixValues_AreEquallyOften()
    {
        var stream = new RandomStream(1, RandomPurpose.Order);
        int[] counts = new int[6];
        for (int i = 0; i < 60_000; i++) counts[stream.NextInt(6)]++;
        Assert.All(counts, c => Assert.InRange(c, 9_600, 10_400)); // 4.4 standard deviations
    }

    [Fact]
    public void FillNormal_ManyValues_HaveNormalMomentsAndTails()
    {
        var stream = new RandomStream(3, RandomPurpose.Fill);
        float[] x = new float[200_001];
        stream.FillNormal(x);
        Assert.Equal(0, x.Average(), 0.01);
        Assert.Equal(1, x.Average(v => v * v), 0.015);
        Assert.Equal(3, x.Average(v => Math.Pow(v, 4)), 0.1);
        Assert.Equal(0.0455, x.Average(v => Math.Abs(v) > 2 ? 1.0 : 0), 0.002);
        Assert.All(x, v => Assert.True(float.IsFinite(v)));
    }

    [Fact]
    public void Shuffle_Hundred_IsAPermutation()
    {
        int[] items = [.. Enumerable.Range(0, 100)];
        new RandomStream(5, RandomPurpose.Order).Shuffle<int>(items);
        Assert.NotEqual(Enumerable.Range(0, 100), items);
        Assert.Equal(Enumerable.Range(0, 100), items.Order());
    }
}

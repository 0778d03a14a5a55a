using SiamSharp.Masking;
using SiamSharp.Randomness;
using SiamSharp.Tests.Views;
using Xunit;

namespace SiamSharp.Tests.Masking;

public sealed class HolesTests
{
    private const int Side = 32;

    private static readonly float[] s_signal = Images.Uniform(Side * Side), s_other = Images.Uniform(Side * Side, 1);

    /// <summary>The left half and every third pixel of the right half are removed.</summary>
    private static readonly bool[] s_keepMask =
        [.. Enumerable.Range(0, Side * Side).Select(i => i % Side >= Side / 2 && i % 3 != 0)];

    private static float[] Fill(FillOptions fill, bool[]? keepMask = null, long sample = 0)
    {
        var view = new float[Side * Side];
        var random = new RandomStream(1, RandomPurpose.Fill, 0, sample);
        Holes.Fill(s_signal, s_other, keepMask ?? s_keepMask, -0.7f, fill, view, Side, ref random);
        return view;
    }

    public static TheoryData<FillKind> Kinds => [.. Enum.GetValues<FillKind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Fill_EveryKind_LeavesVisiblePixelsAlone(FillKind kind)
    {
        float[] view = Fill(new FillOptions { Kind = kind });
        for (int i = 0; i < view.Length; i++)
            if (s_keepMask[i]) Assert.Equal(s_signal[i], view[i]);
    }

    [Fact]
    public void Fill_EveryKind_GivesItsValuesInTheHoles()
    {
        float mean = (float)s_signal.Where((_, i) => s_keepMask[i]).Average(x => (double)x);
        double[] blurred = NaiveFilters.Blur(Array.ConvertAll(s_signal, x => (double)x), Side, Side, 1.5, 11);
        AssertHoles(Fill(new FillOptions { Kind = FillKind.Zero }), _ => 0);
        AssertHoles(Fill(new FillOptions { Kind = FillKind.Black }), _ => -0.7f);
        AssertHoles(Fill(new FillOptions { Kind = FillKind.Mean }), _ => mean);
        AssertHoles(Fill(new FillOptions { Kind = FillKind.OtherImage }), i => s_other[i]);
        AssertHoles(Fill(new FillOptions { Kind = FillKind.Blur, BlurSigma = 1.5 }), i => blurred[i]);

        static void AssertHoles(float[] view, Func<int, double> expected)
        {
            for (int i = 0; i < view.Length; i++)
                if (!s_keepMask[i]) Assert.Equal(expected(i), view[i], 2e-6);
        }
    }

    [Fact]
    public void Fill_Noise_HasTheStandardDeviationAndFollowsTheStream()
    {
        var fill = new FillOptions { Kind = FillKind.Noise, NoiseStd = 0.5 };
        float[] noise = [.. Enumerable.Range(0, 20).SelectMany(n => Fill(fill, new bool[Side * Side], n))];
        Assert.Equal(0, noise.Average(), 0.02);
        Assert.Equal(0.5, Math.Sqrt(noise.Average(x => (double)x * x)), 0.01);
        Assert.Equal(Fill(fill), Fill(fill));
        Assert.NotEqual(Fill(fill), Fill(fill, sample: 1));
    }

    [Fact]
    public void Fill_NothingVisible_MeanIsZero() =>
        Assert.All(Fill(new FillOptions { Kind = FillKind.Mean }, new bool[Side * Side]), x => Assert.Equal(0, x));
}

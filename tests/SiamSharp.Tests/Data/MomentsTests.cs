using CsCheck;
using SiamSharp.Data;
using Xunit;

namespace SiamSharp.Tests.Data;

public class MomentsTests
{
    [Fact]
    public void Merge_AnyParts_EqualsAllAtOnce() =>
        Gen.Select(Gen.Float[-5, 5].Array[0, 30], Gen.Float[990, 1010].Array[1, 30]).Sample((a, b) =>
        {
            var merged = Moments.Of(a).Merge(Moments.Of(b));
            var whole = Moments.Of([.. a, .. b]);
            Assert.Equal(whole.Count, merged.Count);
            Assert.Equal(whole.Mean, merged.Mean, 1e-9);
            Assert.Equal(whole.Std, merged.Std, 1e-9);
            Assert.Equal((a.Concat(b).Min(), a.Concat(b).Max()), (merged.Min, merged.Max));
        });
}

using SiamSharp.Evaluation;
using SiamSharp.Recipes;
using Xunit;

namespace SiamSharp.Tests.Evaluation;

public sealed class ScoreVerdictTests
{
    private static Score Of(string encoder, double value, int test = 10_000, string protocol = "linear") =>
        new()
        {
            Encoder = encoder,
            Protocol = protocol,
            Value = value,
            TestCount = test,
            Start = encoder == "start" ? "a/imagenet.pth" : null
        };

    private static ScoreVerdict? Verdict(params Score[] scores) => ScoreVerdict.Of(scores, new Recipe().Training.Epochs);

    [Fact]
    public void Of_BelowThePixels_SaysSoAndWhatToTry()
    {
        ScoreVerdict verdict = Verdict(Of("pixels", 0.8), Of("untrained", 0.5), Of("pretrained", 0.7))!;
        Assert.False(verdict.IsBetter);
        Assert.StartsWith(
            "Not better than the pixels yet: linear 0.7000 against 0.8000. Try a longer run (--set training.epochs=",
            verdict.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_BelowItsStart_NamesTheFile() => Assert.StartsWith(
        "Better than the pixels, but not better than its start (imagenet.pth) yet: linear 0.7000 against 0.7000.",
        Verdict(Of("pixels", 0.6), Of("start", 0.7), Of("pretrained", 0.7))!.Text, StringComparison.Ordinal);

    [Fact]
    public void Of_BelowTheUntrainedAlone_SaysNothingOfPixels() => Assert.StartsWith("Not better than the untrained encoder yet",
        Verdict(Of("untrained", 0.7), Of("pretrained", 0.6))!.Text, StringComparison.Ordinal);

    [Fact]
    public void Of_FewTestImages_MayBeChance()
    {
        // the difference has a standard error of 0.086
        ScoreVerdict verdict = Verdict(Of("pixels", 0.70, 50), Of("pretrained", 0.80, 50))!;
        Assert.Equal((true, false), (verdict.IsBetter, verdict.IsCertain));
        Assert.Contains("with 50 test images this may be chance", verdict.Text);
    }

    [Fact]
    public void Of_CloseToSeveral_SaysToWhich() =>
        Assert.Contains("linear 0.8000 against 0.7000 (pixels), linear 0.8000 against 0.7100 (untrained encoder)",
            Verdict(Of("pixels", 0.70, 50), Of("untrained", 0.71, 50), Of("pretrained", 0.80, 50))!.Text);

    [Fact]
    public void Of_ClearlyAhead_IsBetter() =>
        Assert.Equal(new ScoreVerdict(true, true, "Better than the pixels and the untrained encoder."),
            Verdict(Of("pixels", 0.6), Of("untrained", 0.5), Of("pretrained", 0.7),
                Of("pretrained", 0.1) with { Protocol = "rankme", Metric = "rankme" }));

    [Fact]
    public void Of_NoBaseline_IsNothing() => Assert.Null(Verdict(Of("pretrained", 0.7)));
}

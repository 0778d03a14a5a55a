using SiamSharp.Evaluation;
using SiamSharp.Randomness;
using Xunit;

namespace SiamSharp.Tests.Evaluation;

public sealed class CalibrationTests
{
    /// <summary>Scores whose labels are drawn from their own softmax, then made too sure by a factor.</summary>
    private static (double[][] Scores, long[] Labels) Draw(int count, double factor)
    {
        var random = new RandomStream(1, RandomPurpose.Evaluation);
        var scores = new double[count][];
        long[] labels = new long[count];
        float[] normal = new float[3];
        for (int i = 0; i < count; i++)
        {
            random.FillNormal(normal);
            double[] truth = [.. normal.Select(x => 2.0 * x)];
            double sum = truth.Sum(Math.Exp), draw = random.NextDouble();
            int k = 0;
            while (k < 2 && (draw -= Math.Exp(truth[k]) / sum) > 0) k++;
            (scores[i], labels[i]) = ([.. truth.Select(x => x * factor)], k);
        }
        return (scores, labels);
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(4)]
    public void Temperature_ScoresMadeTooSure_UndoesIt(double factor)
    {
        var (scores, labels) = Draw(20_000, factor);
        double temperature = Calibration.Temperature(scores, labels);
        Assert.Equal(1, temperature / factor, 0.05);
        Assert.InRange(Calibration.Error(Calibration.Answers(scores, labels, temperature)), 0, 0.015);
        foreach (double other in new[] { 0.9, 1.1 })
            Assert.True(Calibration.CrossEntropy(scores, labels, temperature) < Calibration.CrossEntropy(scores,
                labels, temperature * other));
        if (factor == 4) Assert.InRange(Calibration.Error(Calibration.Answers(scores, labels, 1)), 0.1, 0.5);
    }

    [Fact]
    public void CrossEntropy_ByHand_IsTheMeanOfTheLogs()
    {
        double expected = -(Math.Log(Math.Exp(1) / (Math.Exp(1) + Math.Exp(0)))
            + Math.Log(Math.Exp(0.5) / (Math.Exp(0.5) + Math.Exp(1.5)))) / 2;
        Assert.Equal(expected, Calibration.CrossEntropy([[2, 0], [1, 3]], [0, 0], 2), 12);
        Assert.Equal(0, Calibration.CrossEntropy([[10_000, 0]], [0], 0.1), 12); // no overflow
    }

    [Fact]
    public void Error_ByHand_WeighsTheBins() =>
        // 0.95 with 1 of 2 right: 0.45 off; 0.62 with 1 of 1 right: 0.38 off.
        Assert.Equal((0.45 * 2 + 0.38) / 3, Calibration.Error([new(0.95, true), new(0.95, false), new(0.62, true)]), 12);

    [Fact]
    public void Threshold_AnyAnswers_IsTheLowestThatSuffices()
    {
        Calibration.Answer[] answers = [new(0.9, true), new(0.8, true), new(0.7, false), new(0.6, true),
            new(0.6, false), new(0.5, true)];
        Assert.Equal(0, Calibration.Threshold(answers, 0));
        Assert.Equal(0, Calibration.Threshold(answers, 4 / 6.0));
        Assert.Equal(0.8, Calibration.Threshold(answers, 0.7));   // 0.7: 2 of 3, 0.6: 3 of 5
        Assert.Equal(0.8, Calibration.Threshold(answers, 1));
        Assert.True(Calibration.Threshold([new(0.99, false), new(0.5, true)], 0.9) > 1);
    }
}

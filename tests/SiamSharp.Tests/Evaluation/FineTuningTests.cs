using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Optim;
using SiamSharp.Views;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Evaluation;

/// <summary>A tiny network trained with labels of real images.</summary>
public sealed class FineTuningTests
{
    private static readonly FineTuneOptions s_options =
        new() { Fractions = [0.1, 1], Epochs = 8, LeastSteps = 60, BatchSize = 32, LearningRate = 3e-3 };

    private static ImageDataset Images(int first, int count) => ImageDataset.Load(
        new SubsetSource(ImageSources.Open("fashion-mnist:sample", new DataOptions()), [.. Enumerable.Range(first, count)],
            $"{count} from {first}"), new DataOptions());

    private static Encoder Untrained() => new(
        new BackboneOptions { Width = 16, Depths = [1, 1] }.Create(1, 28, seed: 1),
        new Preprocessing(new HighPassOptions(), [0.0], [0.15]), 1, 28);

    private static IReadOnlyList<Score> Judge(Protocol protocol, List<Confusion>? confusions = null) =>
        new Evaluator(new EvaluationOptions { FineTune = s_options }, seed: 1)
            .Train(protocol, "untrained", Untrained, Images(0, 800), Images(800, 300), "hash", confusions);

    [Fact]
    public void Train_SharesOfTheLabels_LearnsMoreFromMore()
    {
        var confusions = new List<Confusion>();
        IReadOnlyList<Score> scores = Judge(Protocol.FineTune, confusions);
        Assert.Equal([("fine-tune", 0.1), ("fine-tune", 1.0)], scores.Select(s => (s.Protocol, s.Fraction!.Value)));
        Assert.InRange(scores[0].TrainCount, 75, 85);
        Assert.Equal(800, scores[1].TrainCount);
        Assert.True(scores[0].Value > 0.25 && scores[1].Value > scores[0].Value + 0.1,
            string.Join(", ", scores.Select(s => s.Value)));
        Assert.True(scores[1].Top5 > 0.9, $"{scores[1].Top5}");
        Assert.Equal(["fine-tune-10", "fine-tune-100"], confusions.Select(c => c.Protocol));
        Assert.Equal(scores[1].Value, Enumerable.Range(0, 10).Sum(k => confusions[1].Counts[k, k]) / 300.0, 1e-12);
    }

    [Fact]
    public void Train_Twice_GivesTheSameDigits() => Assert.Equal(Judge(Protocol.LinearSgd), Judge(Protocol.LinearSgd));

    [Fact]
    public void Train_Frozen_LeavesTheEncoderAsItWas()
    {
        using Encoder encoder = Untrained();
        ImageDataset images = Images(0, 200);
        using Tensor before = encoder.Encode(images.Batch([0, 1, 2, 3]));
        var told = new List<double>();
        using (FineTuning tuned = FineTuning.Train(encoder, frozen: true, 1, images, [.. Enumerable.Range(0, 200)],
            [.. images.Labels!.Select(l => (long)l)], 10, s_options, seed: 1, new Told(told), CancellationToken.None))
        using (Tensor scores = tuned.Scores(images, [.. Enumerable.Range(0, 200)], 64, CancellationToken.None))
            Assert.True(ClassScores.Top1(scores, tensor(images.Labels!.Select(l => (long)l).ToArray())) > 0.3);
        using Tensor after = encoder.Encode(images.Batch([0, 1, 2, 3]));
        Assert.Equal(before.data<float>().ToArray(), after.data<float>().ToArray());
        Assert.False(encoder.Backbone.training);
        Assert.Equal(told.Order(), told);
        Assert.Equal((60, 1), (told.Count, told[^1])); // steps
    }

    private sealed class Told(List<double> said) : IProgress<double>
    {
        public void Report(double value) => said.Add(value);
    }

    [Fact]
    public void Optimizers_EightParts_LearnFasterTowardsTheClassifier()
    {
        using Encoder encoder = Untrained();
        using var classifier = nn.Linear(32, 10);
        Optimizer[] optimizers = FineTuning.Optimizers(encoder, classifier, frozen: false, firstLayerRate: 0.01,
            s_options, out double[] shares);
        Assert.Equal(0.01, shares[0], 1e-12);
        Assert.Equal(1, shares[^1]);
        for (int i = 1; i < shares.Length; i++)
            Assert.Equal(Math.Pow(100, 1.0 / (shares.Length - 1)), shares[i] / shares[i - 1], 1e-9);
        Assert.Contains("exp_avg.conv1.weight", optimizers[0].State.Keys);
        Assert.Contains(optimizers[^2].State.Keys, k => k.StartsWith("exp_avg.layer2.", StringComparison.Ordinal));
        Assert.Contains("exp_avg.weight", optimizers[^1].State.Keys);
        Assert.Equal(encoder.Backbone.parameters().Count() + 2,
            optimizers.Sum(o => o.State.Keys.Count(k => k.StartsWith("exp_avg.", StringComparison.Ordinal))));
        foreach (Optimizer optimizer in optimizers) optimizer.Dispose();
    }

    [Theory]
    [InlineData(0.1, new[] { 1, 2, 5 })]
    [InlineData(1.0, new[] { 3, 20, 50 })]
    public void DrawShare_Fraction_TakesItOfEachClass(double fraction, int[] expected)
    {
        long[] labels = [.. Enumerable.Repeat(0L, 3), .. Enumerable.Repeat(1L, 20), .. Enumerable.Repeat(2L, 50)];
        int[] drawn = FewShot.DrawShare(labels, 3, fraction, seed: 1);
        Assert.Equal(drawn.Length, drawn.Distinct().Count());
        Assert.Equal(expected, Enumerable.Range(0, 3).Select(k => drawn.Count(i => labels[i] == k)));
        Assert.Subset(FewShot.DrawShare(labels, 3, 1, seed: 1).ToHashSet(), drawn.ToHashSet());
    }
}

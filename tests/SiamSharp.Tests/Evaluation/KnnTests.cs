using SiamSharp.Evaluation;
using SiamSharp.Tests.Reference;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Evaluation;

public class KnnTests
{
    [Fact]
    public void Scores_Golden_Agree()
    {
        var golden = new GoldenFile("knn_weighted.json");
        long[] labels = [.. golden["inputs", "labels"].EnumerateArray().Select(v => v.GetInt64())];
        Tensor scores = Knn.Scores(golden.Tensor("inputs", "bank"), tensor(labels),
            golden.Tensor("inputs", "queries"), 5, 20, 0.07);
        Near.Equal(golden.Tensor("output", "scores"), scores, 1e-9);
        Assert.Equal(golden["output", "prediction"].EnumerateArray().Select(v => v.GetInt64()), scores.argmax(1).data<long>());
    }

    [Fact]
    public void Scores_ScaledInputs_AreTheSame()
    {
        Tensor bank = linspace(-1, 1, 60).reshape(12, 5).cos(), labels = arange(12) % 3, queries = bank[..4] + 0.1;
        Tensor a = Knn.Scores(bank, labels, queries, 3, 5, 0.1), b = Knn.Scores(7 * bank, labels, 0.2 * queries, 3, 5, 0.1);
        Assert.True((a - b).abs().max().ToDouble() < 1e-3 * a.max().ToDouble());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(13)]
    public void Scores_ImpossibleK_Throws(int k) =>
        Assert.Throws<ArgumentException>(() => Knn.Scores(ones(12, 5), arange(12) % 3, ones(2, 5), 3, k, 0.1));

    [Theory]
    [InlineData(0.01)]
    [InlineData(double.NaN)]
    public void Scores_TemperatureWhereWeightsOverflow_Throws(double temperature) =>
        Assert.Throws<ArgumentException>(() => Knn.Scores(ones(12, 5), arange(12) % 3, ones(2, 5), 3, 2, temperature));

    [Fact]
    public void Scores_LowestTemperature_AreFinite() =>
        Assert.True(Knn.Scores(ones(12, 5), arange(12) % 3, ones(2, 5), 3, 12, Knn.MinTemperature).isfinite().all().item<bool>());

    [Fact]
    public void Scores_OtherWidth_Throws() =>
        Assert.Throws<ArgumentException>(() => Knn.Scores(ones(12, 5), arange(12) % 3, ones(2, 4), 3, 2, 0.1));
}

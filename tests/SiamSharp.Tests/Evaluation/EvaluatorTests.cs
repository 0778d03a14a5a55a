using SiamSharp.Evaluation;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Evaluation;

public sealed class EvaluatorTests
{
    private static readonly string[] s_names = ["a", "b", "c"];

    [Fact]
    public void Judge_RankMeOfManySortedImages_LooksAtAllOfThem()
    {
        using var scope = NewDisposeScope();
        const int count = 40_000;
        // The first 25,600 lie on one line, the others along two more.
        Tensor values = zeros(count, 3);
        foreach (var (k, (from, to)) in new[] { (0, 26_000), (26_000, 33_000), (33_000, count) }.Index())
            values[from..to].select(1, k).fill_(1);
        Features all = new(values, zeros(count, dtype: ScalarType.Int64), ["a"]),
            test = new(ones(2, 3), zeros(2, dtype: ScalarType.Int64), ["a"]);
        Score score = Assert.Single(
            new Evaluator(new EvaluationOptions(), seed: 1).Evaluate(Protocol.RankMe, "pretrained", all, test, "hash"));
        Assert.InRange(score.Value, 2.7, 3);
    }

    [Theory]
    [InlineData((Protocol)99)]
    [InlineData(Protocol.FineTune)]
    [InlineData(Protocol.Corruption)]
    public void Judge_ProtocolOfAnotherKind_IsRefused(Protocol protocol)
    {
        using var scope = NewDisposeScope();
        using Features few = new(ones(4, 2), tensor(new long[] { 0, 1, 0, 1 }), s_names[..2]);
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            new Evaluator(new EvaluationOptions(), seed: 1).Evaluate(protocol, "pretrained", few, few, "hash"));
    }

    [Fact]
    public void Train_ProtocolThatTrainsNothing_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() =>
        new Evaluator(new EvaluationOptions(), seed: 1).Train(Protocol.Knn, "pretrained", () => null!, null!, null!, "hash"));

    [Fact]
    public void Wanted_UnknownProtocol_IsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Evaluator.Wanted((Protocol)99, new EvaluationOptions()));

    [Fact]
    public void Judge_ClassWithoutAnImage_TakesNoPartInFewShot()
    {
        using var scope = NewDisposeScope();
        long[] labels = [0, 2, 0, 2, 0, 2];
        Tensor values = tensor(labels.Select(l => new[] { l - 1f, 0.1f * l }).SelectMany(v => v).ToArray()).reshape(6, 2);
        using Features set = new(values, tensor(labels), s_names);
        Score score = Assert.Single(new Evaluator(new EvaluationOptions { Shots = [3] }, seed: 1)
            .Evaluate(Protocol.FewShot, "pretrained", set, set, "hash"));
        Assert.Equal(1, score.Value);
    }

    [Theory]
    [InlineData(Protocol.Knn)]
    [InlineData(Protocol.Linear)]
    [InlineData(Protocol.FewShot)]
    public void Judge_TestClassWithoutATrainingImage_CountsAsWrong(Protocol protocol)
    {
        using var scope = NewDisposeScope();
        Tensor Of(long[] labels) =>
            tensor(labels.Select(l => new[] { l == 0 ? -1f : 1f, 1f }).SelectMany(v => v).ToArray()).reshape(labels.Length, 2);
        long[] known = [.. Enumerable.Range(0, 20).Select(i => (long)(i % 2))], judged = [0, 1, 2, 2];
        using Features train = new(Of(known), tensor(known), ["a", "b"]), test = new(Of(judged), tensor(judged), s_names);
        var confusions = new List<Confusion>();
        Score score = Assert.Single(new Evaluator(new EvaluationOptions { K = 3, Shots = [5] }, seed: 1)
            .Evaluate(protocol, "pretrained", train, test, "hash", confusions));
        Assert.Equal(0.5, score.Value); // a and b are recognised, the two of c cannot be
        if (protocol == Protocol.FewShot) return;
        Assert.Equal(s_names, confusions[0].ClassNames);
        Assert.Equal([2L, 0L], [confusions[0].Counts[2, 1], confusions[0].Counts[2, 2]]);
    }

    [Fact]
    public void Top5_ClassWithoutAScore_IsNeverAmongThem()
    {
        using var scope = NewDisposeScope();
        Tensor scores = zeros(3, 6);
        scores[0].select(0, 0).fill_(1);
        scores[1].select(0, 5).fill_(1);
        scores[2].select(0, 5).fill_(1);
        Assert.Equal(2 / 3.0, ClassScores.Top5(scores, tensor(new long[] { 0, 5, 7 }))!.Value, 1e-12);
    }
}

using SiamSharp.Evaluation;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Evaluation;

public sealed class ConfusionTests
{
    private static readonly Confusion s_example = Confusion.Of("knn", "pretrained", ["cat", "a, \"b\"", "none"],
        tensor(new long[] { 0, 0, 0, 0, 1, 1 }), tensor(new long[] { 0, 1, 1, 2, 1, 1 }));

    [Fact]
    public void Of_Predictions_CountsEachPair() =>
        Assert.Equal(new long[,] { { 1, 2, 1 }, { 0, 2, 0 }, { 0, 0, 0 } }, s_example.Counts);

    [Fact]
    public void PerClass_ClassWithoutImages_IsNoNumber() => Assert.Equal([0.25, 1, double.NaN], s_example.PerClass);

    [Fact]
    public void Hardest_NamesWhatAClassIsTakenFor() =>
        Assert.Equal([("cat", 0.25, "a, \"b\""), ("a, \"b\"", 1, "")], s_example.Hardest(5));

    [Fact]
    public void ToCsv_NamesWithCommas_AreQuoted() => Assert.Equal(
        "class,cat,\"a, \"\"b\"\"\",none,accuracy\ncat,1,2,1,0.2500\n\"a, \"\"b\"\"\",0,2,0,1.0000\nnone,0,0,0,\n",
        s_example.ToCsv());

    [Fact]
    public void Top5_AgreesWithSorting()
    {
        using var scope = NewDisposeScope();
        Tensor scores = Reference.RandomTensors.Normal(3, [50, 8]), truth = arange(50, dtype: ScalarType.Int64).remainder(8);
        int right = 0, first = 0;
        for (int n = 0; n < 50; n++)
        {
            float[] row = scores[n].data<float>().ToArray();
            int[] order = [.. Enumerable.Range(0, 8).OrderByDescending(k => row[k])];
            if (order.Take(5).Contains(n % 8)) right++;
            if (order[0] == n % 8) first++;
        }
        Assert.Equal(right / 50.0, ClassScores.Top5(scores, truth)!.Value, 1e-12);
        Assert.Equal(first / 50.0, ClassScores.Top1(scores, truth), 1e-12);
    }

    [Fact]
    public void Top5_EqualScores_CountAgainstIt()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(0, ClassScores.Top5(zeros(3, 6), zeros(3, dtype: ScalarType.Int64)));
        Assert.Null(ClassScores.Top5(zeros(3, 5), zeros(3, dtype: ScalarType.Int64)));
    }
}

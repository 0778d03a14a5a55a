using SiamSharp.Data;
using SiamSharp.Evaluation;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Evaluation;

public sealed class FewShotTests
{
    private static readonly string[] s_names = ["a", "b", "c"];

    private static long[] Labels(params int[] counts) =>
        [.. counts.Index().SelectMany(c => Enumerable.Repeat((long)c.Index, c.Item))];

    [Fact]
    public void Draw_Shots_TakesSoManyOfEachClassWithoutRepetition()
    {
        long[] labels = Labels(8, 5, 20);
        for (int draw = 0; draw < 20; draw++)
        {
            long[] chosen = FewShot.Draw(labels, s_names, 5, draw, seed: 1);
            Assert.Equal(15, chosen.Distinct().Count());
            Assert.Equal(Labels(5, 5, 5), chosen.Select(i => labels[i]));
            Assert.Equal(chosen, FewShot.Draw(labels, s_names, 5, draw, seed: 1));
            // Fewer shots are a part of more.
            Assert.Subset(chosen.ToHashSet(), FewShot.Draw(labels, s_names, 2, draw, seed: 1).ToHashSet());
        }
        long[][] draws = [.. Enumerable.Range(0, 20).Select(draw => FewShot.Draw(labels, s_names, 5, draw, seed: 1))];
        Assert.Equal(20, draws.Select(d => string.Join(",", d)).Distinct().Count());
        // every image of the largest class has its turn
        Assert.Equal(20, draws.SelectMany(d => d).Where(i => i >= 13).Distinct().Count());
        Assert.NotEqual(draws[0], FewShot.Draw(labels, s_names, 5, 0, seed: 2));
    }

    [Fact]
    public void RaisedShares_OneImageOfAClass_SaysHowMany() => Assert.Equal(
        ["\"tuned, 1 %\" learns from 3 of 48 labelled images, 6.3 %: one of each class is the least."],
        new EvaluationSet("images", 48, [.. Labels(16, 16, 16).Select(l => (int)l)], s_names, 3).RaisedShares([0.01, 0.1, 1]));

    [Fact]
    public void Faults_LabelsThatAreNumbers_SaysWhatAClassIs()
    {
        EvaluationSet Of(string name, int first) =>
            new(name, 9, [.. Enumerable.Range(0, 9)], [.. Enumerable.Range(first, 9).Select(i => $"0.{i}")], 3);
        Assert.Contains("such labels are measured numbers, not classes",
            Assert.Single(EvaluationSet.Faults(Of("a", 11), Of("b", 31), [Protocol.Linear], new EvaluationOptions(), 3)));
    }

    [Fact]
    public void Draw_ClassTooSmall_NamesIt() => Assert.Contains("1 class has fewer: b (5)",
        Assert.Throws<DataSourceException>(() => FewShot.Draw(Labels(8, 5, 20), s_names, 6, 0, seed: 1)).Message);

    [Fact]
    public void Judge_SeparateClusters_ScoresEachNumberOfShots()
    {
        using var scope = NewDisposeScope();
        Features Clusters(ulong seed, int each)
        {
            Tensor labels = arange(3 * each, dtype: ScalarType.Int64).remainder(3);
            Tensor values = Reference.RandomTensors.Normal(seed, [3 * each, 6]);
            values.select(1, 0).add_(labels.to(ScalarType.Float32) * 3);
            return new Features(values, labels, s_names);
        }
        var options = new EvaluationOptions { Shots = [1, 10], Draws = 12 };
        IReadOnlyList<Score> scores =
            new Evaluator(options, seed: 7).Evaluate(Protocol.FewShot, "pretrained", Clusters(1, 40), Clusters(2, 100), "hash");
        Assert.Equal([1, 10], scores.Select(s => s.Shots!.Value));
        Assert.All(scores, s =>
        {
            Assert.Equal(("few-shot", 12, 120, 300), (s.Protocol, s.Draws!.Value, s.TrainCount, s.TestCount));
            Assert.Equal(Statistics.Interval(s.Std!.Value, 12), s.Ci95);
        });
        Assert.InRange(scores[0].Value, 0.4, 0.85);
        Assert.InRange(scores[1].Value, 0.7, 1);
        Assert.True(scores[1].Std < scores[0].Std);
        // Labels of images that were not drawn take no part.
        Assert.Equal(scores,
            new Evaluator(options, seed: 8).Evaluate(Protocol.FewShot, "pretrained", Clusters(1, 40), Clusters(2, 100), "hash")
                .Select(s => s with { Seed = 7 }));
    }

    [Fact]
    public void Draws_OfOtherImages_AreCalledAsInTheScoresBesideThem()
    {
        string folder = Directory.CreateTempSubdirectory("draws").FullName;
        var run = new SiamSharp.Training.RunFolder(folder);
        var options = new EvaluationOptions { Shots = [1], Draws = 2, DrawsFile = run.DrawsPath };
        File.WriteAllText(run.DrawsPath,
            FewShotDraws.For(Labels(3, 3, 3), s_names, "hash", options with { DrawsFile = "" }).ToJson());
        run.AddScores(
            [new Score { Protocol = "few-shot", Encoder = "pretrained", Train = "photos#train", DataHash = "hash/other" }]);
        Assert.Contains("than those of --train: from photos#train (",
            Assert.Throws<DataSourceException>(() => FewShotDraws.For(Labels(3, 3, 3), s_names, "another", options)).Message);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Draws_FromTheirFile_AreTheSame()
    {
        long[] labels = Labels(8, 5, 20);
        var options = new EvaluationOptions { Shots = [1, 5], Draws = 3 };
        string file = Path.GetTempFileName();
        try
        {
            FewShotDraws made = FewShotDraws.For(labels, s_names, "hash", options);
            File.WriteAllText(file, made.ToJson());
            EvaluationOptions again = options with { DrawsFile = file, DrawSeed = 99 };
            FewShotDraws read = FewShotDraws.For(labels, s_names, "hash", again);
            Assert.Equal(made.Shots.SelectMany(s => s.Value).SelectMany(d => d),
                read.Shots.SelectMany(s => s.Value).SelectMany(d => d));
            Assert.Equal(FewShot.Draw(labels, s_names, 5, 2, seed: 1), read.Shots[5][2]);

            string Fails(string hash, int images, EvaluationOptions o) =>
                Assert.Throws<DataSourceException>(() => FewShotDraws.For(labels.AsSpan(0, images), s_names, hash, o)).Message;
            Assert.Contains("other images than those of --train (its data are hash, those of --train other). "
                + "Give those images as --train, or leave evaluation.drawsFile out", Fails("other", 33, again));
            Assert.Contains("lacks 4 draws of 1 shots: it has 3 of 1, 3 of 5", Fails("hash", 33, again with { Draws = 4 }));
            Assert.Contains("lacks 3 draws of 2 shots", Fails("hash", 33, again with { Shots = [2] }));
            Assert.Contains("outside of 0 to 9", Fails("hash", 10, again));
            File.WriteAllText(file, "no draws");
            Assert.Contains("cannot be read", Fails("hash", 33, again));
        }
        finally
        {
            File.Delete(file);
        }
    }
}

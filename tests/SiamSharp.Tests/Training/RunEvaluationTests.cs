using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Recipes;
using SiamSharp.Reporting;
using SiamSharp.Training;
using Xunit;

namespace SiamSharp.Tests.Training;

/// <summary>An encoder of one step, judged on real images.</summary>
public sealed class RunEvaluationTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("judged").FullName;
    private readonly RunFolder _folder;
    private readonly Recipe _recipe;

    public RunEvaluationTests()
    {
        _folder = new RunFolder(Path.Combine(_root, "run"));
        _recipe = Recipe.Resolve([OptionsJson.Parse("""
            { "backbone": { "width": 4, "depths": [1, 1] }, "training": { "epochs": 1, "batchSize": 32, "threads": 1 } }
            """, "tiny")], [], _ => Part(0, 32));
        Pretraining.Run(_recipe, Load(0, 32), _folder);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static SubsetSource Part(int first, int count) => new(
        ImageSources.Open("fashion-mnist:sample", new DataOptions()), [.. Enumerable.Range(first, count)], $"{count} images from {first}");

    private static ImageDataset Load(int first, int count) => ImageDataset.Load(Part(first, count), new DataOptions());

    [Fact]
    public void Judge_BothProtocols_ScoresEachRepresentationAndKeepsTheScores()
    {
        IReadOnlyList<Score> scores = RunEvaluation.Judge(_folder, _recipe, [Protocol.Knn, Protocol.Linear], Load(0, 400), Load(400, 200));
        Assert.Equal(["pixels", "pixels", "untrained", "untrained", "pretrained", "pretrained"], scores.Select(s => s.Encoder));
        Assert.All(scores, s => Assert.Equal((400, 200), (s.TrainCount, s.TestCount)));
        Assert.All(scores, s => Assert.InRange(s.Value, 0.25, 0.95)); // ten classes; the encoder has 8 numbers an image
        _folder.AddScores(scores);
        Assert.Equal(scores, _folder.ReadScores());

        _folder.AddScores(RunEvaluation.Judge(_folder, _recipe, [Protocol.Knn], Load(0, 400), Load(400, 200)));
        Assert.Equal(6, _folder.ReadScores().Count);
    }

    [Fact]
    public void Judge_WithoutBaselines_GivesTheSameScoreOfTheEncoder()
    {
        var alone = _recipe with { Evaluation = new EvaluationOptions { Baselines = false } };
        Score all = RunEvaluation.Judge(_folder, _recipe, [Protocol.Knn], Load(0, 100), Load(100, 50))[^1];
        Assert.Equal([all], RunEvaluation.Judge(_folder, alone, [Protocol.Knn], Load(0, 100), Load(100, 50)));
    }

    [Fact]
    public void Judge_Pixels_EqualsTheNaiveNeighbours()
    {
        ImageDataset train = Load(0, 100), test = Load(100, 60);
        double score = RunEvaluation.Judge(_folder, _recipe with { Evaluation = new EvaluationOptions { K = 1 } }, [Protocol.Knn], train, test)[0].Value;

        double[][] bank = Standardised(train), queries = Standardised(test);
        int right = queries.Index().Count(q =>
            train.ClassNames![train.Labels![bank.Index().MaxBy(b => Cosine(b.Item, q.Item)).Index]] == test.ClassNames![test.Labels![q.Index]]);
        Assert.Equal(right / 60.0, score, 1e-9);

        double[][] Standardised(ImageDataset data) =>
            [.. Enumerable.Range(0, data.Count).Select(i =>
            {
                float[] pixels = new float[28 * 28];
                data.Read(i, pixels);
                return pixels.Select(p => (p - train.Mean[0]) / train.Std[0]).ToArray();
            })];
        static double Cosine(double[] a, double[] b) =>
            a.Zip(b, (x, y) => x * y).Sum() / Math.Sqrt(a.Sum(x => x * x) * b.Sum(y => y * y));
    }

    [Fact]
    public void Judge_TestClassWithoutATrainingImage_Throws()
    {
        int[] labels = [.. Load(0, 100).Labels!];
        ImageDataset train = ImageDataset.Load(new SubsetSource(ImageSources.Open("fashion-mnist:sample", new DataOptions()), [.. Enumerable.Range(0, 100).Where(i => labels[i] != 9)], "nine"), new DataOptions());
        Assert.Contains("1 classes of the test images have no training image: Ankle boot. Give --train images of each class",
            Assert.Throws<DataSourceException>(() => RunEvaluation.Judge(_folder, _recipe, [Protocol.Knn], train, Load(100, 100))).Message);
    }

    [Fact]
    public void Judge_MoreShotsThanImages_SaysSoAheadOfEverythingElse()
    {
        var told = new List<string>();
        var fault = Assert.Throws<DataSourceException>(() => RunEvaluation.Judge(_folder, _recipe with { Evaluation = _recipe.Evaluation with { Shots = [5, 20] } }, [Protocol.Knn, Protocol.FewShot], Load(0, 100), Load(100, 100), new Told(told)));
        Assert.Matches(@"20 shots need 20 .* --set evaluation\.shots=\[1,2,5\]\.$", fault.Message);
        Assert.Empty(told);
    }

    private sealed class Told(List<string> said) : IProgress<string>
    {
        public void Report(string value) => said.Add(value);
    }

    [Fact]
    public void Judge_TestImagesAmongTheTrainingImages_Throws() => Assert.Contains("Give --test images that are not in --train",
        Assert.Throws<DataSourceException>(() => RunEvaluation.Judge(_folder, _recipe, [Protocol.Knn], Load(0, 100), Load(20, 30))).Message);

    [Fact]
    public void Judge_SomeTestImagesAmongTheTrainingImages_CountsThem() => Assert.All(
        RunEvaluation.Judge(_folder, _recipe, [Protocol.Knn], Load(0, 100), Load(80, 50)), s => Assert.Equal(20, s.TestInTrain));

    [Fact]
    public void Judge_Corruptions_StartsFromTheLinearProbeAndMostlyLoses()
    {
        Recipe alone = _recipe with { Evaluation = new EvaluationOptions { Baselines = false } };
        ImageDataset train = Load(0, 200), test = Load(200, 60);
        IReadOnlyList<Score> scores = RunEvaluation.Judge(_folder, alone, [Protocol.Linear, Protocol.Corruption], train, test);
        Assert.Equal(["none", .. Corruptions.Names, "mean"], scores.Skip(1).Select(s => s.Corruption!));
        Assert.Equal(scores[0].Value, scores[1].Value, 1e-12);
        Score[] each = [.. scores.Skip(2).SkipLast(1)];
        Assert.All(each, s => Assert.Equal(s.BySeverity!.Average(), s.Value, 1e-12));
        Assert.Equal(each.Average(s => s.Value), scores[^1].Value, 1e-12);
        Assert.True(scores[^1].Value < scores[1].Value - 0.02, $"{scores[^1].Value} {scores[1].Value}");

        // One of them by hand: noise of severity 3 on the test images, judged by a probe of the encoder's own representations.
        using Encoder encoder = Encoder.Load(_folder.Encoder);
        using Features x = Features.Of(encoder, train, 64), y = Features.Of(encoder, test, 64);
        using LinearProbe probe = LinearProbe.Fit(x.Values, x.Labels, x.ClassNames.Count, alone.Evaluation, alone.Training.Seed, CancellationToken.None);
        using var noisy = Corruptions.Apply(test.Batch([.. Enumerable.Range(0, 60)]), "gaussian-noise", 3, [.. Enumerable.Range(0, 60).Select(i => (long)test.SourceIndexOf(i))], 1);
        using var predicted = probe.Scores(encoder.Encode(noisy)).argmax(1);
        string[] truth = [.. test.Labels!.Select(l => test.ClassNames![l])];
        int right = predicted.data<long>().Zip(truth).Count(p => x.ClassNames[(int)p.First] == p.Second);
        Assert.Equal(right / 60.0, each[0].BySeverity![2], 1e-12);
    }

    [Fact]
    public void Report_ScoresOfTwoDataSets_HasATableEachWithItsOwnColumns()
    {
        Score Of(string protocol, int? shots, string data) => new() { Protocol = protocol, K = 20, Shots = shots, Encoder = "pretrained", DataHash = data };
        _folder.AddScores([Of("few-shot", 10, "a"), Of("few-shot", 5, "a"), Of("knn", null, "a"), Of("few-shot", 2, "b")]);
        RunReport.Write(_folder, null);
        string page = File.ReadAllText(_folder.Report);
        Assert.Contains("<th>representation</th><th>k-NN (k 20)</th><th>5-shot</th><th>10-shot</th></tr>", page);
        Assert.Contains("<th>representation</th><th>2-shot</th></tr>", page);
    }

    [Fact]
    public void Save_AndLoad_GivesTheSameRepresentations()
    {
        using Encoder once = Encoder.Load(_folder.Encoder), twice = Encoder.Load(_folder.Encoder);
        using Encoder untrained = once.Untrained(_recipe);
        using var images = Load(0, 8).Batch([0, 1, 2, 3, 4, 5, 6, 7]);
        using var a = once.Encode(images);
        using var b = twice.Encode(images);
        using var c = untrained.Encode(images);
        Assert.Equal(a.data<float>().ToArray(), b.data<float>().ToArray());
        Assert.NotEqual(a.data<float>().ToArray(), c.data<float>().ToArray());
    }
}

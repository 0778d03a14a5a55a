using System.Text.Json.Nodes;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Files;
using SiamSharp.Options;
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
        ImageSources.Open("fashion-mnist:sample", new DataOptions()), [.. Enumerable.Range(first, count)],
        $"{count} images from {first}");

    private static ImageDataset Load(int first, int count) => ImageDataset.Load(Part(first, count), new DataOptions());

    [Fact]
    public void Judge_BothProtocols_ScoresEachRepresentationAndKeepsTheScores()
    {
        IReadOnlyList<Score> scores = RunEvaluation.Evaluate(_folder, _recipe, [Protocol.Knn, Protocol.Linear],
            Load(0, 400), Load(400, 200));
        Assert.Equal(["pixels", "pixels", "untrained", "untrained", "pretrained", "pretrained"], scores.Select(s => s.Encoder));
        Assert.All(scores, s => Assert.Equal((400, 200), (s.TrainCount, s.TestCount)));
        Assert.All(scores, s => Assert.InRange(s.Value, 0.25, 0.95)); // ten classes; the encoder has 8 numbers an image
        _folder.AddScores(scores);
        Assert.Equal(scores, _folder.ReadScores());

        _folder.AddScores(RunEvaluation.Evaluate(_folder, _recipe, [Protocol.Knn], Load(0, 400), Load(400, 200)));
        Assert.Equal(6, _folder.ReadScores().Count);
    }

    [Fact]
    public void Judge_WithoutBaselines_GivesTheSameScoreOfTheEncoder()
    {
        var alone = _recipe with { Evaluation = new EvaluationOptions { Baselines = false } };
        Score all = RunEvaluation.Evaluate(_folder, _recipe, [Protocol.Knn], Load(0, 100), Load(100, 50))[^1];
        Assert.Equal([all], RunEvaluation.Evaluate(_folder, alone, [Protocol.Knn], Load(0, 100), Load(100, 50)));
    }

    [Fact]
    public void Judge_Pixels_EqualsTheNaiveNeighbours()
    {
        ImageDataset train = Load(0, 100), test = Load(100, 60);
        double score = RunEvaluation.Evaluate(_folder, _recipe with { Evaluation = new EvaluationOptions { K = 1 } },
            [Protocol.Knn], train, test)[0].Value;

        double[][] bank = Standardised(train), queries = Standardised(test);
        int right = queries.Index().Count(q =>
            train.ClassNames![train.Labels![bank.Index().MaxBy(b => Cosine(b.Item, q.Item)).Index]]
                == test.ClassNames![test.Labels![q.Index]]);
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
    public void Judge_TestClassWithoutATrainingImage_CountsAsWrong()
    {
        int[] labels = [.. Load(0, 100).Labels!];
        ImageDataset train = ImageDataset.Load(new SubsetSource(ImageSources.Open("fashion-mnist:sample", new DataOptions()),
            [.. Enumerable.Range(0, 100).Where(i => labels[i] != 9)], "nine"), new DataOptions());
        ImageDataset test = Load(100, 100);
        int boots = test.Labels!.Count(l => l == 9);
        Recipe recipe = _recipe with { Evaluation = new EvaluationOptions { Shots = [5] } };
        IReadOnlyList<Score> scores = RunEvaluation.Evaluate(_folder, recipe,
            [Protocol.Knn, Protocol.Linear, Protocol.FewShot], train, test);
        Assert.All(scores, s => Assert.Equal((100, boots), (s.TestCount, s.TestUnseen)));
        Assert.All(scores, s => Assert.InRange(s.Value, 0.1, (100 - boots) / 100.0));
        string note = Assert.Single(RunEvaluation.Notes(train, test, [Protocol.Linear], _recipe),
            n => n.Contains("count as wrong"));
        Assert.StartsWith($"{boots} test images of 1 class without a training image count as wrong: Ankle boot.",
            note, StringComparison.Ordinal);
        Assert.Contains(note, scores[0].Notes!);
    }

    [Fact]
    public void Judge_NoClassInCommon_Throws()
    {
        int[] labels = [.. Load(0, 100).Labels!];
        ImageDataset Of(Func<int, bool> label) => ImageDataset.Load(new SubsetSource(
            ImageSources.Open("fashion-mnist:sample", new DataOptions()),
            [.. Enumerable.Range(0, 100).Where(i => label(labels[i]))], "part"), new DataOptions());
        Assert.Contains("No class of the test images (Sneaker, Bag, Ankle boot) is among those of the training images",
            Assert.Throws<DataSourceException>(() =>
                RunEvaluation.Evaluate(_folder, _recipe, [Protocol.Linear], Of(l => l < 7), Of(l => l >= 7))).Message);
    }

    /// <summary>Labels 1, 3 and 5 without 0, 2 and 4, and sub-folders of which nothing can be read.</summary>
    [Theory]
    [InlineData(Protocol.Knn)]
    [InlineData(Protocol.Linear)]
    [InlineData(Protocol.FewShot)]
    [InlineData(Protocol.LinearSgd)]
    [InlineData(Protocol.FineTune)]
    [InlineData(Protocol.Corruption)]
    public void Judge_ClassesWithoutAnImage_AreLeftOutWithANote(Protocol protocol)
    {
        int[] labels = [.. Load(0, 300).Labels!];
        ImageDataset Of(int first, int count) =>
            ImageDataset.Load(new SubsetSource(ImageSources.Open("fashion-mnist:sample", new DataOptions()),
                [.. Enumerable.Range(first, count).Where(i => labels[i] is 1 or 3 or 5)], $"odd {first}"), new DataOptions());
        Recipe recipe = _recipe with
        {
            Evaluation = new EvaluationOptions
            {
                Baselines = false,
                Shots = [5],
                FineTune = new FineTuneOptions { Fractions = [1], Epochs = 1, LeastSteps = 1 }
            }
        };
        var confusions = new List<Confusion>();
        Score score = RunEvaluation.Evaluate(_folder, recipe, [protocol], Of(0, 200), Of(200, 100), confusions: confusions)[0];
        Assert.InRange(score.Value, 0.2, 1);
        Assert.Contains("7 classes have no image in odd 0, so that nothing is taken for them: "
            + "T-shirt/top, Pullover, Coat, Shirt, Sneaker and 2 more.", score.Notes!);
        Assert.All(confusions, c => Assert.Equal(["Trouser", "Dress", "Sandal"], c.ClassNames));
    }

    /// <summary>What can be known without decoding is told before it, all of it.</summary>
    [Fact]
    public void Check_ManyFaults_ListsThemWithoutDecoding()
    {
        var unread = new Undecodable(ImageSources.Open("fashion-mnist:sample#..30", new DataOptions()));
        Recipe recipe = _recipe with
        {
            Evaluation = new EvaluationOptions { K = 40, Shots = [20] },
            Data = _recipe.Data with { Channels = 3 }
        };
        string message = Assert.Throws<DataSourceException>(() => RunEvaluation.Check(new RunFolder(Path.Combine(_root, "none")),
            recipe, [Protocol.Knn, Protocol.FewShot], unread, unread)).Message;
        foreach (string part in new[] { "give the folder", "Every test image", "evaluation.k = 40 neighbours, "
            + "but there are only 30 labelled training images: give fewer, such as --set evaluation.k=1.", "20 shots need 20" })
            Assert.Contains(part, message);
        string channels = Assert.Throws<DataSourceException>(() => RunEvaluation.Check(_folder,
            _recipe with { Data = _recipe.Data with { Channels = 3 } }, [Protocol.RankMe], unread,
            new Undecodable(ImageSources.Open("fashion-mnist:sample#30..60", new DataOptions())))).Message;
        Assert.Contains("The encoder was trained on images of 1 channel, but", channels);
        RunEvaluation.Check(_folder, _recipe, [Protocol.RankMe], unread,
            new Undecodable(ImageSources.Open("fashion-mnist:sample#30..60", new DataOptions())));
    }

    private sealed class Undecodable(IImageSource source) : IImageSource
    {
        public string Name => source.Name;
        public int Count => source.Count;
        public int NativeSize => source.NativeSize;
        public IReadOnlyList<string>? ClassNames => source.ClassNames;
        public string PathOf(int index) => source.PathOf(index);
        public int LabelOf(int index) => source.LabelOf(index);
        public Pixels Decode(int index, int size) => throw new InvalidOperationException("decoded");
        public ImageInfo InfoOf(int index) => source.InfoOf(index);
    }

    [Fact]
    public void Judge_RunFromAFileOfWeights_CallsItsRowTheStartAndFindsTheFileAgain()
    {
        string weights = Path.Combine(_root, "first.safetensors"), moved = Path.Combine(_root, "moved", "first.safetensors");
        File.Copy(_folder.EncoderPath, weights);
        var folder = new RunFolder(Path.Combine(_root, "from"));
        Recipe recipe = _recipe with
        {
            Backbone = _recipe.Backbone with { Weights = Path.GetRelativePath(Environment.CurrentDirectory, weights) }
        };
        Pretraining.Run(recipe, Load(0, 32), folder);
        IReadOnlyList<Score> Judge(Recipe r) =>
            RunEvaluation.Evaluate(folder, r, [Protocol.Linear], Load(0, 200), Load(200, 100));
        Recipe As(string file) => recipe with { Backbone = recipe.Backbone with { Weights = file } };

        Score[] scores = [.. Judge(recipe)];
        Assert.Equal(["pixels", "start", "pretrained"], scores.Select(s => s.Encoder));
        Assert.Equal((recipe.Backbone.Weights, "start (first.safetensors)"), (scores[1].Start, scores[1].Representation));
        // The start is the encoder of the first run, in all digits.
        Assert.Equal(
            RunEvaluation.Evaluate(_folder, _recipe, [Protocol.Linear], Load(0, 200), Load(200, 100))[2].Value, scores[1].Value);

        // From another place the relative path leads nowhere: the whole one is kept.
        Assert.Equal(scores, Judge(As("elsewhere/first.safetensors"))
            .Select(s => s.Encoder == "start" ? s with { Start = recipe.Backbone.Weights } : s));
        Directory.CreateDirectory(Path.GetDirectoryName(moved)!);
        File.Move(weights, moved);
        Assert.Contains("--set backbone.weights=FILE", Assert.Throws<RunException>(() => Judge(recipe)).Message);
        Assert.Equal(scores[1].Value, Judge(As(moved))[1].Value);

        // Another file of that name is not taken for it, and none is needed where the row is not asked for.
        File.Copy(folder.EncoderPath, weights);
        Assert.Contains("other weights than those in", Assert.Throws<RunException>(() => Judge(recipe)).Message);
        Assert.Equal(scores[2].Value,
            Assert.Single(Judge(recipe with { Evaluation = recipe.Evaluation with { Baselines = false } })).Value);
        RunReport.Write(folder, Load(0, 32));
    }

    [Fact]
    public void ReadScores_DamagedFile_NamesItAndTheFix()
    {
        foreach (string text in new[] { "", "[", "{}", "[1]", "[null]", """[{"protocol":null}]""" })
        {
            File.WriteAllText(_folder.EvaluationPath, text);
            Assert.Contains("evaluation.json was changed or damaged since it was written, or is no list of scores",
                Assert.Throws<RunException>(() => _folder.ReadScores()).Message);
        }
    }

    [Fact]
    public void ReadScores_NumberChanged_IsTold()
    {
        _folder.AddScores([new Score
        {
            Protocol = "linear",
            Encoder = "pixels",
            Value = 0.5,
            TestCount = 50,
            TrainCount = 100,
            DataHash = "a"
        }]);
        string whole = File.ReadAllText(_folder.EvaluationPath);
        File.WriteAllText(_folder.EvaluationPath, whole.Replace("0.5", "0.7"));
        Assert.Contains("was changed or damaged", Assert.Throws<RunException>(() => _folder.ReadScores()).Message);

        // A file of the version before carries no hash.
        JsonArray scores = JsonNode.Parse(whole)!.AsArray();
        Assert.True(scores[0]!.AsObject().Remove("xxhash128"));
        File.WriteAllText(_folder.EvaluationPath, scores.ToJsonString());
        Assert.Equal(0.5, Assert.Single(_folder.ReadScores()).Value);
    }

    [Fact]
    public void AddScores_DamagedFile_IsKeptAndTheScoresAreWritten()
    {
        File.WriteAllText(_folder.EvaluationPath, "[1");
        _folder.AddScores([new Score
        {
            Protocol = "linear",
            Encoder = "pixels",
            Value = 0.5,
            TestCount = 50,
            TrainCount = 100,
            DataHash = "a"
        }]);
        Assert.Equal(0.5, Assert.Single(_folder.ReadScores()).Value);
        Assert.Equal("[1", File.ReadAllText(_folder.DamagedEvaluationPath));
    }

    [Fact]
    public void Report_BaselineAhead_IsNeitherHealthyNorInBoldForOurs()
    {
        Score Of(string encoder, double value) => new()
        {
            Protocol = "linear",
            Encoder = encoder,
            Value = value,
            TestCount = 50,
            TrainCount = 100,
            DataHash = "a",
            Test = "<b>\u001b[31m",
            Notes = ["3 of <4> files"]
        };
        _folder.AddScores([Of("pixels", 0.8), Of("pretrained", 0.6)]);
        File.WriteAllText(Path.Combine(_folder.Path, "confusion-knn.csv"), "class,<i>,accuracy\n<i>,x,1\n");
        File.AppendAllText(_folder.MetricsPath, "{\"step\":");
        SkippedFile.Write(_folder.SkippedPath, [new SkippedFile("<u>.png", "is empty")]);
        RunReport.Write(_folder, null);
        string page = File.ReadAllText(_folder.ReportPath);
        Assert.Contains("<b>0.8000", page);
        Assert.DoesNotContain("<b>0.6000", page);
        Assert.Contains("0.670 to 0.888", page);                 // Wilson's interval of 0.8 with 50 images
        Assert.Contains("<p class=\"bad\">Not better than the pixels yet", page);
        Assert.DoesNotContain("class=\"good\"", page);
        Assert.Contains("3 of &lt;4&gt; files", page);
        Assert.Contains("&lt;b&gt;\\u001b[31m", page);
        Assert.Contains("&lt;u&gt;.png: is empty", page);
        Assert.Contains("confusion-knn.csv is damaged", page);
        Assert.DoesNotContain("<i>", page);
    }

    [Fact]
    public void Judge_MoreShotsThanImages_SaysSoAheadOfEverythingElse()
    {
        var told = new List<EvaluationProgress>();
        var fault = Assert.Throws<DataSourceException>(() =>
            RunEvaluation.Evaluate(_folder, _recipe with { Evaluation = _recipe.Evaluation with { Shots = [5, 20] } },
                [Protocol.Knn, Protocol.FewShot], Load(0, 100), Load(100, 100), new Told(told)));
        Assert.Matches(@"20 shots need 20 .* --set evaluation\.shots=\[1,2,5\]\.$", fault.Message);
        Assert.Empty(told);
    }

    private sealed class Told(List<EvaluationProgress> said) : IProgress<EvaluationProgress>
    {
        public void Report(EvaluationProgress value) => said.Add(value);
    }

    [Fact]
    public void Judge_Progress_EndsEachPassOverTheImages()
    {
        var told = new List<EvaluationProgress>();
        RunEvaluation.Evaluate(_folder, _recipe, [Protocol.Knn], Load(0, 300), Load(300, 50), new Told(told));
        foreach (string what in new[] { "pixels", "untrained encoder", "pretrained encoder" })
        {
            Assert.Equal([256 / 300.0, 1], told.Where(t => t.What == $"{what}: training images").Select(t => t.Share));
            Assert.Contains(new EvaluationProgress($"{what}: knn", 0), told);
        }
    }

    [Fact]
    public void Judge_TestImagesAmongTheTrainingImages_Throws() => Assert.Contains("Give --test images that are not in --train",
        Assert.Throws<DataSourceException>(() =>
            RunEvaluation.Evaluate(_folder, _recipe, [Protocol.Knn], Load(0, 100), Load(20, 30))).Message);

    [Fact]
    public void Judge_SomeTestImagesAmongTheTrainingImages_CountsThem() => Assert.All(
        RunEvaluation.Evaluate(_folder, _recipe, [Protocol.Knn], Load(0, 100), Load(80, 50)),
        s => Assert.Equal(20, s.TestInTrain));

    [Fact]
    public void Judge_Corruptions_StartsFromTheLinearProbeAndMostlyLoses()
    {
        Recipe alone = _recipe with { Evaluation = new EvaluationOptions { Baselines = false } };
        ImageDataset train = Load(0, 200), test = Load(200, 60);
        IReadOnlyList<Score> scores = RunEvaluation.Evaluate(_folder, alone, [Protocol.Linear, Protocol.Corruption], train, test);
        Assert.Equal(["none", .. Corruptions.Names, "mean"], scores.Skip(1).Select(s => s.Corruption!));
        Assert.Equal(scores[0].Value, scores[1].Value, 1e-12);
        Score[] each = [.. scores.Skip(2).SkipLast(1)];
        Assert.All(each, s => Assert.Equal(s.BySeverity!.Average(), s.Value, 1e-12));
        Assert.Equal(each.Average(s => s.Value), scores[^1].Value, 1e-12);
        Assert.True(scores[^1].Value < scores[1].Value - 0.02, $"{scores[^1].Value} {scores[1].Value}");

        // One of them by hand: noise of severity 3 on the test images, judged by a probe of the encoder's own representations.
        using Encoder encoder = Encoder.Load(_folder.EncoderPath);
        using Features x = Features.Of(encoder, train, 64), y = Features.Of(encoder, test, 64);
        using LinearProbe probe = LinearProbe.Fit(x.Values, x.Labels, x.ClassNames.Count, alone.Evaluation,
            alone.Training.Seed, CancellationToken.None);
        using var noisy = Corruptions.Apply(test.Batch([.. Enumerable.Range(0, 60)]), "gaussian-noise", 3,
            [.. Enumerable.Range(0, 60).Select(i => (long)test.SourceIndexOf(i))], 1);
        using var predicted = probe.Scores(encoder.Encode(noisy)).argmax(1);
        string[] truth = [.. test.Labels!.Select(l => test.ClassNames![l])];
        int right = predicted.data<long>().Zip(truth).Count(p => x.ClassNames[(int)p.First] == p.Second);
        Assert.Equal(right / 60.0, each[0].BySeverity![2], 1e-12);
    }

    [Fact]
    public void Report_ScoresOfTwoDataSets_HasATableEachWithItsOwnColumns()
    {
        Score Of(string protocol, int? shots, string data) =>
            new() { Protocol = protocol, K = 20, Shots = shots, Encoder = "pretrained", DataHash = data };
        _folder.AddScores([Of("few-shot", 10, "a"), Of("few-shot", 5, "a"), Of("knn", null, "a"), Of("few-shot", 2, "b")]);
        RunReport.Write(_folder, null);
        string page = File.ReadAllText(_folder.ReportPath);
        Assert.Contains("<th>representation</th><th>k-NN (k 20)</th><th>5-shot</th><th>10-shot</th></tr>", page);
        Assert.Contains("<th>representation</th><th>2-shot</th></tr>", page);
    }

    [Fact]
    public void Save_AndLoad_GivesTheSameRepresentations()
    {
        using Encoder once = Encoder.Load(_folder.EncoderPath), twice = Encoder.Load(_folder.EncoderPath);
        using Encoder untrained = once.Untrained(_recipe.Backbone, (ulong)_recipe.Training.Seed);
        using var images = Load(0, 8).Batch([0, 1, 2, 3, 4, 5, 6, 7]);
        using var a = once.Encode(images);
        using var b = twice.Encode(images);
        using var c = untrained.Encode(images);
        Assert.Equal(a.data<float>().ToArray(), b.data<float>().ToArray());
        Assert.NotEqual(a.data<float>().ToArray(), c.data<float>().ToArray());
    }
}

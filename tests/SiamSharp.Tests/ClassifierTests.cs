using Microsoft.ML.OnnxRuntime;
using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Tests.Data;
using SiamSharp.Tests.Reference;
using SiamSharp.Views;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests;

public sealed class ClassifierTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("classifier").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static Encoder NewEncoder() =>
        new(new BackboneOptions { Width = 8, Depths = [1, 1] },
            new Preprocessing(new HighPassOptions { Sigma = 0 }, [0.3], [0.35]), 1, 28);

    private static ImageDataset Images(int first, int count) =>
        ImageDataset.Load(new SubsetSource(ImageSources.Open("fashion-mnist:sample", new DataOptions()),
            [.. Enumerable.Range(first, count)], "images"), new DataOptions());

    [Fact]
    public void Fit_RealImages_IsBetterThanChanceAndHonestAboutIt()
    {
        using var scope = NewDisposeScope();
        var (classifier, report) = Classifier.Fit(NewEncoder(), Images(0, 300), new DataOptions(), minAccuracy: 0.9);
        using Classifier _ = classifier;
        Assert.Equal((300, 5), (report.Count, report.Folds));
        Assert.InRange(report.CalibrationError!.Value, 0, 0.15);
        Assert.InRange(report.AcceptedAccuracy!.Value, 0.9, 1);

        // What it says of itself holds for images that it never saw.
        ImageDataset others = Images(1000, 1000);
        using Tensor probabilities = classifier.Predict(others.Batch([.. Enumerable.Range(0, 1000)]));
        Near.Equal(ones(1000), probabilities.sum(1), 1e-5);
        var (values, best) = probabilities.max(1);
        Tensor truth = tensor(others.Labels!.Select(l => (long)l).ToArray());
        double accuracy = best.eq(truth).to(ScalarType.Float32).mean().item<float>();
        Assert.Equal(report.Accuracy!.Value, accuracy, 0.08);
        Tensor accepted = values.ge(classifier.Threshold);
        Assert.Equal(report.AcceptedShare, accepted.to(ScalarType.Float32).mean().item<float>(), 0.1);
        Assert.InRange(best.eq(truth)[accepted].to(ScalarType.Float32).mean().item<float>(), 0.82, 1);
    }

    [Theory]
    [InlineData(0.317, 0.0167, new[] { "is not clearly better than naming always the largest class, which gives 0.333",
        "rests on 1 of 60 held-out images only" })]
    [InlineData(0.95, 0, new[] { "all answers will be rejected" })]
    [InlineData(0.95, 0.05, new[] { "rests on 3 of 60" })]
    [InlineData(0.95, 0.9, new string[0])]
    public void Notes_OfAReport_SayWhatIsNotToBeTrusted(double accuracy, double accepted, string[] words)
    {
        string[] notes =
            [.. new ClassifierReport(60, 5, 0.1, accuracy, 0.05, 0.1, accepted, 1) { LargestClass = 1 / 3.0 }.Notes(0.95)];
        Assert.Equal(words.Length, notes.Length);
        Assert.All(words.Zip(notes), pair => Assert.Contains(pair.First, pair.Second));
    }

    [Fact]
    public void Predict_Source_AnswersAsForTheBatchAndIsWritten()
    {
        using var scope = NewDisposeScope();
        using Classifier classifier = Classifier.Fit(NewEncoder(), Images(0, 200), new DataOptions()).Classifier;
        // two batches
        var source = new SubsetSource(ImageSources.Open("fashion-mnist:sample", new DataOptions()),
            [.. Enumerable.Range(300, 70)], "images");
        Predictions predictions = classifier.Predict(source);
        Tensor expected = classifier.Predict(ImageDataset.Load(source, new DataOptions()).Batch([.. Enumerable.Range(0, 70)]));
        Assert.Empty(predictions.Skipped);
        Assert.Equal(Enumerable.Range(0, 70).Select(source.PathOf), predictions.Answers.Select(a => a.Path));
        Near.Equal(expected,
            tensor(predictions.Answers.SelectMany(a => classifier.ClassNames.Select(c => a.Probabilities[c])).ToArray(),
                [70, 10]), 1e-4);
        Assert.Equal(expected.argmax(1).data<long>().Select(k => classifier.ClassNames[(int)k]),
            predictions.Answers.Select(a => a.Class));
        Assert.All(predictions.Answers, a =>
            Assert.Equal((a.Probabilities.Values.Max(), a.Probability >= classifier.Threshold), (a.Probability, a.Accepted)));

        string csv = Path.Combine(_folder, "a.csv"), json = Path.Combine(_folder, "a.json");
        predictions.Write(csv);
        string[] lines = File.ReadAllLines(csv);
        Assert.Equal(
            (71, $"path,class,accepted,probability,{string.Join(',', classifier.ClassNames)}"), (lines.Length, lines[0]));
        Prediction first = predictions.Answers[0];
        Assert.StartsWith(FormattableString.Invariant(
            $"{first.Path},{first.Class},{(first.Accepted ? "true" : "false")},{first.Probability:F6},"), lines[1]);
        predictions.Write(json);
        Assert.Equal(first.Probability,
            System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(json))![0]!["probability"]!.GetValue<float>());
        Assert.Contains("must end in .csv or .json",
            Assert.Throws<ArgumentException>(() => predictions.Write(Path.Combine(_folder, "a.txt"))).Message);
    }

    [Fact]
    public void Load_WhatSaveWrote_AnswersTheSameAndSoDoesOnnx()
    {
        using var scope = NewDisposeScope();
        using Classifier classifier = Classifier.Fit(NewEncoder(), Images(0, 200),
            new DataOptions { Alpha = AlphaBackground.White }).Classifier;
        string path = Path.Combine(_folder, "classifier.safetensors"), onnx = Path.Combine(_folder, "classifier.onnx");
        classifier.Save(path);
        using Classifier loaded = Classifier.Load(path);
        using Tensor images = Images(500, 7).Batch([.. Enumerable.Range(0, 7)]), expected = classifier.Predict(images);
        Near.Same(expected, loaded.Predict(images));
        Assert.Equal(classifier.ClassNames, loaded.ClassNames);
        Assert.Equal(new DataOptions { Alpha = AlphaBackground.White, Size = 28, Channels = 1 }, loaded.Data);
        Assert.Equal((classifier.Temperature, classifier.Threshold), (loaded.Temperature, loaded.Threshold));

        Assert.InRange(loaded.ExportOnnx(onnx), 0, 1e-4);
        using var session = new InferenceSession(onnx);
        Assert.Contains("Ankle boot", session.ModelMetadata.CustomMetadataMap["classes"], StringComparison.Ordinal);
        using var input = OrtValue.CreateTensorValueFromMemory((images * 255).data<float>().ToArray(), images.shape);
        using var run = new RunOptions();
        using var results = session.Run(run, ["pixels"], [input], ["probabilities"]);
        Near.Equal(
            expected, tensor(results[0].GetTensorDataAsSpan<float>().ToArray(), results[0].GetTensorTypeAndShape().Shape), 1e-4);
    }

    [Theory]
    [InlineData("channels", "-1", "\"channels\" in its metadata: is -1")]
    [InlineData("channels", "257", "\"channels\" in its metadata: is 257, but must be a whole number from 1 to 256")]
    [InlineData("size", null, "\"size\" is missing in its metadata")]
    [InlineData("size", "99999999999", "\"size\" in its metadata: ")]
    [InlineData("backbone", "[1]", "must be one JSON object")]
    [InlineData("backbone", "{", "\"backbone\" in its metadata: ")]
    [InlineData("backbone", """{ "name": "resnet999" }""", "\"resnet999\" is not one of")]
    [InlineData("backbone", """{ "name": "vit_ti", "width": 1 }""", "width: 1 is no multiple of 3, the heads of vit_ti")]
    [InlineData("backbone", """{ "name": "resnet152", "width": 4096 }""", "its metadata describes a network of ")]
    [InlineData("preprocessing", """{ "sigma": 1 }""", "\"preprocessing\" in its metadata: ")]
    [InlineData("data", """{ "size": 5000 }""", "\"data\" in its metadata: ")]
    [InlineData("classes", "[null]", "\"classes\" in its metadata: must be a list of names")]
    [InlineData("classes", """["one", "two"]""", "head.weight is Float32")]
    [InlineData("classes", """["one", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]""",
        "9 names for 10 classes")]
    [InlineData("classes", """["one", "", "two", "three", "four", "five", "six", "seven", "eight", "nine"]""",
        "9 names for 10 classes")]
    [InlineData("classes", "[]", "0 names for 0 classes")]
    [InlineData("threshold", "-0.1", "\"threshold\" in its metadata: is -0.1")]
    [InlineData("temperature", "0", "\"temperature\" in its metadata: is 0")]
    [InlineData("temperature", "NaN", "\"temperature\" in its metadata: is NaN")]
    [InlineData("threshold", "high", "\"threshold\" in its metadata: ")]
    [InlineData("threshold", "7", "\"threshold\" in its metadata: is 7, but must be a number from 0 to 1")]
    [InlineData("temperature", "0", "\"temperature\" in its metadata: is 0, but must be a number from ")]
    [InlineData("size", "28.5", "\"size\" in its metadata: is 28.5, but must be a whole number from 1 to 1024")]
    [InlineData("preprocessing", """{ "highPass": { "sigma": 2, "kernel": 13 }, "mean": [], "std": [0.2] }""",
        "\"preprocessing\" in its metadata")]
    [InlineData("preprocessing", """{ "highPass": { "sigma": 0 }, "mean": [0.5], "std": [0] }""",
        "\"preprocessing\" in its metadata")]
    [InlineData("preprocessing", """{ "mean": [0.5], "std": [1], "\ud800": 1 }""", "\"preprocessing\" in its metadata")]
    public void Load_MetadataThatSayNothingSound_NamesFileAndFault(string key, string? value, string problem)
    {
        using var scope = NewDisposeScope();
        string path = Path.Combine(_folder, "classifier.safetensors"), damaged = Path.Combine(_folder, "damaged.safetensors");
        using (Classifier classifier = Classifier.Fit(NewEncoder(), Images(0, 200), new DataOptions()).Classifier)
            classifier.Save(path);
        using (SafeTensorsFile file = SafeTensors.Read(path))
        {
            var metadata = file.Metadata.Where(m => m.Key != key).ToDictionary();
            if (value is not null) metadata[key] = value;
            SafeTensors.Write(damaged, file.Tensors.ToDictionary(), metadata);
        }
        string message = Assert.Throws<RunException>(() => Classifier.Load(damaged)).Message;
        Assert.StartsWith($"{damaged} is damaged: ", message, StringComparison.Ordinal);
        Assert.Contains(problem, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Fit_OneImageOfAClass_IsNotCalibrated()
    {
        using var scope = NewDisposeScope();
        ImageDataset all = Images(0, 200);
        int[] one =
            [.. Enumerable.Range(0, all.ClassNames!.Count).Select(k => Enumerable.Range(0, 200).First(i => all.Labels![i] == k))];
        var source = new SubsetSource(ImageSources.Open("fashion-mnist:sample", new DataOptions()), one, "one of each");
        var (classifier, report) = Classifier.Fit(NewEncoder(), ImageDataset.Load(source, new DataOptions()), new DataOptions());
        using Classifier _ = classifier;
        Assert.Equal((0, 1.0, 0.0), (report.Folds, classifier.Temperature, classifier.Threshold));
        Assert.Null(report.Accuracy);
        Assert.DoesNotContain("NaN", System.Text.Json.JsonSerializer.Serialize(report));
    }

    [Fact]
    public void Fit_ClassWithoutImages_IsLeftOut()
    {
        using var scope = NewDisposeScope();
        int[] labels = Images(0, 300).Labels!.ToArray();
        var source = new SubsetSource(ImageSources.Open("fashion-mnist:sample", new DataOptions()),
            [.. Enumerable.Range(0, 300).Where(i => labels[i] is not (0 or 5))], "eight classes");
        ImageDataset images = ImageDataset.Load(source, new DataOptions());
        Assert.Equal(10, images.ClassNames!.Count);
        var (classifier, report) = Classifier.Fit(NewEncoder(), images, new DataOptions());
        using Classifier _ = classifier;
        Assert.Equal(images.ClassNames.Where((name, k) => k is not (0 or 5)), classifier.ClassNames);
        Assert.Equal(5, report.Folds);
        using Tensor best = classifier.Predict(images.Batch([.. Enumerable.Range(0, images.Count)])).argmax(1);
        Assert.InRange(best.data<long>().ToArray().Index()
            .Average(b => classifier.ClassNames[(int)b.Item] == images.ClassNames[images.Labels![b.Index]] ? 1.0 : 0), 0.6, 1);
    }

    [Fact]
    public void Predict_BatchWithoutAReadableImage_GivesTheOthers()
    {
        using var scope = NewDisposeScope();
        using Classifier classifier = Classifier.Fit(NewEncoder(), Images(0, 100), new DataOptions()).Classifier;
        Pixels Decode(int i) => i < 64 ? new(Enumerable.Repeat((byte)i, 784).ToArray(), 1, 28, 28)
            : throw new UnreadableImageException($"fake/{i}", "is broken");
        Predictions predictions = classifier.Predict(new FakeSource(66, Decode));
        Assert.Equal((64, 2), (predictions.Answers.Count, predictions.Skipped.Count));
        Assert.Contains("The one image of",
            Assert.Throws<DataSourceException>(() => classifier.Predict(new FakeSource(1, _ => Decode(64)))).Message);
    }

    [Fact]
    public void FitAndPredict_RepresentationNotFinite_NamesTheImage()
    {
        using var scope = NewDisposeScope();
        static Pixels Decode(int i) => new(Enumerable.Repeat(i == 3 ? 1e38f : i, 784).ToArray(), 1, 28, 28);
        var source = new FakeSource(8, Decode) { ClassNames = ["a", "b"], Label = i => i % 2 };
        Assert.Contains("fake/3 has a representation that is not finite", Assert.Throws<DataSourceException>(() =>
            Classifier.Fit(NewEncoder(), ImageDataset.Load(source, new DataOptions { Size = 28 }), new DataOptions())).Message);
        using Classifier classifier = Classifier.Fit(NewEncoder(), Images(0, 100), new DataOptions()).Classifier;
        Predictions predictions = classifier.Predict(source);
        Assert.Equal("fake/3", predictions.Skipped.Single().Path);
        Assert.Equal(7, predictions.Answers.Count);
    }

    [Fact]
    public void LoadAndSave_WrongFilesOrNetworks_SayWhatIsWrong()
    {
        using var scope = NewDisposeScope();
        Assert.Contains(
            "siam classify fit", Assert.Throws<RunException>(() => Classifier.Load(Path.Combine(_folder, "absent"))).Message,
            StringComparison.Ordinal);
        using var own = new Encoder(nn.Sequential(nn.Flatten(), nn.Linear(784, 4)),
            new Preprocessing(new HighPassOptions { Sigma = 0 }, [0.3], [0.35]), 1, 28);
        using Classifier classifier = Classifier.Fit(own, Images(0, 100), new DataOptions()).Classifier;
        Assert.Contains("network of your own",
            Assert.Throws<NotSupportedException>(() => classifier.Save(Path.Combine(_folder, "x"))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Load_HeadThatIsNotFinite_IsRefused()
    {
        using var scope = NewDisposeScope();
        string path = Path.Combine(_folder, "classifier.safetensors"), damaged = Path.Combine(_folder, "damaged.safetensors");
        using (Classifier classifier = Classifier.Fit(NewEncoder(), Images(0, 100), new DataOptions()).Classifier)
            classifier.Save(path);
        using (SafeTensorsFile file = SafeTensors.Read(path))
        {
            using Tensor mean = full_like(file.Tensors["head.mean"], float.NaN);
            SafeTensors.Write(damaged, new Dictionary<string, Tensor>(file.Tensors) { ["head.mean"] = mean }, file.Metadata);
        }
        Assert.Contains("head.mean holds a number that is not finite",
            Assert.Throws<RunException>(() => Classifier.Load(damaged)).Message);
    }

    [Fact]
    public void Load_EncoderInsteadOfClassifier_SaysWhatToDo()
    {
        using var scope = NewDisposeScope();
        string path = Path.Combine(_folder, "encoder.safetensors");
        using Backbone network = new BackboneOptions { Width = 8, Depths = [1, 1] }.Create(1, 28, seed: 1);
        Encoder.Save(path, network, new BackboneOptions { Width = 8, Depths = [1, 1] },
            new Preprocessing(new HighPassOptions { Sigma = 0 }, [0.3], [0.35]), 1, 28);
        string message = Assert.Throws<RunException>(() => Classifier.Load(path)).Message;
        Assert.Contains("says format=siamsharp-encoder-1", message);
        Assert.Contains("siam classify fit", message);
    }

    [Fact]
    public void AfterDispose_EveryCall_IsRefused()
    {
        using var scope = NewDisposeScope();
        Classifier classifier = Classifier.Fit(NewEncoder(), Images(0, 100), new DataOptions()).Classifier;
        classifier.Dispose();
        Assert.Throws<ObjectDisposedException>(() => classifier.Predict(zeros(1, 1, 28, 28)));
        Assert.Throws<ObjectDisposedException>(() => classifier.PredictFrom(zeros(1, 16)));
        Assert.Throws<ObjectDisposedException>(() => classifier.Predict(new FakeSource(1, _ => new(new byte[784], 1, 28, 28))));
        Assert.Throws<ObjectDisposedException>(() => classifier.Save(Path.Combine(_folder, "x.safetensors")));
    }

    [Fact]
    public void Write_NamesThatASpreadsheetTakesForFormulas_AreNeutralised()
    {
        var all = new Dictionary<string, float> { ["=cmd"] = 0.75f, ["b"] = 0.25f };
        string file = Path.Combine(_folder, "a.csv");
        new Predictions([new("-x.png", "=cmd", true, 0.75f, all), new("+\"1,2\".png", "b", false, 0.75f, all)], []).Write(file);
        Assert.Equal(["path,class,accepted,probability,'=cmd,b", "'-x.png,'=cmd,true,0.750000,0.750000,0.250000",
            "\"'+\"\"1,2\"\".png\",b,false,0.750000,0.750000,0.250000"], File.ReadAllLines(file));
    }
}

using System.Diagnostics;
using System.Text.Json.Nodes;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Training;
using Xunit;

namespace SiamSharp.Tests.Training;

/// <summary>Whatever is damaged, missing, gone or interrupted: a run goes on to the same bits, or says why it cannot.</summary>
public sealed class RecoveryTests : IDisposable
{
    private const int Images = 96;

    private readonly string _folder = Directory.CreateTempSubdirectory("recovery").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Images of Fashion-MNIST of which some can vanish.</summary>
    private sealed class VanishingSource(params int[] left) : IImageSource
    {
        private readonly IImageSource _source = ImageSources.Open("fashion-mnist:sample", new DataOptions());

        public HashSet<int> Gone { get; } = [];
        public string Name => "vanishing";
        public int Count => left.Length;
        public int NativeSize => 28;
        public IReadOnlyList<string>? ClassNames => _source.ClassNames;
        public string PathOf(int index) => _source.PathOf(left[index]);
        public int LabelOf(int index) => _source.LabelOf(left[index]);
        public ImageInfo InfoOf(int index) => _source.InfoOf(left[index]);
        public Pixels Decode(int index, int size) =>
            Gone.Contains(left[index]) ? throw new UnreadableImageException(PathOf(index), "does not exist")
                : _source.Decode(left[index], size);
    }

    private static int[] All(int count = Images) => [.. Enumerable.Range(0, count)];

    private static ImageDataset Load(IImageSource source, bool lazily = false) =>
        ImageDataset.Load(source, new DataOptions { MemoryGiB = lazily ? 0 : 4, Threads = 1 });

    private static readonly Lazy<ImageDataset> s_images = new(() => Load(new VanishingSource(All())));

    private static Recipe Tiny(params string[] assignments) => Recipe.Resolve(
        [OptionsJson.Parse("""
            { "backbone": { "width": 4, "depths": [1, 1] },
              "training": { "epochs": 2, "batchSize": 32, "threads": 1, "logSteps": 1, "checkpointSteps": 1 } }
            """, "tiny")], assignments, _ => new VanishingSource(All()));

    private RunFolder Folder(string name) => new(Path.Combine(_folder, name));

    private sealed class Notes : List<string>, IProgress<string>
    {
        public void Report(string value) => Add(value);
    }

    private sealed class StopAfter(long step, CancellationTokenSource source) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Step >= step) source.Cancel();
        }
    }

    private static PretrainingResult RunUntil(
        long step, RunFolder folder, bool resume = false, ImageDataset? data = null,
        IProgress<string>? notes = null, params string[] set)
    {
        using var source = new CancellationTokenSource();
        return Pretraining.Run(Tiny(set), data ?? s_images.Value, folder, resume, new StopAfter(step, source), notes: notes,
            cancellationToken: source.Token);
    }

    private static PretrainingResult Resume(
        RunFolder folder, Notes? notes = null, ImageDataset? data = null, params string[] set) =>
        Pretraining.Run(Tiny(set), data ?? s_images.Value, folder, resume: true, notes: notes);

    private RunFolder Whole(params string[] set)
    {
        RunFolder whole = Folder("whole");
        Assert.True(Pretraining.Run(Tiny(set), s_images.Value, whole).Finished);
        return whole;
    }

    private static void AssertSame(RunFolder expected, RunFolder actual)
    {
        Assert.Equal(File.ReadAllText(expected.MetricsPath), File.ReadAllText(actual.MetricsPath));
        Assert.Equal(File.ReadAllBytes(expected.EncoderPath), File.ReadAllBytes(actual.EncoderPath));
        Assert.Equal(File.ReadAllBytes(expected.CheckpointPath), File.ReadAllBytes(actual.CheckpointPath));
        Assert.Equal(File.ReadAllText(expected.RecipePath), File.ReadAllText(actual.RecipePath));
    }

    private static void FlipBit(string path, long at)
    {
        byte[] bytes = File.ReadAllBytes(path);
        bytes[at < 0 ? bytes.Length + at : at] ^= 4;
        File.WriteAllBytes(path, bytes);
    }

    [Theory]
    [InlineData("a tensor")]
    [InlineData("the header")]
    [InlineData("cut")]
    [InlineData("empty")]
    [InlineData("gone")]
    public void Resume_LastCheckpointDamaged_GoesOnFromTheOneBefore(string damage)
    {
        RunFolder whole = Whole(), parts = Folder("parts");
        RunUntil(4, parts);
        byte[] bytes = File.ReadAllBytes(parts.CheckpointPath);
        switch (damage)
        {
            case "a tensor": FlipBit(parts.CheckpointPath, -5); break;
            case "the header": FlipBit(parts.CheckpointPath, 100); break;
            case "cut": File.WriteAllBytes(parts.CheckpointPath, bytes[..^100]); break;
            case "empty": File.WriteAllBytes(parts.CheckpointPath, []); break;
            default: File.Delete(parts.CheckpointPath); break;
        }
        var notes = new Notes();
        Assert.True(Resume(parts, notes).Finished);
        string note = Assert.Single(notes);
        Assert.StartsWith(parts.CheckpointPath, note);
        Assert.EndsWith("The run goes on from the checkpoint before it, at step 3.", note);
        AssertSame(whole, parts);
    }

    [Fact]
    public void Resume_KilledAfterTakingTheCheckpointBefore_StillHasIt()
    {
        RunFolder whole = Whole(), parts = Folder("parts");
        RunUntil(4, parts);
        FlipBit(parts.CheckpointPath, -5);
        RunUntil(0, parts, resume: true); // saves, then ends
        Assert.NotNull(SavedRun.Find(parts));
        FlipBit(parts.CheckpointPath, -5);
        Assert.Equal(3, SavedRun.Find(parts)!.Step); // the damaged one has not taken its place
        Assert.True(Resume(parts).Finished);
        AssertSame(whole, parts);
    }

    [Fact]
    public void Resume_BothCheckpointsDamaged_SaysSoAndChangesNothing()
    {
        RunFolder parts = Folder("parts");
        RunUntil(4, parts);
        FlipBit(parts.CheckpointPath, -5);
        FlipBit(parts.PreviousCheckpointPath, -5);
        byte[] last = File.ReadAllBytes(parts.CheckpointPath);
        string message = Assert.Throws<RunException>(() => Resume(parts)).Message;
        Assert.Contains(parts.CheckpointPath, message);
        Assert.Contains(parts.PreviousCheckpointPath, message);
        Assert.Contains("There is no other checkpoint to go on from", message);
        Assert.DoesNotContain('\n', message);
        Assert.Equal(last, File.ReadAllBytes(parts.CheckpointPath));
    }

    [Theory]
    [InlineData("format", "siamsharp-checkpoint-9")]
    [InlineData("step", "-1")]
    [InlineData("step", "many")]
    [InlineData("metricsLength", null)]
    [InlineData("recipe", "{")]
    [InlineData("recipe", """{"method":{"name":"simclr","\ud800":1}}""")]
    [InlineData("recipe", """{"training":null}""")]
    [InlineData("preprocessing", """{"highPass":{"sigma":2,"kernel":13},"mean":[],"std":[0.2]}""")]
    [InlineData("dataHash", "")]
    [InlineData("images", "0")]
    [InlineData("lengthAtStart", "NaN")]
    public void Find_MetadataThatSayNothingSound_NamesFileAndKey(string key, string? value)
    {
        RunFolder run = Folder("run");
        RunUntil(1, run, set: "training.checkpointSteps=0");
        using (SafeTensorsFile file = SafeTensors.Read(run.CheckpointPath))
        {
            var metadata = file.Metadata.Where(m => m.Key != key).ToDictionary();
            if (value is not null) metadata[key] = value;
            SafeTensors.Write(run.CheckpointPath, file.Tensors, metadata);
        }
        string message = Assert.Throws<RunException>(() => SavedRun.Find(run)).Message;
        Assert.Contains(run.CheckpointPath, message);
        Assert.Contains(key, message);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("{ \"method\": { \"name\": \"simc")]
    [InlineData("{ \"training\": { \"\\ud800\": 1 } }")]
    [InlineData("{ \"training\": { \"epochs\": 99 } }")]
    public void Resume_RecipeMissingDamagedOrChanged_IsRestoredFromTheCheckpoint(string? text)
    {
        RunFolder whole = Whole(), parts = Folder("parts");
        RunUntil(3, parts);
        if (text is null) File.Delete(parts.RecipePath);
        else File.WriteAllText(parts.RecipePath, text);
        Assert.True(JsonNode.DeepEquals(whole.ReadRecipe(), parts.ReadRecipe()));

        Assert.Contains("already holds a run",
            Assert.Throws<RunException>(() => Pretraining.Run(Tiny(), s_images.Value, parts)).Message);
        Assert.Contains("optimizer.learningRate",
            Assert.Throws<RunException>(() => Resume(parts, set: "optimizer.learningRate=1")).Message);
        var notes = new Notes();
        Assert.True(Resume(parts, notes).Finished);
        Assert.Contains("the recipe in the run's checkpoint is taken", Assert.Single(notes));
        AssertSame(whole, parts);
    }

    [Fact]
    public void Run_OnlyTheCheckpointBefore_IsNotStartedOver()
    {
        RunFolder parts = Folder("parts");
        RunUntil(3, parts);
        File.Delete(parts.RecipePath);
        File.Delete(parts.CheckpointPath);
        Assert.True(parts.HasRun);
        Assert.Contains("already holds a run",
            Assert.Throws<RunException>(() => Pretraining.Run(Tiny(), s_images.Value, parts)).Message);
        Assert.True(Resume(parts).Finished);
    }

    [Fact]
    public void Resume_FinishedRunWithoutCheckpoint_StaysAsItIs()
    {
        RunFolder whole = Whole();
        byte[] encoder = File.ReadAllBytes(whole.EncoderPath), metrics = File.ReadAllBytes(whole.MetricsPath);
        File.Delete(whole.CheckpointPath);
        File.Delete(whole.PreviousCheckpointPath);
        var notes = new Notes();
        Assert.True(Resume(whole, notes).Finished);
        Assert.Contains("is finished: its encoder is there", Assert.Single(notes));
        Assert.Contains("Choose another --out",
            Assert.Throws<RunException>(() => Resume(whole, set: "training.epochs=4")).Message);
        File.Delete(whole.RecipePath);
        Assert.Contains("neither its recipe nor its checkpoint", Assert.Throws<RunException>(() => Resume(whole)).Message);
        Assert.Equal(encoder, File.ReadAllBytes(whole.EncoderPath));
        Assert.Equal(metrics, File.ReadAllBytes(whole.MetricsPath));
    }

    [Fact]
    public void Run_EndsWhileItsFirstFilesAreWritten_IsKnownAsARun()
    {
        RunFolder folder = Folder("begun");
        Directory.CreateDirectory(folder.ImagesPath); // in the way of the list of images, which comes after the log
        Assert.Throws<RunException>(() => RunUntil(1, folder));
        Assert.True(File.Exists(folder.MetricsPath));
        Assert.True(folder.HasRun);

        Directory.Delete(folder.ImagesPath);
        Assert.True(Resume(folder).Finished);
    }

    [Fact]
    public void Resume_UnfinishedRunWithoutCheckpoint_StartsOverAndSaysSo()
    {
        RunFolder whole = Whole(), parts = Folder("parts");
        RunUntil(3, parts);
        File.Delete(parts.CheckpointPath);
        File.Delete(parts.PreviousCheckpointPath);
        var notes = new Notes();
        Assert.True(Resume(parts, notes).Finished);
        Assert.Contains("starts over at step 1", Assert.Single(notes));
        AssertSame(whole, parts);
    }

    [Fact]
    public void Find_CheckpointCutShort_SaysThat()
    {
        RunFolder parts = Folder("parts");
        RunUntil(1, parts);
        File.Delete(parts.PreviousCheckpointPath);
        byte[] bytes = File.ReadAllBytes(parts.CheckpointPath);
        foreach (int length in new[] { 0, 5, 500, bytes.Length - 1 })
        {
            File.WriteAllBytes(parts.CheckpointPath, bytes[..length]);
            string message = Assert.Throws<RunException>(() => SavedRun.Find(parts)).Message;
            Assert.Contains(length == 0 ? "is empty" : "it was cut short", message);
            Assert.DoesNotContain("give it the ending", message);
        }
    }

    [Fact]
    public void ReadEncoder_OfAnotherRunOrWithAnotherRecipe_IsRefusedOrTold()
    {
        RunFolder whole = Whole(), other = Folder("other");
        Assert.True(Pretraining.Run(Tiny(), Load(new VanishingSource([.. Enumerable.Range(60, 96)])), other).Finished);
        var notes = new Notes();
        whole.ReadEncoder(out _, notes).Dispose();
        Assert.Empty(notes);
        Assert.Equal($"siam pretrain --data vanishing --out {whole.Path} --resume", whole.ResumeCommand);
        File.WriteAllText(whole.RecipePath, "null");
        whole.ReadEncoder(out _, notes).Dispose();
        Assert.Contains("the recipe in the run's checkpoint is taken", Assert.Single(notes));
        File.Copy(other.EncoderPath, whole.EncoderPath, overwrite: true);
        Assert.Contains("is not the encoder of this run",
            Assert.Throws<RunException>(() => whole.ReadEncoder(out _, notes)).Message);
        RunFolder seeded = Folder("seeded");
        Assert.True(Pretraining.Run(Tiny("training.seed=5"), s_images.Value, seeded).Finished);
        File.Copy(seeded.EncoderPath, whole.EncoderPath, overwrite: true);
        Assert.Contains("is not the encoder of this run, which has another training.seed",
            Assert.Throws<RunException>(() => whole.ReadEncoder(out _, notes)).Message);
        File.Delete(whole.EncoderPath);
        Assert.Contains($"`{whole.ResumeCommand}`", Assert.Throws<RunException>(() => whole.ReadEncoder(out _, notes)).Message);
    }

    [Fact]
    public void UnreadableFiles_SideFilesDamaged_NamesEach()
    {
        RunFolder run = Folder("run");
        run.Create();
        Assert.Empty(run.UnreadableFiles());
        foreach (string file in new[] { run.NotesPath, run.ImageCountsPath, run.StartPath }) File.WriteAllText(file, "{");
        Assert.Collection(run.UnreadableFiles(), text => Assert.StartsWith(run.NotesPath, text),
            text => Assert.StartsWith(run.ImageCountsPath, text), text => Assert.StartsWith(run.StartPath, text));
    }

    [Theory]
    [InlineData("gone", "is missing or empty")]
    [InlineData("empty", "is missing or empty")]
    [InlineData("cut", "bytes of")]
    [InlineData("flipped", "was changed or damaged")]
    public void Resume_MetricsMissingOrDamaged_GoesOnAndSaysSo(string damage, string note)
    {
        RunFolder whole = Whole(), parts = Folder("parts");
        RunUntil(3, parts);
        switch (damage)
        {
            case "gone": File.Delete(parts.MetricsPath); break;
            case "empty": File.WriteAllText(parts.MetricsPath, ""); break;
            case "cut": File.WriteAllText(parts.MetricsPath, File.ReadAllText(parts.MetricsPath)[..^10]); break;
            default: FlipBit(parts.MetricsPath, """{"step":""".Length); break; // another number, still JSON
        }
        var notes = new Notes();
        Assert.True(Resume(parts, notes).Finished);
        Assert.Contains(note, Assert.Single(notes));
        Assert.Equal(File.ReadAllBytes(whole.EncoderPath), File.ReadAllBytes(parts.EncoderPath));
        var (lines, problems) = MetricsLog.Read(parts.MetricsPath);
        Assert.Empty(problems);
        Assert.Equal(File.ReadAllLines(whole.MetricsPath)[^2..], File.ReadAllLines(parts.MetricsPath)[^2..]);
        Assert.Equal(6, (double)lines[^1]["step"]!);
        Assert.NotNull(RunHealth.Read(parts, Tiny()));
    }

    [Fact]
    public void MetricsProblems_FlippedAfterTheRun_AreTold()
    {
        RunFolder whole = Whole();
        Assert.Empty(whole.MetricsProblems());
        File.WriteAllText(whole.MetricsPath,
            File.ReadAllText(whole.MetricsPath).Replace("\"step\":3", "\"step\":7", StringComparison.Ordinal));
        Assert.Contains("was changed or damaged", Assert.Single(whole.MetricsProblems()));
    }

    [Fact]
    public void ReadMetrics_TornAndForeignLines_AreLeftOutWithTheirNumber()
    {
        string path = Path.Combine(_folder, "metrics.jsonl");
        File.WriteAllLines(path, ["""{"step":1,"loss":2}""", """{"step":2,"loss":1.5,"rankme":1""", """{"step":3,"loss":"x"}""",
            "[]", """{"loss":1}""", """{"step":4,"loss":1e999}""", """{"step":6,"loss":1}"""]);
        File.AppendAllText(path, """{"step":7,"lo""");
        var (lines, problems) = MetricsLog.Read(path);
        Assert.Equal([1.0, 6.0], lines.Select(l => (double)l["step"]!));
        Assert.Equal([2, 3, 4, 5, 6], problems.Select(p => int.Parse(p.Split("line ")[1].Split(',')[0])));
        Assert.Contains("\"loss\" is no number", problems[1]);
        Assert.Empty(MetricsLog.Read(Path.Combine(_folder, "absent")).Lines);
    }

    [Theory]
    [InlineData("simclr")]
    [InlineData("pirl")] // has a memory with a row for each image
    public void Resume_AnImageGone_GoesOnAsIfItHadBecomeUnreadable(string method)
    {
        string[] set = [$"method={method}"];
        RunFolder during = Folder("during"), between = Folder("between");
        var source = new VanishingSource(All());
        ImageDataset lazy = Load(source, lazily: true);
        RunUntil(2, during, data: lazy, set: set);
        source.Gone.Add(40);
        Assert.True(Resume(during, data: lazy, set: set).Finished);

        RunUntil(2, between, set: set);
        ImageDataset less = Load(new VanishingSource([.. All().Where(i => i != 40)]));
        var notes = new Notes();
        Assert.True(Resume(between, notes, less, set).Finished);
        Assert.Contains("1 of the 96 images that the run began with is not there any more, or another now, and left out: ",
            Assert.Single(notes));
        Assert.Contains(less.Skipped, s => s.Reason == "is not there any more");
        AssertSame(during, between);
        Assert.True(Resume(between, data: less, set: set).Finished); // a finished run says so
        Assert.True(Resume(between, data: less, set: set).Finished);
    }

    [Fact]
    public void Resume_ImagesCame_GoesOnWithItsOwn()
    {
        RunFolder whole = Whole(), parts = Folder("parts");
        RunUntil(3, parts);
        var notes = new Notes();
        Assert.True(Resume(parts, notes, Load(new VanishingSource([200, .. All(), 300]))).Finished);
        Assert.Contains("2 images came since", Assert.Single(notes));
        AssertSame(whole, parts);
    }

    [Fact]
    public void Resume_MostImagesOthers_IsRefused()
    {
        RunFolder parts = Folder("parts");
        RunUntil(3, parts);
        string message = Assert.Throws<RunException>(() =>
            Resume(parts, data: Load(new VanishingSource([.. Enumerable.Range(60, 96)])))).Message;
        Assert.Contains("not those of the run", message);
        Assert.Contains("of 96 that it began with 36 are there", message);
    }

    [Fact]
    public void Resume_FinishedRunWithMoreEpochs_TrainsLongerAndRepeats()
    {
        RunFolder whole = Whole(), parts = Folder("parts");
        File.WriteAllText(whole.EvaluationPath, "[]");
        var notes = new Notes();
        Assert.Equal(12, Resume(whole, notes, set: "training.epochs=4").Step);
        string note = Assert.Single(notes);
        Assert.Contains("4 epochs instead of 2. The learning rate goes on at 0.", note);
        Assert.Contains("encoder.2-epochs.safetensors, evaluation.2-epochs.json", note);
        Assert.Equal(4, Recipe.Reread(whole.ReadRecipe(), []).Training.Epochs);
        using (Encoder kept = Encoder.Load(Path.ChangeExtension(whole.EncoderPath, "2-epochs.safetensors")))
            Assert.Equal(1, kept.Channels);

        Pretraining.Run(Tiny(), s_images.Value, parts);
        Assert.False(RunUntil(8, parts, resume: true, set: "training.epochs=4").Finished);
        notes.Clear();
        Assert.True(Resume(parts, notes, set: "training.epochs=4").Finished);
        Assert.Empty(notes);
        AssertSame(whole, parts);
    }

    [Fact]
    public void Resume_UnfinishedRunWithMoreEpochs_SaysWhatToDoFirst()
    {
        RunFolder parts = Folder("parts");
        RunUntil(3, parts);
        Assert.Contains("can be trained longer once it is finished",
            Assert.Throws<RunException>(() => Resume(parts, set: "training.epochs=4")).Message);
        Assert.True(Resume(parts).Finished);
        Assert.DoesNotContain("longer", Assert.Throws<RunException>(() => Resume(parts, set: "training.epochs=1")).Message);
    }

    [Fact]
    public void Resume_BegunFromWeights_RelativeStepRefersToTheFirstWeights()
    {
        RunFolder source = Folder("source"), whole = Folder("started"), parts = Folder("parts");
        Pretraining.Run(Tiny("training.seed=7"), s_images.Value, source);
        string set = $"backbone.weights={source.EncoderPath}";
        Pretraining.Run(Tiny(set), s_images.Value, whole);
        RunUntil(2, parts, set: set);
        Assert.True(Resume(parts, set: set).Finished);
        Assert.Contains("relative_step", File.ReadAllText(whole.MetricsPath));
        AssertSame(whole, parts);
    }

    /// <summary>A clock by which every step is long, and which interrupts the run when it is looked
    /// at for the nth time.</summary>
    private sealed class InterruptingClock(int after, CancellationTokenSource source) : TimeProvider
    {
        private long _looks;

        public override long GetTimestamp()
        {
            if (++_looks == after) source.Cancel();
            return _looks * 10 * TimestampFrequency;
        }
    }

    public static TheoryData<string> Methods => [.. SmallMethods.Keys];

    private static readonly Dictionary<string, string[]> SmallMethods = new()
    {
        ["simclr"] = ["method.projectorOutput=8"],
        ["moco-v2"] = ["method.queueSize=64", "method.projectorOutput=8"],
        ["moco-v3"] = ["method.headHidden=16", "method.projectorOutput=8"],
        ["byol"] = ["method.headHidden=16", "method.projectorOutput=8"],
        ["simsiam"] = ["method.projectorOutput=16", "method.predictorHidden=8"],
        ["swav"] = ["method.prototypes=12", "method.queueSize=64", "method.queueFromEpoch=1",
            "method.projectorHidden=16", "method.projectorOutput=8"],
        ["barlow-twins"] = ["method.projectorHidden=16", "method.projectorOutput=16"],
        ["vicreg"] = ["method.projectorHidden=16", "method.projectorOutput=16"],
        ["dino"] = ["method.outputs=24", "method.headHidden=16", "method.headBottleneck=8"],
        ["msn"] = ["method.prototypes=12", "method.projectorHidden=16", "method.projectorOutput=8"],
        ["pirl"] = ["method.negatives=40", "method.projectorOutput=8"],
        ["siamese-pairs"] = ["method.projectorOutput=8"],
    };

    private static string[] Set(string method) => [$"method={method}", .. SmallMethods[method]];

    [Fact]
    public void Methods_AreAllFrameworks() =>
        Assert.Equal(SmallMethods.Keys.Order(), SiamSharp.Tests.Methods.EveryMethodTests.Names.Select(n => n.Data).Order());

    [Theory]
    [MemberData(nameof(Methods))]
    public void Run_StoppedWithinAStep_GivesItUpAndEndsWithTheSameBits(string method)
    {
        string[] set = [.. Set(method), "training.checkpointSteps=0"];
        RunFolder whole = Whole(set), parts = Folder("parts");
        var steps = new HashSet<long>();
        foreach (int look in new[] { 5, 6, 12, 13, 20 }) // within the first steps, after views and after the backward pass
        {
            using var source = new CancellationTokenSource();
            PretrainingResult result = Pretraining.Run(Tiny(set), s_images.Value, parts, resume: parts.HasRun,
                time: new InterruptingClock(look, source), cancellationToken: source.Token);
            steps.Add(result.Step);
            Assert.Equal(result.Step, File.Exists(parts.CheckpointPath) ? SavedRun.Find(parts)!.Step : 0);
        }
        Assert.True(steps.Count > 1);
        Assert.True(Resume(parts, set: set).Finished);
        AssertSame(whole, parts);
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Run_LastBatchMadeSmallByLostFiles_FinishesWithItsHealth(string method)
    {
        foreach (int left in new[] { 20, 3, 2 })
        {
            RunFolder run = Folder($"{method}-{left}");
            var source = new VanishingSource(All());
            ImageDataset data = Load(source, lazily: true);
            RunUntil(1, run, data: data, set: Set(method));
            int[] last = new SampleOrder(Images, 32, seed: 1, dropLast: true).Batch(epoch: 1, step: 2);
            source.Gone.UnionWith(last[left..]);
            Assert.True(Resume(run, data: data, set: Set(method)).Finished);
            var (lines, problems) = MetricsLog.Read(run.MetricsPath);
            Assert.Empty(problems);
            Assert.Equal(6, (double)lines[^1]["step"]!);
            Assert.InRange((double)lines[^1]["uniformity"]!, -8.1, 1e-6);
            Assert.NotNull(RunHealth.Read(run, Tiny(Set(method))));
        }
    }

    [Fact]
    public void Run_BatchOfOneOrNone_IsPassedOverOrEndsTheRunWithEverythingSaved()
    {
        RunFolder run = Folder("run");
        var source = new VanishingSource(All());
        ImageDataset data = Load(source, lazily: true);
        RunUntil(1, run, data: data);
        int[] last = new SampleOrder(Images, 32, seed: 1, dropLast: true).Batch(epoch: 1, step: 2),
            first = new SampleOrder(Images, 32, seed: 1, dropLast: true).Batch(epoch: 0, step: 2);
        source.Gone.UnionWith(last[1..]);
        Assert.True(Resume(run, data: data).Finished);
        Assert.NotNull(RunHealth.Read(run, Tiny()));

        RunFolder none = Folder("none");
        source.Gone.Clear();
        RunUntil(1, none, data: data, set: "training.checkpointSteps=0");
        source.Gone.UnionWith(first);
        Assert.Contains("No image of epoch 0, step 2",
            Assert.Throws<DataSourceException>(() => Resume(none, data: data, set: "training.checkpointSteps=0")).Message);
        Assert.Equal(2, SavedRun.Find(none)!.Step);
    }

    [Fact]
    public void Lock_AnotherProcess_SeesItAndTheFileStays()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("flock(1) is Linux's.");
        RunFolder folder = Folder("run");
        folder.Create();
        string file = Path.Combine(folder.Path, ".lock");
        int Other()
        {
            using Process process = Process.Start("flock", ["--nonblock", "--exclusive", file, "true"]);
            process.WaitForExit();
            return process.ExitCode;
        }
        Assert.False(folder.IsTraining);
        using (folder.Lock())
        {
            Assert.True(folder.IsTraining);
            Assert.Equal(1, Other());
            Assert.Contains("Another process is training", Assert.Throws<RunException>(() => folder.Lock()).Message);
            Assert.Contains("Another process is training",
                Assert.Throws<RunException>(() => Pretraining.CheckFolder(Tiny(), folder, resume: true)).Message);
        }
        // Were it deleted, a process that had opened it before and one that makes it anew would both have a lock.
        Assert.True(File.Exists(file));
        Assert.Equal(0, Other());
        Assert.False(folder.IsTraining);
    }

    [Fact]
    public void Lock_OfAFolderThatIsGone_IsNotCalledAnotherProcess()
    {
        RunFolder folder = Folder("gone");
        string message = Assert.Throws<RunException>(() => folder.Lock()).Message;
        Assert.Contains("Its folder is gone", message);
    }

    [Fact]
    public void WriteText_CannotBeWritten_LeavesNothingBehind()
    {
        string path = Path.Combine(_folder, "name");
        Directory.CreateDirectory(path); // a folder is in the way
        Assert.Throws<RunException>(() => FileWriting.WriteText(path, "text"));
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder));
    }
}

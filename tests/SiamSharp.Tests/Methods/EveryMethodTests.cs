using System.Text.Json.Nodes;
using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Methods;
using SiamSharp.Optim;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Tests.Reference;
using SiamSharp.Training;
using SiamSharp.Views;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Methods;

/// <summary>What holds for every framework.</summary>
public sealed class EveryMethodTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("methods").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Each framework with heads for tests; what is not named has its default.</summary>
    private static readonly Dictionary<string, string> s_small = new()
    {
        ["simclr"] = """{ "projectorOutput": 8 }""",
        ["moco-v2"] = """{ "queueSize": 64, "emaDecay": 0.9, "projectorOutput": 8 }""",
        ["moco-v3"] = """{ "headHidden": 16, "projectorOutput": 8 }""",
        ["byol"] = """{ "headHidden": 16, "projectorOutput": 8 }""",
        ["simsiam"] = """{ "projectorOutput": 16, "predictorHidden": 8 }""",
        ["swav"] = """{ "prototypes": 12, "queueSize": 64, "queueFromEpoch": 1, "projectorHidden": 16, "projectorOutput": 8 }""",
        ["barlow-twins"] = """{ "projectorHidden": 16, "projectorOutput": 16 }""",
        ["vicreg"] = """{ "projectorHidden": 16, "projectorOutput": 16 }""",
        ["dino"] = """{ "outputs": 24, "headBatchNorm": true, "headHidden": 16, "headBottleneck": 8"""
            + """, "teacherWarmupEpochs": 2, "teacherWarmupTemperature": 0.07 }""",
        ["msn"] = """{ "prototypes": 12, "projectorHidden": 16, "projectorOutput": 8 }""",
        ["pirl"] = """{ "negatives": 40, "projectorOutput": 8 }""",
        ["siamese-pairs"] = """{ "projectorOutput": 8 }""",
    };

    public static TheoryData<string> Names => [.. s_small.Keys];

    internal static JsonObject Tree(string name)
    {
        JsonObject tree = OptionsJson.Parse(s_small[name], name);
        tree.Insert(0, "name", name);
        return tree;
    }

    private static MethodOptions Options(string name) => OptionsJson.Read<MethodOptions>(Tree(name));

    internal static SiameseMethod Create(string name, int targetViews = 2, int samples = 96) => Options(name).Create(
        new MethodSetup(() => new BackboneOptions { Width = 8, Depths = [1, 1] }.Create(1, 16, 1), 16, 1)
        {
            Samples = samples,
            TargetViews = targetViews
        });

    private static ViewBatch Batch(int seed, params int[] sides) => Batch(seed, CPU, sides);

    internal static ViewBatch Batch(int seed, Device device, params int[] sides) => new(
        [.. sides.Select((side, v) => RandomTensors.Normal((ulong)(seed * 100 + v), [16, 1, side, side]).to(device))])
    {
        Indexes = arange(16, dtype: ScalarType.Int64, device: device),
        Labels = arange(16, dtype: ScalarType.Int64, device: device).remainder(3),
        Step = seed,
        StepsPerEpoch = 3,
    };

    [Theory]
    [InlineData(false, "projector.3.bias")]
    [InlineData(true, "projector.4.running_mean")]
    public void Byol_NormalizeOutput_ReplacesTheBiasByAStandardisation(bool normalize, string key)
    {
        using var method = new ByolOptions { HeadHidden = 16, ProjectorOutput = 8, NormalizeOutput = normalize }.Create(
            new MethodSetup(() => new BackboneOptions { Width = 8, Depths = [1] }.Create(1, 16, 1), 8, 1));
        Assert.Equal([key, $"target.{key}"],
            method.state_dict().Keys.Where(k => k.EndsWith(key, StringComparison.Ordinal)).Order());
    }

    [Fact]
    public void Names_AreAllFrameworks() => Assert.Equal(
        s_small.Keys.Order(),
        OptionsJson.Serializer.GetTypeInfo(typeof(MethodOptions)).PolymorphismOptions!.DerivedTypes
            .Where(t => t.DerivedType.Assembly == typeof(MethodOptions).Assembly)
            .Select(t => (string)t.TypeDiscriminator!).Order());

    [Theory]
    [MemberData(nameof(Names))]
    public void Steps_Some_MoveAllThatLearnsAndKeepTheLiveTensorCount(string name)
    {
        using var method = Create(name);
        using var optimizer = new AdamWOptions().Create(method);
        var counts = new List<long>();
        Dictionary<string, Tensor> before =
            method.state_dict().ToDictionary(p => p.Key, p => p.Value.clone().DetachFromDisposeScope());
        for (int step = 0; step < 8; step++)
        {
            using (var scope = NewDisposeScope())
            {
                ViewBatch batch = Batch(step, 16, 16) with { Progress = (step + 1) / 10.0 };
                LossTerms terms = method.Loss(batch);
                Assert.True(float.IsFinite(terms.Total.item<float>()));
                Assert.Equal(1, terms.Terms.Count(t => t.Name == "embedding_spread"));
                Assert.Equal(0, terms.Embeddings.shape[0] % 16);
                Assert.False(terms.Embeddings.requires_grad);
                terms.Total.backward();
                foreach (var (key, parameter) in method.named_parameters())
                    Assert.True(parameter.requires_grad || key.StartsWith("target.", StringComparison.Ordinal), key);
                optimizer.Step(1e-3);
                optimizer.ZeroGrad();
                method.AfterStep(batch, terms);
            }
            counts.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        }
        Assert.Single(counts.Skip(1).Distinct());
        foreach (var (key, value) in method.state_dict())
        {
            Assert.True(value.to(ScalarType.Float32).isfinite().all().item<bool>(), key);
            // A shift ahead of a standardisation has no effect, so no gradient moves it.
            if (value.is_floating_point() && !key.EndsWith(".bias", StringComparison.Ordinal))
                Assert.False(value.equal(before[key]).all().item<bool>(), $"{key} has not moved");
            before[key].Dispose();
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Loss_Called_ChangesNothingButBatchStatistics(string name)
    {
        using var scope = NewDisposeScope();
        using var method = Create(name);
        ViewBatch batch = Batch(1, 16, 16);
        method.AfterStep(batch, method.Loss(batch)); // queues and memories hold something now
        Dictionary<string, Tensor> before = method.state_dict().ToDictionary(p => p.Key, p => p.Value.clone());
        double first = method.Loss(batch).Total.item<float>(), second = method.Loss(batch).Total.item<float>();
        Assert.Equal(first, second);
        string[] changed =
            [.. method.state_dict().Where(p => !p.Value.equal(before[p.Key]).all().item<bool>()).Select(p => p.Key)];
        Assert.Equal([], changed.Where(key => !key.EndsWith("running_mean", StringComparison.Ordinal)
            && !key.EndsWith("running_var", StringComparison.Ordinal)
            && !key.EndsWith("num_batches_tracked", StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Loss_SmallViewsToo_TakesThem(string name)
    {
        using var scope = NewDisposeScope();
        using var method = Create(name);
        Tensor loss = method.Loss(Batch(1, 16, 16, 8, 8)).Total;
        loss.backward();
        Assert.True(float.IsFinite(loss.item<float>()));
    }

    /// <summary>A backbone to which all images are equal.</summary>
    private sealed class Blind : nn.Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Parameter weight;

        public Blind() : base(nameof(Blind))
        {
            weight = new TorchSharp.Modules.Parameter(linspace(-1, 2, 16));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x) => weight.expand(x.shape[0], -1);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void LossWhenCollapsed_BackboneThatSeesNothing_IsItsLoss(string name)
    {
        using var scope = NewDisposeScope();
        using SiameseMethod method = Options(name).Create(new MethodSetup(() => new Blind(), 16, 1) { Samples = 16 });
        ViewBatch batch = Batch(1, 16, 16);
        double loss = 0;
        for (int step = 0; step < 100; step++) // until queue, memory and centre hold nothing else
        {
            using var inner = NewDisposeScope();
            LossTerms terms = method.Loss(batch with { Step = step });
            loss = terms.Total.item<float>();
            method.AfterStep(batch, terms);
        }
        double? collapsed = method.LossWhenCollapsed(batch);
        switch (name)
        {
            case "byol" or "simsiam":
                Assert.Null(collapsed);
                break;
            // prototypes that have not moved predict something else than equal shares, which is the best
            case "swav" or "dino" or "msn":
                Assert.InRange(loss, collapsed!.Value - 1e-4, double.MaxValue);
                break;
            default:
                Assert.Equal(collapsed!.Value, loss, 1e-4 * Math.Max(1, loss));
                break;
        }
    }

    [Fact]
    public void Pirl_FirstStep_DoesNotCompareWithEmptyRows()
    {
        using var scope = NewDisposeScope();
        using SiameseMethod full = Create("pirl", samples: 16), empty = Create("pirl", samples: 40); // all 40 rows are drawn
        float first = full.Loss(Batch(0, 16, 16)).Total.item<float>();
        LossTerms terms = empty.Loss(Batch(0, 16, 16));
        Assert.Equal(first, terms.Total.item<float>(), 1e-5);
        empty.AfterStep(Batch(0, 16, 16), terms);
        Tensor norms = empty.state_dict()["memory"].norm(1);
        Assert.Equal([.. Enumerable.Repeat(1.0f, 16), .. Enumerable.Repeat(0.0f, 24)],
            norms.data<float>().ToArray().Select(n => float.Round(n, 5)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Loss_BatchOfOne_IsRefused(string name)
    {
        using var scope = NewDisposeScope();
        using var method = Create(name);
        method.eval();
        Tensor one = ones(1, 1, 16, 16);
        var batch = new ViewBatch([one, one]) { Indexes = zeros(1, ScalarType.Int64), Labels = zeros(1, ScalarType.Int64) };
        Assert.Contains("1", Assert.Throws<ArgumentException>(() => method.Loss(batch)).Message);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void PaperViews_AnySize_FitTheMethod(string name)
    {
        MethodOptions options = Options(name);
        foreach (int size in new[] { 28, 64, 224 })
            foreach (int channels in new[] { 1, 3, 5 })
                foreach (string preset in new[] { "paper", "paper-mscn" })
                {
                    ViewsOptions views = ViewPresets.Make(preset, size, channels, options);
                    Assert.Empty(views.Faults());
                    Assert.Empty(views.FaultsFor(size, channels));
                    Assert.InRange(views.ViewCount, options.MinViews, options.MaxViews);
                }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void PaperViews_OfAnySize_HaveSidesThatAPatchDivides(string name)
    {
        foreach (var (size, patch, small) in new[] { (28, 4, 12), (28, 7, 14), (32, 4, 12), (64, 4, 28), (128, 16, 48),
            (224, 16, 96), (224, 14, 98) })
        {
            ViewsOptions views = ViewPresets.Make("paper", size, 3, Options(name), patch);
            Assert.All(views.Branches.Select(b => b.SizeFor(size)),
                side => Assert.True(side == size || side == small, $"{name}: {side} of {size} px"));
            // refuses what does not fit
            Recipe recipe = Recipe.Resolve([], [$"method={name}", "views.preset=paper", "backbone.name=vit_ti",
                $"backbone.patchSize={patch}", $"data.size={size}"],
                data => ImageSources.Open("fashion-mnist:sample", data));
            Assert.Equal(views.Branches.Select(b => b.SizeFor(size)), recipe.Views.Branches.Select(b => b.SizeFor(size)));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void PaperMscn_EveryMethod_KeepsTheFirstViewAndSmallCropsWholeAndBlursNothing(string name)
    {
        foreach (int size in new[] { 32, 224 })
        {
            ViewPolicy[] paper = Each(ViewPresets.Make("paper", size, 3, Options(name))),
                both = Each(ViewPresets.Make("paper-mscn", size, 3, Options(name)));
            Assert.Equal(paper.Length, both.Length);
            Assert.Empty(both[0].Masks);
            for (int v = 0; v < both.Length; v++)
            {
                Assert.Equal(0, both[v].Blur.Probability);
                Assert.Equal(paper[v] with { Blur = both[v].Blur, Masks = both[v].Masks }, both[v]);
                if (paper[v].Masks.Count > 0) Assert.Equal(paper[v].Masks[0], both[v].Masks[0]); // the method's own
                else Assert.Equal(v > 0 && paper[v].Size == size ? 1 : 0, both[v].Masks.Count);
            }
        }

        static ViewPolicy[] Each(ViewsOptions views) =>
            [.. views.Branches.SelectMany(b => Enumerable.Repeat(b with { Count = 1 }, b.Count))];
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Write_EveryMethod_IsReadBack(string name)
    {
        string written = OptionsJson.Write(Options(name)).ToJsonString();
        Assert.Equal(
            written, OptionsJson.Write(OptionsJson.Read<MethodOptions>(OptionsJson.Parse(written, name))).ToJsonString());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Run_StoppedAndResumed_EndsWithTheSameBits(string name)
    {
        Recipe recipe = Recipe.Resolve(
            [OptionsJson.Parse($$"""
                { "method": {{s_small[name].Insert(1, $" \"name\": \"{name}\",")}}, "backbone": { "width": 4, "depths": [1, 1] },
                  "training": { "epochs": 3, "batchSize": 32, "threads": 1, "logSteps": 1, "checkpointSteps": 2 } }
                """, name)],
            [], Images);
        ImageDataset images = ImageDataset.Load(Images(recipe.Data), recipe.Data);
        RunFolder whole = new(Path.Combine(_folder, "whole")), parts = new(Path.Combine(_folder, "parts"));
        Assert.True(Pretraining.Run(recipe, images, whole).Finished);

        foreach (long step in new[] { 3, 6 }) // within and at the end of an epoch
        {
            using var cancel = new CancellationTokenSource();
            Assert.False(Pretraining.Run(recipe, images, parts, resume: true, new StopAt(step, cancel),
                cancellationToken: cancel.Token).Finished);
        }
        Assert.True(Pretraining.Run(recipe, images, parts, resume: true).Finished);
        Assert.Equal(File.ReadAllText(whole.MetricsPath), File.ReadAllText(parts.MetricsPath));
        Assert.Equal(File.ReadAllBytes(whole.CheckpointPath), File.ReadAllBytes(parts.CheckpointPath));
        Assert.Equal(File.ReadAllBytes(whole.EncoderPath), File.ReadAllBytes(parts.EncoderPath));
        using Encoder encoder = Encoder.Load(parts.EncoderPath);

        static SubsetSource Images(DataOptions options) =>
            new(ImageSources.Open("fashion-mnist:sample", options), [.. Enumerable.Range(0, 96)], "96 images");
    }

    internal sealed class StopAt(long step, CancellationTokenSource source) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Step >= step - 1) source.Cancel();
        }
    }
}

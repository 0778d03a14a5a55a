using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Methods;
using SiamSharp.Options;
using SiamSharp.Randomness;
using SiamSharp.Recipes;
using SiamSharp.Tests.Reference;
using SiamSharp.Training;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Methods;

public sealed class MoCoV2Tests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("moco").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static SiameseMethod Create(int splits, bool headBatchNorm = false) =>
        new MoCoV2Options { QueueSize = 32, ProjectorOutput = 8, NormSplits = splits, HeadBatchNorm = headBatchNorm }.Create(
            new MethodSetup(() => new BackboneOptions { Width = 8, Depths = [1, 1] }.Create(1, 16, 1), 16, 1));

    private static Tensor View(ulong seed) => RandomTensors.Normal(seed, [16, 1, 16, 16]);

    [Fact]
    public void Head_IsTheAuthors_TwoLayersWithBiasAndNothingElse()
    {
        using SiameseMethod method = Create(1);
        Assert.Equal(["projector.0.bias", "projector.0.weight", "projector.2.bias", "projector.2.weight"],
            method.state_dict().Keys.Where(k => k.StartsWith("projector.", StringComparison.Ordinal)).Order());
    }

    [Theory]
    [InlineData("resnet18")]
    [InlineData("resnet50")]
    [InlineData("regnet_y_400mf")]
    public void Splits_AnyBackbone_EqualPartsFedApart(string name)
    {
        using var scope = NewDisposeScope();
        using Backbone together = Make();
        foreach (BatchNormalization norm in together.modules().OfType<BatchNormalization>()) norm.Splits = 4;
        Tensor x = RandomTensors.Normal(1, [18, 1, 16, 16], ScalarType.Float64); // parts of 5, 5, 4 and 4
        Tensor y = together.forward(x), direction = RandomTensors.Normal(2, y.shape, ScalarType.Float64);
        (y * direction).sum().backward();

        Tensor[] parts = x.split([5, 5, 4, 4]), directions = direction.split([5, 5, 4, 4]);
        Backbone[] apart = [.. parts.Select(_ => Make())];
        Tensor[] outputs = [.. parts.Select((part, i) => apart[i].forward(part))];
        for (int i = 0; i < 4; i++) (outputs[i] * directions[i]).sum().backward();

        Near.Equal(cat(outputs), y, 1e-10);
        foreach (var (key, parameter) in together.named_parameters())
            Near.Equal(stack(apart.Select(network => network.get_parameter(key)!.grad!)).sum(dim: 0), parameter.grad!, 1e-8);
        foreach (var (key, value) in together.state_dict().Where(t => t.Key.Contains("running_")))
            Near.Equal(stack(apart.Select(network => network.state_dict()[key])).mean([0]), value, 1e-10);

        together.eval();
        using Backbone plain = Make();
        SiamSharp.Files.StateDict.Load(plain, together.state_dict());
        plain.eval();
        Near.Same(plain.forward(x), together.forward(x)); // outside of training nothing is split
        foreach (Backbone network in apart) network.Dispose();

        Backbone Make()
        {
            Backbone network = new BackboneOptions { Name = name, Width = 8, Depths = [1, 1] }.Create(1, 16, seed: 3);
            network.to(ScalarType.Float64);
            return network;
        }
    }

    [Fact]
    public void Splits_BatchOfFewerThanTwoEach_TakesFewerParts()
    {
        using var scope = NewDisposeScope();
        using var norm = new BatchNormalization(2) { Splits = 4 };
        using var whole = new BatchNormalization(2);
        Tensor x = RandomTensors.Normal(1, [3, 2]);
        Near.Same(whole.forward(x), norm.forward(x));
    }

    [Fact]
    public void NormSplits_QueriesInOrderKeysShuffled_EqualsPartsFedApart()
    {
        using var scope = NewDisposeScope();
        const long step = 5;
        using SiameseMethod split = Create(2);
        var batch = new ViewBatch([View(1), View(2)]) { Step = step };
        LossTerms terms = split.Loss(batch);
        split.AfterStep(batch, terms);

        int[] order = [.. Enumerable.Range(0, 16)];
        new RandomStream(1, RandomPurpose.Splits, sample: step).Shuffle<int>(order);
        Assert.NotEqual(Enumerable.Range(0, 16), order);
        Tensor keys = zeros(16, 8), shuffled = Embed(View(1)[tensor(Array.ConvertAll(order, i => (long)i))]);
        for (int i = 0; i < 16; i++) keys[order[i]].copy_(shuffled[i]);
        Near.Equal(Embed(View(2)), terms.Embeddings, 1e-5);
        Near.Equal(SiameseMethod.Normalize(keys), split.state_dict()["queue.rows"][..16], 1e-5);

        // A method that has made no step has the same weights in both networks, so that its query of a part is a key of it too.
        static Tensor Embed(Tensor view) => cat([.. view.chunk(2).Select(part =>
        {
            using SiameseMethod plain = Create(1);
            return plain.Loss(new ViewBatch([part, part])).Embeddings;
        })]);
    }

    [Fact]
    public void Run_NormSplitsStoppedAndResumed_EndsWithTheSameBits()
    {
        Recipe recipe = Recipe.Resolve([OptionsJson.Parse("""
            { "method": { "name": "moco-v2", "queueSize": 64, "normSplits": 4, "projectorOutput": 8 },
              "backbone": { "width": 4, "depths": [1, 1] },
              "training": { "epochs": 3, "batchSize": 32, "threads": 1, "checkpointSteps": 2 } }
            """, "splits")], [], Images);
        ImageDataset images = ImageDataset.Load(Images(recipe.Data), recipe.Data);
        RunFolder whole = new(Path.Combine(_folder, "whole")), parts = new(Path.Combine(_folder, "parts"));
        Assert.True(Pretraining.Run(recipe, images, whole).Finished);
        foreach (long step in new[] { 3, 6 })
        {
            using var cancel = new CancellationTokenSource();
            Assert.False(Pretraining.Run(recipe, images, parts, resume: true, new EveryMethodTests.StopAt(step, cancel),
                cancellationToken: cancel.Token).Finished);
        }
        Assert.True(Pretraining.Run(recipe, images, parts, resume: true).Finished);
        Assert.Equal(File.ReadAllBytes(whole.CheckpointPath), File.ReadAllBytes(parts.CheckpointPath));
        Assert.Equal(File.ReadAllBytes(whole.EncoderPath), File.ReadAllBytes(parts.EncoderPath));

        static SubsetSource Images(DataOptions options) =>
            new(ImageSources.Open("fashion-mnist:sample", options), [.. Enumerable.Range(0, 96)], "96 images");
    }

    [Theory]
    [InlineData("backbone.name=vit_ti", "vit_ti has no batch normalisation")]
    [InlineData("training.batchSize=8", "fewer than 2 images")]
    public void NormSplits_WithoutWhatItSplits_IsRefused(string assignment, string problem)
    {
        var refused = Assert.Throws<OptionsException>(() => Recipe.Resolve([],
            ["method=moco-v2", "method.normSplits=8", "method.queueSize=1024", assignment],
            options => ImageSources.Open("fashion-mnist:sample", options)));
        Assert.Contains($"method.normSplits: ", refused.Message);
        Assert.Contains(problem, refused.Message);
    }

    [Fact]
    public void NormSplits_NetworkWithTorchSharpsOwnNormalisation_IsRefused()
    {
        var setup = new MethodSetup(() => nn.Sequential(nn.BatchNorm2d(1), nn.Flatten()), 64, 1);
        Assert.Contains("cannot be split",
            Assert.Throws<OptionsException>(() => new MoCoV2Options { QueueSize = 32, NormSplits = 2 }.Create(setup)).Message);
    }
}

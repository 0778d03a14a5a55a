using System.Text.Json;
using SiamSharp.Backbones;
using SiamSharp.Methods;
using SiamSharp.Optim;
using SiamSharp.Options;
using SiamSharp.Tests.Reference;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Methods;

public sealed class SimClrTests
{
    private static SiameseMethod Create(SimClrOptions? options = null, ulong seed = 1)
    {
        return (options ?? new()).Create(
            new MethodSetup(() => new BackboneOptions { Width = 8, Depths = [1, 1] }.Create(1, 16, seed), 16, seed));
    }

    [Fact]
    public void StateDict_HoldsBackboneAndProjector()
    {
        using var method = Create();
        var state = method.state_dict();
        Assert.Equal([8, 1, 3, 3], state["backbone.conv1.weight"].shape);
        Assert.Equal([16, 16], state["projector.0.weight"].shape);
        Assert.Equal([128, 16], state["projector.3.weight"].shape);
        Assert.All(state.Keys, key => Assert.Matches("^(backbone|projector)[.]", key));
        Assert.Equal(method.state_dict().Count, state.Keys.Distinct().Count());
    }

    [Fact]
    public void Loss_ViewsOfTwoSizes_EqualsNtXentOfSeparatePasses()
    {
        using var scope = NewDisposeScope();
        using var method = Create();
        method.eval(); // in training the batch statistics of separate passes differ
        var projector = method.named_children().Single(c => c.name == "projector").module as nn.Module<Tensor, Tensor>;
        Tensor[] views = [.. new[] { 16, 16, 8, 16 }.Select((size, v) => RandomTensors.Normal((ulong)v, [4, 1, size, size]))];
        Tensor[] embeddings = [.. views.Select(view => projector!.forward(method.Backbone.forward(view)))];
        var terms = method.Loss(new(views));
        Assert.Equal(NtXent.Loss(embeddings, 0.2).item<float>(), terms.Total.item<float>(), 1e-5);
        Assert.Equal(["positive_cosine", "embedding_spread"], terms.Terms.Select(t => t.Name));
    }

    [Fact]
    public void Loss_CollapsedBackbone_ShowsNoSpread()
    {
        using var scope = NewDisposeScope();
        using var method = Create();
        method.eval();
        var same = ones(4, 1, 16, 16);
        var terms = method.Loss(new([same, same])).Terms.ToDictionary(t => t.Name, t => t.Value.item<float>());
        Assert.Equal(1, terms["positive_cosine"], 1e-5);
        Assert.Equal(0, terms["embedding_spread"], 1e-3);
    }

    [Fact]
    public void Loss_BatchOfOne_ThrowsNamingTheBatch()
    {
        using var scope = NewDisposeScope();
        using var method = Create();
        method.eval();
        var one = ones(1, 1, 16, 16);
        Assert.Contains("batch of 1", Assert.Throws<ArgumentException>(() => method.Loss(new([one, one]))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Training_FewSteps_LowersTheLossAndKeepsTheLiveTensorCount()
    {
        using var method = Create();
        using var optimizer = new AdamWOptions().Create(method);
        using var clean = RandomTensors.Normal(1, [16, 1, 16, 16]);
        var (losses, counts) = (new List<float>(), new List<long>());
        for (int step = 0; step < 12; step++)
        {
            using (var scope = NewDisposeScope())
            {
                var noise = RandomTensors.Normal((ulong)step, [16, 1, 16, 16]) * 0.3f;
                var terms = method.Loss(new([clean + noise, clean - noise]));
                terms.Total.backward();
                optimizer.Step(2e-3);
                optimizer.ZeroGrad();
                losses.Add(terms.Total.item<float>());
            }
            counts.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        }
        Assert.True(losses[^1] < 0.7 * losses[0], $"from {losses[0]} to {losses[^1]}");
        Assert.Single(counts.Skip(1).Distinct());
    }

    [Fact]
    public void Create_SameSeed_GivesTheSameBits()
    {
        using var scope = NewDisposeScope();
        using var first = Create(seed: 5);
        using var second = Create(seed: 5);
        var view = RandomTensors.Normal(1, [4, 1, 16, 16]);
        Near.Same(first.Loss(new([view, view * 2])).Total, second.Loss(new([view, view * 2])).Total);
    }

    [Fact]
    public void Options_Json_RoundTripsByName()
    {
        MethodOptions options = new SimClrOptions { Temperature = 0.5, ProjectorHidden = 64 };
        string json = JsonSerializer.Serialize(options, OptionsJson.Serializer);
        Assert.Contains("\"name\": \"simclr\"", json, StringComparison.Ordinal);
        Assert.DoesNotContain("views", json, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(options, JsonSerializer.Deserialize<MethodOptions>(json, OptionsJson.Serializer));
    }
}

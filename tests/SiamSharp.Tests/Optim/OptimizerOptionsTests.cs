using System.Text.Json;
using SiamSharp.Optim;
using SiamSharp.Options;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Optim;

public sealed class OptimizerOptionsTests
{
    [Theory]
    [InlineData("""{"name":"adamw","learningRate":0.5,"beta2":0.9}""", typeof(AdamWOptions), 0.5)]
    [InlineData("""{"name":"sgd","nesterov":true}""", typeof(SgdOptions), 0.05)]
    [InlineData("""{"name":"lars","trust":0.01}""", typeof(LarsOptions), 0.3)]
    public void Deserialize_ByName_KeepsTheDefaultsOfItsKind(string json, Type type, double learningRate)
    {
        var options = JsonSerializer.Deserialize<OptimizerOptions>(json, OptionsJson.Serializer)!;
        Assert.IsType(type, options);
        Assert.Equal(learningRate, options.LearningRate);
        Assert.Equal(options, JsonSerializer.Deserialize<OptimizerOptions>(
            JsonSerializer.Serialize(options, OptionsJson.Serializer), OptionsJson.Serializer));
    }

    [Fact]
    public void Create_FrozenParameters_AreLeftOut()
    {
        using var module = nn.Sequential(("a", nn.Linear(2, 2)), ("b", nn.Linear(2, 2)));
        foreach (var parameter in module.children().First().parameters()) parameter.requires_grad = false;
        using var optimizer = new SgdOptions().Create(module);
        Assert.Equal(["momentum_buffer.b.bias", "momentum_buffer.b.weight"], optimizer.State.Keys);
    }
}

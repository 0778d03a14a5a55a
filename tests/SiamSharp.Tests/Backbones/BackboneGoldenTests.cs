using System.Runtime.InteropServices;
using System.Text;
using SiamSharp.Backbones;
using SiamSharp.Tests.Reference;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Backbones;

/// <summary>Keys, shapes and answers of torchvision's models, for weights made by a formula.</summary>
public sealed class BackboneGoldenTests
{
    [Theory]
    [InlineData("resnet18", "resnet18", "fc")]
    [InlineData("resnext50_32x4d", "resnext50_32x4d", "fc")]
    [InlineData("wide_resnet50_2", "wide_resnet50_2", "fc")]
    [InlineData("regnet_y_400mf", "regnet_y_400mf", "fc")]
    [InlineData("convnext_tiny", "convnext_tiny", "classifier.2")]
    [InlineData("vit_b_16", "vit_b", "heads.head")]
    public void Forward_TorchvisionWeights_GivesTorchvisionsLogits(string file, string name, string head)
    {
        using var scope = NewDisposeScope();
        var golden = new GoldenFile($"backbone_{file}.json");
        using var backbone = new BackboneOptions { Name = name }.Create(channels: 3, size: 224, seed: 1);
        using var linear = nn.Linear(backbone.OutputWidth, 1000);

        var expected = golden["state_dict"].EnumerateObject().ToDictionary(e => e.Name, e => GoldenFile.Shape(e.Value).ToArray());
        var actual = backbone.state_dict()
            .Concat(linear.state_dict().Select(e => KeyValuePair.Create($"{head}.{e.Key}", e.Value))).ToDictionary();
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        Assert.All(expected, e => Assert.Equal(e.Value, actual[e.Key].shape));
        Assert.Equal(golden["parameters"].GetInt64(), backbone.parameters().Concat(linear.parameters()).Sum(p => p.numel()));

        using var _ = no_grad();
        foreach (var (key, target) in actual) FillByFormula(key, target);
        backbone.eval();
        var input = zeros([.. GoldenFile.Shape(golden["input_shape"])]);
        FillByFormula("input", input);
        var logits = linear.forward(backbone.forward(input));
        double norm = golden.Number("logits_norm");
        Assert.Equal(norm, logits.norm().item<float>(), 1e-4 * norm);
        Assert.Equal(golden.Number("logits_mean"), logits.mean().item<float>(), 1e-5 * norm);
        float[] first = [.. golden["logits_first16"].EnumerateArray().Select(v => v.GetSingle())];
        Assert.All(first.Zip(logits.flatten()[..16].data<float>()), pair => Assert.Equal(pair.First, pair.Second, 1e-4 * norm));
    }

    // The formula is in the golden files.
    private static void FillByFormula(string key, Tensor target)
    {
        if (key.EndsWith("num_batches_tracked", StringComparison.Ordinal)) return;
        long phase = Encoding.ASCII.GetBytes(key).Sum(b => b) % 97;
        double scale = target.dim() >= 2 ? Math.Sqrt(3.0 / (target.numel() / target.shape[0])) : 0;
        var values = MemoryMarshal.Cast<byte, float>(target.bytes);
        for (int i = 0; i < values.Length; i++)
        {
            double u = ((i * 7919L + phase * 104729L) % 10007) / 10007.0 * 2 - 1;
            values[i] = (float)(key switch
            {
                "input" => u,
                _ when key.EndsWith("running_var", StringComparison.Ordinal) => 1 + 0.5 * u,
                _ when key.EndsWith("running_mean", StringComparison.Ordinal) => 0.1 * u,
                _ when key.EndsWith("layer_scale", StringComparison.Ordinal) => 0.5 * u,
                _ when key is "class_token" or "encoder.pos_embedding" => 0.05 * u,
                _ when target.dim() >= 2 => u * scale,
                _ when key.EndsWith("weight", StringComparison.Ordinal) => 1 + 0.1 * u,
                _ => 0.05 * u,
            });
        }
    }
}

using SiamSharp.Backbones;
using SiamSharp.Files;
using SiamSharp.Options;
using SiamSharp.Tests.Reference;
using SiamSharp.Views;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Interop;

public sealed class WeightsFileTests : IDisposable
{
    private static readonly BackboneOptions
        s_resNet = new() { Width = 4, Depths = [1] },
        s_convNeXt = new() { Name = "convnext_tiny", Width = 8, Depths = [1, 1] },
        s_transformer = new() { Name = "vit_ti", Width = 12, Depths = [1] };

    private readonly string _folder = Directory.CreateTempSubdirectory("weights").FullName;
    private readonly string _path;

    public WeightsFileTests() => _path = Path.Combine(_folder, "weights.safetensors");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>timm's names of the tensors of a ConvNeXt with one block in each of two stages, and those that
    /// torchvision gives them.</summary>
    private static readonly (string Timm, string Torchvision)[] s_convNeXtNames =
    [
        ("stem.0.weight", "features.0.0.weight"), ("stem.0.bias", "features.0.0.bias"),
        ("stem.1.weight", "features.0.1.weight"), ("stem.1.bias", "features.0.1.bias"),
        ("stages.0.blocks.0.gamma", "features.1.0.layer_scale"),
        ("stages.0.blocks.0.conv_dw.weight", "features.1.0.block.0.weight"),
        ("stages.0.blocks.0.conv_dw.bias", "features.1.0.block.0.bias"),
        ("stages.0.blocks.0.norm.weight", "features.1.0.block.2.weight"),
        ("stages.0.blocks.0.norm.bias", "features.1.0.block.2.bias"),
        ("stages.0.blocks.0.mlp.fc1.weight", "features.1.0.block.3.weight"),
        ("stages.0.blocks.0.mlp.fc1.bias", "features.1.0.block.3.bias"),
        ("stages.0.blocks.0.mlp.fc2.weight", "features.1.0.block.5.weight"),
        ("stages.0.blocks.0.mlp.fc2.bias", "features.1.0.block.5.bias"),
        ("stages.1.downsample.0.weight", "features.2.0.weight"), ("stages.1.downsample.0.bias", "features.2.0.bias"),
        ("stages.1.downsample.1.weight", "features.2.1.weight"), ("stages.1.downsample.1.bias", "features.2.1.bias"),
        ("stages.1.blocks.0.gamma", "features.3.0.layer_scale"),
        ("stages.1.blocks.0.conv_dw.weight", "features.3.0.block.0.weight"),
        ("stages.1.blocks.0.conv_dw.bias", "features.3.0.block.0.bias"),
        ("stages.1.blocks.0.norm.weight", "features.3.0.block.2.weight"),
        ("stages.1.blocks.0.norm.bias", "features.3.0.block.2.bias"),
        ("stages.1.blocks.0.mlp.fc1.weight", "features.3.0.block.3.weight"),
        ("stages.1.blocks.0.mlp.fc1.bias", "features.3.0.block.3.bias"),
        ("stages.1.blocks.0.mlp.fc2.weight", "features.3.0.block.5.weight"),
        ("stages.1.blocks.0.mlp.fc2.bias", "features.3.0.block.5.bias"),
        ("head.norm.weight", "classifier.0.weight"), ("head.norm.bias", "classifier.0.bias"),
    ];

    /// <summary>The same of a ViT with one block.</summary>
    private static readonly (string Timm, string Torchvision)[] s_transformerNames =
    [
        ("cls_token", "class_token"), ("pos_embed", "encoder.pos_embedding"),
        ("patch_embed.proj.weight", "conv_proj.weight"), ("patch_embed.proj.bias", "conv_proj.bias"),
        ("blocks.0.norm1.weight", "encoder.layers.encoder_layer_0.ln_1.weight"),
        ("blocks.0.norm1.bias", "encoder.layers.encoder_layer_0.ln_1.bias"),
        ("blocks.0.attn.qkv.weight", "encoder.layers.encoder_layer_0.self_attention.in_proj_weight"),
        ("blocks.0.attn.qkv.bias", "encoder.layers.encoder_layer_0.self_attention.in_proj_bias"),
        ("blocks.0.attn.proj.weight", "encoder.layers.encoder_layer_0.self_attention.out_proj.weight"),
        ("blocks.0.attn.proj.bias", "encoder.layers.encoder_layer_0.self_attention.out_proj.bias"),
        ("blocks.0.norm2.weight", "encoder.layers.encoder_layer_0.ln_2.weight"),
        ("blocks.0.norm2.bias", "encoder.layers.encoder_layer_0.ln_2.bias"),
        ("blocks.0.mlp.fc1.weight", "encoder.layers.encoder_layer_0.mlp.0.weight"),
        ("blocks.0.mlp.fc1.bias", "encoder.layers.encoder_layer_0.mlp.0.bias"),
        ("blocks.0.mlp.fc2.weight", "encoder.layers.encoder_layer_0.mlp.3.weight"),
        ("blocks.0.mlp.fc2.bias", "encoder.layers.encoder_layer_0.mlp.3.bias"),
        ("norm.weight", "encoder.ln.weight"), ("norm.bias", "encoder.ln.bias"),
    ];

    /// <summary>Another draw of a network's weights, its answers, and a file of these weights.</summary>
    private Tensor Save(
        BackboneOptions options, Func<Dictionary<string, Tensor>, IEnumerable<KeyValuePair<string, Tensor>>> change)
    {
        using var source = options.Create(1, 28, seed: 1);
        source.eval();
        SafeTensors.Write(_path, change(source.state_dict()).ToDictionary());
        return source.forward(RandomTensors.Normal(1, [2, 1, 28, 28]));
    }

    private Tensor Loaded(BackboneOptions options, string suffix = "")
    {
        using var backbone = (options with { Weights = _path + suffix }).Create(1, 28, seed: 2);
        backbone.eval();
        return backbone.forward(RandomTensors.Normal(1, [2, 1, 28, 28]));
    }

    private static IEnumerable<KeyValuePair<string, Tensor>> Prefixed(
        IEnumerable<KeyValuePair<string, Tensor>> weights, string prefix) =>
        weights.Select(w => KeyValuePair.Create(prefix + w.Key, w.Value));

    private static IEnumerable<KeyValuePair<string, Tensor>> Timm(
        Dictionary<string, Tensor> weights, (string Timm, string Torchvision)[] names)
    {
        Assert.Equal(weights.Keys.Order(), names.Select(n => n.Torchvision).Order());
        return names.Select(n => KeyValuePair.Create(n.Timm,
            n.Timm.EndsWith("gamma", StringComparison.Ordinal) ? weights[n.Torchvision].view(-1) : weights[n.Torchvision]));
    }

    [Fact]
    public void Load_TimmConvNeXt_GivesTheSameNetwork()
    {
        using var scope = NewDisposeScope();
        var expected = Save(s_convNeXt,
            weights => Timm(weights, s_convNeXtNames).Append(KeyValuePair.Create("head.fc.weight", zeros(3, 16))));
        Near.Same(expected, Loaded(s_convNeXt));
    }

    [Fact]
    public void Load_TimmTransformer_GivesTheSameNetwork()
    {
        using var scope = NewDisposeScope();
        var expected = Save(s_transformer,
            weights => Timm(weights, s_transformerNames).Append(KeyValuePair.Create("head.weight", zeros(3, 12))));
        Near.Same(expected, Loaded(s_transformer));
    }

    [Fact]
    public void Load_WeightsThatDoNotFit_SaysWhichOptionsDo()
    {
        using var scope = NewDisposeScope();
        Save(s_resNet, weights => weights);
        string Fault(BackboneOptions options) =>
            Assert.Throws<StateDictMismatchException>(() => (options with { Weights = _path }).Create(3, 28, seed: 2)).Message;
        Assert.Contains("They were made for images of 1 channel, and these have 3: --set data.channels=1 makes the images grey.",
            Fault(s_resNet));

        using (var network = s_resNet.Create(1, 28, seed: 1))
            Encoder.Save(_path, network, s_resNet, new Preprocessing(new(), [0.5], [0.25]), 1, 28);
        Assert.Contains("They were made for images of 1 channel", Fault(s_resNet));
        Assert.Contains($"They were written by siam and fit --set backbone.name={s_resNet.Name} ", Fault(new BackboneOptions()));
    }

    [Fact]
    public void Load_WithoutStatisticsOrIntoAnotherPublishedNetwork_SaysWhatToDo()
    {
        using var scope = NewDisposeScope();
        string Fault(BackboneOptions options) =>
            Assert.Throws<StateDictMismatchException>(() => (options with { Weights = _path }).Create(3, 28, seed: 2)).Message;
        var published = new BackboneOptions { Name = "resnet18", Stem = Stem.ImageNet };
        using Backbone network = published.Create(3, 28, seed: 1);
        SafeTensors.Write(_path, network.state_dict());
        Assert.Contains("They are those of resnet18 as published, which --backbone resnet18 of `siam embed` takes; "
            + "in a recipe they need backbone.name=resnet18, backbone.width=0, backbone.depths=[] and backbone.stem=imagenet.",
            Fault(published with { Width = 16, Depths = [1, 1] }));
        SafeTensors.Write(_path, network.state_dict()
            .ToDictionary(t => "resnet.embedder." + t.Key.Replace("weight", "kernel", StringComparison.Ordinal), t => t.Value)
            .Take(3).ToDictionary());
        Assert.Contains("None of their names is one of torchvision's or timm's", Fault(published));
        SafeTensors.Write(_path, network.named_parameters().ToDictionary(p => p.name, p => (Tensor)p.parameter));
        Assert.Contains(
            "The file lacks the means and variances of the batch normalisations: save model.state_dict()", Fault(published));
    }

    [Theory]
    [InlineData("m.safetensors.index.json", "{\"metadata\": {}, \"weight_map\": {\"a\": \"b\"}}",
        "it lists the parts in which large weights were saved: put them together in Python")]
    public void Read_OtherFiles_SaysWhatTheyAre(string file, string text, string expected)
    {
        string path = Path.Combine(_folder, file);
        File.WriteAllText(path, text);
        Assert.Contains(expected, Assert.ThrowsAny<Exception>(() => WeightsFile.Read(path)).Message);
    }

    [Fact]
    public void Create_WeightsAreAFolder_IsSaid()
    {
        string Fault() =>
            Assert.Throws<OptionsException>(() => (s_resNet with { Weights = _folder }).Create(3, 28, seed: 2)).Message;
        Assert.Equal($"backbone.weights: \"{_folder}\" is a folder: give the file of weights in it", Fault());
        File.WriteAllText(Path.Combine(_folder, "encoder.safetensors"), "");
        Assert.EndsWith($"give the file of weights, {Path.Combine(_folder, "encoder.safetensors")}", Fault());
    }

    [Theory]
    [InlineData("module.")]
    [InlineData("backbone.")]
    [InlineData("encoder.")]
    [InlineData("state_dict.module.encoder_q.")]
    public void Load_AnyPrefix_IsFoundAndTheRestPassedOver(string prefix)
    {
        using var scope = NewDisposeScope();
        var rest = new Dictionary<string, Tensor>
        {
            ["projector.0.weight"] = zeros(2, 2),
            ["conv1.weight"] = zeros(1),
            [prefix + "fc.bias"] = zeros(10)
        };
        foreach (BackboneOptions options in new[] { s_resNet, s_convNeXt, s_transformer })
        {
            var expected = Save(options, weights => Prefixed(weights, prefix).Concat(rest));
            Near.Same(expected, Loaded(options));
        }
    }

    [Fact]
    public void Load_NetworkTwice_AsksForAPrefix()
    {
        using var scope = NewDisposeScope();
        var expected = Save(s_resNet, weights => Prefixed(weights, "teacher.")
            .Concat(Prefixed(weights, "student.").Select(w => KeyValuePair.Create(w.Key, zeros_like(w.Value)))));
        var fault = Assert.Throws<ArgumentException>(() => Loaded(s_resNet));
        Assert.Equal($"{_path} holds the network 2 times, under \"student.\" and \"teacher.\": name one, such as {_path}#student",
            fault.Message);
        Near.Same(expected, Loaded(s_resNet, "#teacher"));
        Assert.Contains("Networks lie under \"student\", \"teacher\".",
            Assert.Throws<ArgumentException>(() => Loaded(s_resNet, "#absent")).Message);
    }

    [Fact]
    public void Load_WithoutCounters_LoadsAndOtherDifferencesAreListed()
    {
        using var scope = NewDisposeScope();
        var expected = Save(s_resNet,
            weights => weights.Where(w => !w.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal)));
        Near.Same(expected, Loaded(s_resNet));

        Save(s_resNet, weights =>
            Prefixed(weights.Where(w => w.Key != "bn1.bias").Append(KeyValuePair.Create("layer9.weight", ones(1))), "module."));
        var fault = Assert.Throws<StateDictMismatchException>(() => Loaded(s_resNet));
        Assert.Equal(["bn1.bias"], fault.Missing);
        Assert.Equal(["layer9.weight"], fault.Unexpected);
    }

    [Fact]
    public void Load_AHundredThousandPossiblePrefixes_TakesNoLongerThanTheNames()
    {
        using var scope = NewDisposeScope();
        using var backbone = s_resNet.Create(1, 28, seed: 1);
        var one = zeros(1);
        SafeTensors.Write(_path, Enumerable.Range(0, 100_000).ToDictionary(i => $"x{i}.conv1.weight", _ => one));
        Assert.Contains("bn1.weight", Assert.Throws<StateDictMismatchException>(() => WeightsFile.Load(backbone, _path)).Missing);
    }

    [Fact]
    public void Load_ClassifierAlone_SaysSo()
    {
        using var scope = NewDisposeScope();
        using var backbone = s_resNet.Create(1, 28, seed: 1);
        SafeTensors.Write(_path, new Dictionary<string, Tensor> { ["fc.weight"] = zeros(2, 2), ["fc.bias"] = zeros(2) });
        Assert.Contains("holds a classifier alone (fc.bias, fc.weight)",
            Assert.Throws<ArgumentException>(() => WeightsFile.Load(backbone, _path)).Message);
    }

    [Fact]
    public void Load_AnotherNetwork_ListsWhatDiffers()
    {
        using var scope = NewDisposeScope();
        Save(s_resNet, weights => weights); // holds conv1.weight in many places, none of them a network
        Assert.Contains("features.0.0.weight", Assert.Throws<StateDictMismatchException>(() => Loaded(s_convNeXt)).Missing);
    }

    [Theory]
    [InlineData("", "4")] // nn.Sequential(*list(resnet.children())): relu and pooling have numbers too
    [InlineData("backbone.", "4")]
    [InlineData("model.encoder.", "2")] // where they are functions
    public void Load_ResNetByPosition_IsFound(string prefix, string firstStage)
    {
        Tensor expected = Save(s_resNet,
            weights => weights.Where(w => !w.Key.StartsWith("fc.", StringComparison.Ordinal)).Select(w => KeyValuePair.Create(
                prefix + w.Key.Replace("layer1.", firstStage + ".")
                    .Replace("conv1.", w.Key.StartsWith("conv1.", StringComparison.Ordinal) ? "0." : "conv1.")
                    .Replace("bn1.", w.Key.StartsWith("bn1.", StringComparison.Ordinal) ? "1." : "bn1."), w.Value)));
        Near.Same(expected, Loaded(s_resNet));
        if (prefix.Length > 0) Near.Same(expected, Loaded(s_resNet, "#" + prefix.TrimEnd('.')));
    }

    [Fact]
    public void Load_PrefixThatIsNotThere_NamesThoseThatAre()
    {
        Save(s_resNet, weights => weights.Select(w => KeyValuePair.Create("teacher.backbone." + w.Key, w.Value)));
        Assert.Contains("has nothing under \"student\". Networks lie under \"teacher.backbone\".",
            Assert.Throws<ArgumentException>(() => Loaded(s_resNet, "#student")).Message);
        Save(s_resNet, weights => weights.Select(w => KeyValuePair.Create("a." + w.Key.Replace("conv1.weight", "w"), w.Value)));
        Assert.Contains("Its names begin with \"a\".",
            Assert.Throws<ArgumentException>(() => Loaded(s_resNet, "#student")).Message);
        Save(s_resNet, weights => weights);
        Assert.Contains("lies at its top", Assert.Throws<ArgumentException>(() => Loaded(s_resNet, "#student")).Message);
    }
}

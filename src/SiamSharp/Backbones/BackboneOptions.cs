using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using SiamSharp.Interop;
using SiamSharp.Recipes;

namespace SiamSharp.Backbones;

/// <summary>Which network turns an image into its representation.</summary>
public sealed record BackboneOptions : IHasRules
{
    /// <summary>Architecture: <c>resnet18</c>, <c>resnet34</c> (basic blocks) or <c>resnet50</c> (bottleneck blocks).</summary>
    public string Name { get; init; } = "resnet18";

    /// <summary>Channels of the first stage, doubled by each later stage; 64 as published, 16 for small machines.</summary>
    [Range(1, 1024)] public int Width { get; init; } = 64;

    /// <summary>Blocks in each stage, 1 to 6 stages; empty = as published (2-2-2-2 or 3-4-6-3).</summary>
    public IReadOnlyList<int> Depths { get; init; } = [];

    /// <summary>The first layers.</summary>
    public Stem Stem { get; init; } = Stem.Auto;

    /// <summary>A safetensors file of weights to start from (torchvision's keys, <c>fc.*</c> passed over); empty = drawn.</summary>
    public string Weights { get; init; } = "";

    /// <inheritdoc/>
    public IEnumerable<Fault> Faults()
    {
        if (!ResNet.Architectures.ContainsKey(Name))
            yield return new("name", $"\"{Name}\" is not one of {string.Join(", ", ResNet.Architectures.Keys)}");
        if (Depths.Count > 6)
            yield return new("depths", $"has {Depths.Count} stages; at most 6 are allowed");
        for (int i = 0; i < Depths.Count; i++)
        {
            if (Depths[i] is < 1 or > 100)
                yield return new($"depths.{i}", $"is {Depths[i]}; 1 to 100 blocks are allowed");
        }
    }

    /// <summary>Builds the network and gives it its weights.</summary>
    /// <param name="channels">Channels of the images, 1 or more.</param>
    /// <param name="size">Side of the images in pixels; decides the stem when it is <see cref="Stem.Auto"/>.</param>
    /// <param name="seed">Seed of the weights that are drawn.</param>
    /// <returns>A backbone in training mode on the CPU, owned by the caller.</returns>
    /// <exception cref="ArgumentException">The options break a rule.</exception>
    /// <exception cref="RecipeException">The file of weights does not exist.</exception>
    /// <exception cref="SafeTensorsException">The file of weights is damaged.</exception>
    /// <exception cref="StateDictMismatchException">The file holds the weights of another network.</exception>
    public Backbone Create(int channels, int size, ulong seed)
    {
        string[] faults = [.. Faults().Select(f => $"backbone.{f.Path}: {f.Problem}")];
        if (faults.Length > 0) throw new ArgumentException(string.Join(Environment.NewLine, faults));

        var backbone = new ResNet(this, channels, size);
        Initialization.Draw(backbone, seed);
        if (Weights.Length > 0) LoadWeights(backbone);
        return backbone;
    }

    private void LoadWeights(Backbone backbone)
    {
        if (!File.Exists(Weights)) throw new RecipeException([new Fault("backbone.weights", $"the file \"{Weights}\" does not exist")]);
        using var file = SafeTensors.Read(Weights);
        StateDict.Load(backbone, file.Tensors.Where(t => !t.Key.StartsWith("fc.", StringComparison.Ordinal)).ToDictionary());
    }
}

/// <summary>The first layers of a ResNet.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Stem>))]
public enum Stem
{
    /// <summary><see cref="Small"/> for images of up to 64 pixels a side, <see cref="ImageNet"/> for larger ones.</summary>
    [JsonStringEnumMemberName("auto")] Auto,

    /// <summary>A 7 x 7 convolution with stride 2 and a 3 x 3 maximum with stride 2, as torchvision.</summary>
    [JsonStringEnumMemberName("imagenet")] ImageNet,

    /// <summary>A 3 x 3 convolution with stride 1 and no pooling (He et al. 2015 on CIFAR; SimCLR, appendix B.9).</summary>
    [JsonStringEnumMemberName("small")] Small,

    /// <summary>A 3 x 3 convolution with stride 2 and no pooling: a quarter of <see cref="Small"/>'s work for the same width.</summary>
    [JsonStringEnumMemberName("half")] Half,
}

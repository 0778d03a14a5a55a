using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json.Serialization;
using SiamSharp.Files;
using SiamSharp.Masking;
using SiamSharp.Messages;
using SiamSharp.Options;

namespace SiamSharp.Backbones;

/// <summary>Which network turns an image into its representation.</summary>
public sealed record BackboneOptions : IHasRules
{
    /// <summary>Architecture, by torchvision's name: resnet18, resnet50, regnet_y_400mf, convnext_tiny, vit_b, ...; a wrong one is answered with all names.</summary>
    public string Name { get; init; } = "resnet18";

    /// <summary>Channels of the first stage, from which those of the others follow; of a ViT, of its tokens. 0 = as published.</summary>
    [Range(0, 4096)] public int Width { get; init; }

    /// <summary>Blocks in each stage, 1 to 6 stages (a RegNet: 4, a ViT: 1); empty = as published.</summary>
    public IReadOnlyList<int> Depths { get; init; } = [];

    /// <summary>The first layers of a ConvNet.</summary>
    public Stem Stem { get; init; } = Stem.Auto;

    /// <summary>Side in pixels of a ViT's patches, 1 to 64; 0 = 4 for images of up to 64 pixels, 16 for larger ones.</summary>
    [Range(0, 64)] public int PatchSize { get; init; }

    /// <summary>What a ViT's representation is.</summary>
    public Pooling Pooling { get; init; } = Pooling.ClassToken;

    /// <summary>
    /// A ConvNet's last map is averaged in each cell of a grid of this many rows and columns, and all the means together are the representation: 4 gives 16 times as many numbers as 1, the average over the
    /// whole image. More than 1 keeps where something is, for images whose objects always lie at the same place.
    /// </summary>
    [Range(1, 64)] public int PoolSize { get; init; } = 1;

    /// <summary>
    /// The grid that pretraining sees, which may be coarser than the representation's: with 1 the loss is of averages over the whole image, and what each place shows is read from the map all the same.
    /// 0 = <see cref="PoolSize"/>.
    /// </summary>
    [Range(0, 64)] public int PretrainPoolSize { get; init; }

    /// <summary>
    /// Whether the scale of the last batch normalisation of each residual block begins at 0, so that the block passes its input on at first. The authors of SimCLR,
    /// SimSiam, MoCo v3, Barlow Twins and VICReg begin so; torchvision's networks and the figures recorded here with 1.
    /// </summary>
    public bool ZeroInitResidual { get; init; }

    /// <summary>A file of weights to start from, safetensors or PyTorch's (.pth), with torchvision's or timm's names, under any prefix (or under PREFIX: FILE#PREFIX); empty = drawn.</summary>
    public string Weights { get; init; } = "";

    /// <summary>All names that <see cref="Name"/> can have.</summary>
    [JsonIgnore]
    public static IReadOnlyList<string> Names { get; } =
        [.. ResNet.Architectures.Keys, .. RegNet.Architectures.Keys, .. ConvNeXt.Architectures.Keys, .. VisionTransformer.Architectures.Keys];

    private bool IsTransformer => VisionTransformer.Architectures.ContainsKey(Name);

    /// <summary>Whether the architecture has batch normalisations; the others normalise over channels.</summary>
    [JsonIgnore] public bool HasBatchNormalization => ResNet.Architectures.ContainsKey(Name) || RegNet.Architectures.ContainsKey(Name);

    /// <summary>Stages that the architecture allows.</summary>
    private int MaxStages => IsTransformer ? 1 : RegNet.Architectures.ContainsKey(Name) ? 4 : 6;

    /// <inheritdoc/>
    public IEnumerable<Fault> Faults()
    {
        if (!Names.Contains(Name))
            yield return new("name", $"\"{Name}\" is not one of {string.Join(", ", Names)}{Nearest.Question(Name, Names)}");
        if (Depths.Count > MaxStages)
            yield return new("depths", $"has {Depths.Count} stages; at most {MaxStages} are allowed for {Name}");
        if (IsTransformer && Stem != Stem.Auto)
            yield return new("stem", $"{Name} has none: set backbone.patchSize instead");
        if (!IsTransformer && PatchSize != 0)
            yield return new("patchSize", $"{Name} has no patches: leave it 0, or choose a ViT");
        if (!IsTransformer && Pooling != Pooling.ClassToken)
            yield return new("pooling", $"{Name} always averages over its pixels: leave it out, or choose a ViT");
        if (IsTransformer && PoolSize != 1)
            yield return new("poolSize", $"{Name} has no map to average: leave it 1, or choose a ConvNet");
        if (IsTransformer && PretrainPoolSize > 1)
            yield return new("pretrainPoolSize", $"{Name} has no map to average: leave it 0, or choose a ConvNet");
        if (VisionTransformer.Architectures.TryGetValue(Name, out var transformer) && Width % transformer.Heads != 0)
            yield return new("width", $"{Width} is no multiple of {transformer.Heads}, the heads of {Name}: choose {Math.Max(1, Width / transformer.Heads) * transformer.Heads}");
        if (ZeroInitResidual && !HasBatchNormalization)
            yield return new("zeroInitResidual", $"the blocks of {Name} end in no batch normalisation: leave it false, or choose a ResNet or a RegNet");
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
    /// <exception cref="OptionsException">The options break a rule, or the file of weights does not exist.</exception>
    /// <exception cref="SafeTensorsException">The file of weights is damaged.</exception>
    /// <exception cref="PyTorchFileException">The file of weights is damaged, or holds more than tensors and containers.</exception>
    /// <exception cref="StateDictMismatchException">The file holds the weights of another network.</exception>
    public Backbone Create(int channels, int size, ulong seed)
    {
        OptionsJson.Check(this, "backbone");
        Backbone backbone = IsTransformer ? new VisionTransformer(this, channels, size)
            : ConvNeXt.Architectures.ContainsKey(Name) ? new ConvNeXt(this, channels, size)
            : RegNet.Architectures.ContainsKey(Name) ? new RegNet(this, channels, size)
            : new ResNet(this, channels, size);
        backbone.Draw(seed);
        if (ZeroInitResidual) Initialization.ZeroResiduals(backbone);
        if (Weights.Length == 0) return backbone;
        if (ProblemOfWeights(Weights) is { } problem) throw new OptionsException([new Fault("backbone.weights", problem)]);
        WeightsFile.Load(backbone, Weights);
        return backbone;
    }

    /// <summary>Why there is no file of weights; null where there is one.</summary>
    /// <param name="path">FILE or FILE#PREFIX.</param>
    internal static string? ProblemOfWeights(string path)
    {
        string file = WeightsFile.Split(path).File;
        if (File.Exists(file)) return null;
        if (Nearest.Address(file) is { } address) return $"\"{file}\" cannot be read. {address.TrimEnd('.')}";
        if (Path.GetExtension(file).Length == 0 && Path.GetDirectoryName(file) is "" && !Directory.Exists(file))
            return $"the file \"{file}\" does not exist, and weights are not downloaded by their names: fetch the .pth or .safetensors file, and give its path";
        if (!Directory.Exists(file)) return $"the file \"{file}\" does not exist{(Nearest.Path(file) is { Length: > 0 } hint ? $".{hint.TrimEnd('.')}" : "")}";
        return $"\"{file}\" is a folder: give the file of weights{(Path.Combine(file, "encoder.safetensors") is var inside && File.Exists(inside) ? $", {inside}" : " in it")}";
    }

    /// <summary>The network in a few words: <c>resnet18, width 16, 1-1-1-1 blocks, 0.4 million parameters</c>; as published, its name and parameters alone.</summary>
    /// <param name="channels">Channels of the images.</param>
    /// <param name="size">Side of the images in pixels.</param>
    /// <exception cref="OptionsException">The options break a rule.</exception>
    public string Describe(int channels, int size)
    {
        OptionsJson.Check(this, "backbone");
        var (width, depths) = Published;
        double parameters = ParameterCount(channels, size);
        string[] words =
        [
            Name,
            .. Width > 0 && Width != width ? [$"width {Width}"] : Array.Empty<string>(),
            .. Depths.Count > 0 && !Depths.SequenceEqual(depths) ? [$"{string.Join('-', Depths)} blocks"] : Array.Empty<string>(),
            parameters < 1e5 ? string.Create(CultureInfo.InvariantCulture, $"{parameters:N0} parameters")
                : string.Create(CultureInfo.InvariantCulture, $"{parameters / 1e6:0.0} million parameters"),
        ];
        return string.Join(", ", words);
    }

    private (int Width, IReadOnlyList<int> Depths) Published =>
        VisionTransformer.Architectures.TryGetValue(Name, out var transformer) ? (transformer.Width, [transformer.Depth])
        : ConvNeXt.Architectures.TryGetValue(Name, out var convNeXt) ? (convNeXt.Width, convNeXt.Depths)
        : RegNet.Architectures.TryGetValue(Name, out var regNet) ? (regNet.Widths[0], regNet.Depths)
        : (ResNet.PublishedWidth, ResNet.Architectures[Name].Depths);

    /// <summary>What the sides of small views are rounded to: a ViT's patch; for a ConvNet, which takes any side, 4 px.</summary>
    /// <param name="size">Side of the images in pixels.</param>
    internal int ViewMultiple(int size) => IsTransformer ? VisionTransformer.PatchSizeFor(this, size) : 4;

    /// <summary>How many numbers the network learns, without building it.</summary>
    internal long ParameterCount(int channels, int size) =>
        IsTransformer ? VisionTransformer.ParameterCount(this, channels, size)
        : ConvNeXt.Architectures.ContainsKey(Name) ? ConvNeXt.ParameterCount(this, channels, size)
        : RegNet.Architectures.ContainsKey(Name) ? RegNet.ParameterCount(this, channels, size)
        : ResNet.ParameterCount(this, channels, size);

    /// <summary>What does not fit images of this size.</summary>
    /// <param name="size">Side of the images in pixels.</param>
    /// <param name="views">Sides of the views, which a ViT's patches must divide and a ConvNeXt must not halve to nothing.</param>
    public IEnumerable<Fault> FaultsFor(int size, IEnumerable<int> views)
    {
        if (!IsTransformer)
        {
            foreach (int side in views.Append(size).Distinct().Where(side => MapSide(side, size) < 1))
                yield return new("depths", $"{Name} halves {(side == size ? "images" : "views")} of {side} px to nothing: choose a smaller stem, fewer stages or larger {(side == size ? "images" : "views")}");
            if (ProblemOfPooling(size) is { } problem) yield return new("poolSize", problem);
            if (InPretraining.ProblemOfPooling(size) is { } other && PretrainPoolSize > 0) yield return new("pretrainPoolSize", other);
            yield break;
        }
        int patch = VisionTransformer.PatchSizeFor(this, size);
        foreach (int side in views.Append(size).Distinct().Where(side => side % patch != 0))
            yield return new("patchSize", $"patches of {patch} px do not divide {(side == size ? "images" : "views")} of {side} px: choose a divisor of {side}");
    }

    /// <summary>The backbone as pretraining sees it: the same weights, pooled as <see cref="PretrainPoolSize"/> says.</summary>
    internal BackboneOptions InPretraining => PretrainPoolSize == 0 ? this : this with { PoolSize = PretrainPoolSize, PretrainPoolSize = 0 };

    /// <summary>The first layers for images of this size: never <see cref="Stem.Auto"/>.</summary>
    internal Stem StemFor(int size) => Stem != Stem.Auto ? Stem
        : size > 64 ? Stem.ImageNet
        : ConvNeXt.Architectures.ContainsKey(Name) ? Stem.Half : Stem.Small;

    /// <summary>Side of a ConvNet's last map in pixels.</summary>
    /// <param name="side">Of the images in pixels.</param>
    /// <param name="size">Of the images that the network is made for, which decides its stem.</param>
    internal int MapSide(int side, int size)
    {
        int stages = Depths.Count > 0 ? Depths.Count : 4;
        int halvings = StemFor(size) switch { Stem.Small => 0, Stem.Half => 1, _ => 2 } + stages - 1;
        return ConvNeXt.Architectures.ContainsKey(Name) ? side >> halvings : (side + (1 << halvings) - 1) >> halvings;
    }

    /// <summary>Why a ConvNet's last map cannot be averaged as <see cref="PoolSize"/> says; null when it can.</summary>
    internal string? ProblemOfPooling(int size) => PoolSize == 1 || PoolSize <= MapSide(size, size) ? null
        : $"is {PoolSize}, but the last map of {size} px is only {Plural.Of(MapSide(size, size), "pixel")} wide: choose at most that, a smaller stem or fewer stages (backbone.depths)";

    /// <summary>Why this backbone cannot leave out what a mask drops; null when it can.</summary>
    /// <param name="mask">A mask that drops.</param>
    /// <param name="side">Of the views in pixels.</param>
    /// <param name="size">Of the images in pixels.</param>
    internal string? ProblemOfDropping(Mask mask, int side, int size)
    {
        if (!IsTransformer) return $"only a ViT can leave out what is dropped, but backbone.name is {Name}: choose another fill, such as zero";
        int patch = VisionTransformer.PatchSizeFor(this, size);
        return mask.ProblemOfDropping(patch, side);
    }
}

/// <summary>What a ViT's representation is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Pooling>))]
public enum Pooling
{
    /// <summary>The class token, as published.</summary>
    [JsonStringEnumMemberName("class-token")] ClassToken,

    /// <summary>The mean of all patches.</summary>
    [JsonStringEnumMemberName("average")] Average,
}

/// <summary>The first layers of a ConvNet.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Stem>))]
public enum Stem
{
    /// <summary><see cref="Small"/> (ConvNeXt: <see cref="Half"/>) for images of up to 64 pixels a side, <see cref="ImageNet"/> for larger ones.</summary>
    [JsonStringEnumMemberName("auto")] Auto,

    /// <summary>As torchvision; a ResNet: a 7 x 7 convolution with stride 2 and a 3 x 3 maximum with stride 2.</summary>
    [JsonStringEnumMemberName("imagenet")] ImageNet,

    /// <summary>A 3 x 3 convolution with stride 1 and no pooling (He et al. 2015 on CIFAR; SimCLR, appendix B.9).</summary>
    [JsonStringEnumMemberName("small")] Small,

    /// <summary>A 3 x 3 convolution (ConvNeXt: 2 x 2) with stride 2 and no pooling: a quarter of <see cref="Small"/>'s work for the same width.</summary>
    [JsonStringEnumMemberName("half")] Half,
}

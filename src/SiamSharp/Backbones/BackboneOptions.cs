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
    /// <summary>
    /// The network, by torchvision's name: resnet18, resnet50, regnet_y_400mf, convnext_tiny, vit_b and others. The answer to
    /// a wrong name lists all of them.
    /// </summary>
    public string Name { get; init; } = "resnet18";

    /// <summary>
    /// Channels of the first stage; those of the other stages follow from it. For a ViT: width of its tokens. 0 = as
    /// published.
    /// </summary>
    [Range(0, 4096)] public int Width { get; init; }

    /// <summary>
    /// Number of blocks in each stage, such as [1,1,1,1], for 1 to 6 stages (a RegNet: at most 4, a ViT: 1); empty = as
    /// published.
    /// </summary>
    public IReadOnlyList<int> Depths { get; init; } = [];

    /// <summary>
    /// First layers of a ConvNet: imagenet shrinks the image by 4, half by 2, small not at all. auto takes imagenet for
    /// images above 64 px, otherwise small (ConvNeXt: half).
    /// </summary>
    public Stem Stem { get; init; } = Stem.Auto;

    /// <summary>Side of a ViT's patches in pixels, 1 to 64; 0 = 4 for images of up to 64 px, 16 for larger ones.</summary>
    [Range(0, 64)] public int PatchSize { get; init; }

    /// <summary>What the vector of a ViT is: its class token, as published, or the average of all patches.</summary>
    public Pooling Pooling { get; init; } = Pooling.ClassToken;

    /// <summary>
    /// How finely a ConvNet's vector keeps where in the image something is: 1 = not at all, one average for each channel; 4 =
    /// averages of a 4 x 4 grid, 16 times as many numbers. More than 1 is for images whose objects always lie at the same
    /// place; for others set pretrainPoolSize=1 too.
    /// </summary>
    [Range(1, 64)] public int PoolSize { get; init; } = 1;

    /// <summary>
    /// The same grid, for training only: it may be coarser than that of the vectors; 0 = as <see cref="PoolSize"/>. 1 suits
    /// objects that lie anywhere: the loss then compares averages over the whole image, and the vectors keep the place all
    /// the same.
    /// </summary>
    [Range(0, 64)] public int PretrainPoolSize { get; init; }

    /// <summary>
    /// Whether each residual block only passes its input on at first: the scale of its last batch normalisation then begins
    /// at 0. The authors of SimCLR, SimSiam, MoCo v3, Barlow Twins and VICReg begin so; torchvision's networks and the
    /// figures recorded here begin with 1.
    /// </summary>
    public bool ZeroInitResidual { get; init; }

    /// <summary>
    /// File of weights to start from: .safetensors or PyTorch's .pth, with torchvision's or timm's names. Any prefix of the
    /// names is accepted; FILE#PREFIX chooses one. Empty = random weights.
    /// </summary>
    public string Weights { get; init; } = "";

    /// <summary>A ResNet of 0.4 million parameters for small images and for a CPU: 16 channels,
    /// one block in each of four stages.</summary>
    [JsonIgnore] public static BackboneOptions Small => new() { Width = 16, Depths = [1, 1, 1, 1] };

    /// <summary>All names that <see cref="Name"/> can have.</summary>
    [JsonIgnore] public static IReadOnlyList<string> Names => [.. BackboneFamily.AllNames];

    /// <summary>The family of the network.</summary>
    [JsonIgnore]
    internal BackboneFamily Family =>
        BackboneFamily.Of(Name) ?? throw new OptionsException([new Fault("backbone.name", Unknown)]);

    /// <summary>Whether the architecture has batch normalisations; the others normalise over channels.</summary>
    [JsonIgnore] public bool HasBatchNormalization => BackboneFamily.Of(Name) is { HasBatchNormalization: true };

    private string Unknown => $"\"{Name}\" is not one of {string.Join(", ", Names)}{Nearest.Question(Name, Names)}";

    /// <inheritdoc/>
    public IEnumerable<Fault> Faults()
    {
        if (BackboneFamily.Of(Name) is not { } family) yield return new("name", Unknown);
        else
        {
            if (Depths.Count > family.MaxStages)
                yield return new("depths", $"has {Depths.Count} stages; at most {family.MaxStages} are allowed for {Name}");
            foreach (Fault fault in family.Faults(this)) yield return fault;
            if (ZeroInitResidual && !family.HasBatchNormalization)
                yield return new("zeroInitResidual",
                    $"the blocks of {Name} end in no batch normalisation: leave it false, or choose a ResNet or a RegNet");
        }
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
    /// <exception cref="PyTorchFileException">The file of weights is damaged, or holds more than
    /// tensors and containers.</exception>
    /// <exception cref="StateDictMismatchException">The file holds the weights of another network.</exception>
    public Backbone Create(int channels, int size, ulong seed)
    {
        OptionsJson.Check(this, "backbone");
        Backbone backbone = Family.Build(this, channels, size);
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
            return $"the file \"{file}\" does not exist, and weights are not downloaded by their names: "
                + "fetch the .pth or .safetensors file, and give its path";
        if (!Directory.Exists(file))
            return $"the file \"{file}\" does not "
                + $"exist{(Nearest.Path(file) is { Length: > 0 } hint ? $".{hint.TrimEnd('.')}" : "")}";
        return $"\"{file}\" is a folder: give the file of "
            + "weights"
            + (Path.Combine(file, "encoder.safetensors") is var inside && File.Exists(inside) ? $", {inside}" : " in it");
    }

    /// <summary>The network in a few words: <c>resnet18, width 16, 1-1-1-1 blocks, 0.4 million parameters</c>; as published,
    /// its name and parameters alone.</summary>
    /// <param name="channels">Channels of the images.</param>
    /// <param name="size">Side of the images in pixels.</param>
    /// <exception cref="OptionsException">The options break a rule.</exception>
    public string Describe(int channels, int size)
    {
        OptionsJson.Check(this, "backbone");
        var (width, depths) = Family.Published(Name);
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

    /// <summary>What the sides of small views are rounded to multiples of.</summary>
    /// <param name="size">Side of the images in pixels.</param>
    internal int ViewMultiple(int size) => Family.ViewMultiple(this, size);

    /// <summary>How many numbers the network learns, without building it.</summary>
    internal long ParameterCount(int channels, int size) => Family.ParameterCount(this, channels, size);

    /// <summary>What does not fit images of this size.</summary>
    /// <param name="size">Side of the images in pixels.</param>
    /// <param name="views">Sides of the views, which a ViT's patches must divide and a ConvNeXt must
    /// not halve to nothing.</param>
    public IEnumerable<Fault> FaultsFor(int size, IEnumerable<int> views) => Family.FaultsFor(this, size, views);

    /// <summary>The backbone as pretraining sees it: the same weights, pooled as <see cref="PretrainPoolSize"/> says.</summary>
    internal BackboneOptions InPretraining =>
        PretrainPoolSize == 0 ? this : this with { PoolSize = PretrainPoolSize, PretrainPoolSize = 0 };

    /// <summary>Why this backbone cannot leave out what a mask drops; null when it can.</summary>
    /// <param name="mask">A mask that drops.</param>
    /// <param name="side">Of the views in pixels.</param>
    /// <param name="size">Of the images in pixels.</param>
    internal string? ProblemOfDropping(Mask mask, int side, int size) => Family.ProblemOfDropping(this, mask, side, size);
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
    /// <summary><see cref="Small"/> (ConvNeXt: <see cref="Half"/>) for images of up to 64 pixels a side,
    /// <see cref="ImageNet"/> for larger ones.</summary>
    [JsonStringEnumMemberName("auto")] Auto,

    /// <summary>As torchvision; a ResNet: a 7 x 7 convolution with stride 2 and a 3 x 3 maximum with stride 2.</summary>
    [JsonStringEnumMemberName("imagenet")] ImageNet,

    /// <summary>A 3 x 3 convolution with stride 1 and no pooling (He et al. 2015 on CIFAR; SimCLR, appendix B.9).</summary>
    [JsonStringEnumMemberName("small")] Small,

    /// <summary>A 3 x 3 convolution (ConvNeXt: 2 x 2) with stride 2 and no pooling: a quarter of <see cref="Small"/>'s work
    /// for the same width.</summary>
    [JsonStringEnumMemberName("half")] Half,
}

using SiamSharp.Onnx;
using SiamSharp.Options;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SiamSharp.Backbones;

/// <summary>A residual network up to its average pooling.</summary>
/// <remarks>
/// Definition: stem, then stages of residual blocks; stage s (from 0) has Width 2^s channels (times 4 with bottlenecks) and
/// starts with stride 2 except for the first; then the mean over all pixels, or in each cell of a grid
/// (<see cref="BackboneOptions.PoolSize"/>). Wide networks have twice as many channels within their
/// bottlenecks, ResNeXt has them in groups.
/// Source: He et al. 2015, arXiv 1512.03385; with torchvision's placement of the stride (in a bottleneck's 3 x 3 convolution);
/// Zagoruyko and Komodakis 2016, arXiv 1605.07146 (wide); Xie et al. 2016, arXiv 1611.05431 (ResNeXt).
/// Differences: no <c>fc</c> head. State-dict keys equal torchvision's. Channels are innermost in memory (see ChannelsLast).
/// Cost: with autograd one tensor of each convolution's output size is kept; sums and activations are made in place.
/// </remarks>
internal sealed class ResNet : Backbone
{
    internal const int PublishedWidth = 64;

    /// <param name="Bottleneck">Three convolutions in a block instead of two.</param>
    /// <param name="Depths">Blocks in each stage.</param>
    /// <param name="Groups">Of a bottleneck's 3 x 3 convolution.</param>
    /// <param name="GroupWidth">Channels of such a group for each 64 channels of the stage.</param>
    internal sealed record Architecture(bool Bottleneck, int[] Depths, int Groups = 1, int GroupWidth = PublishedWidth);

    internal static readonly IReadOnlyDictionary<string, Architecture> Architectures = new Dictionary<string, Architecture>
    {
        ["resnet18"] = new(false, [2, 2, 2, 2]),
        ["resnet34"] = new(false, [3, 4, 6, 3]),
        ["resnet50"] = new(true, [3, 4, 6, 3]),
        ["resnet101"] = new(true, [3, 4, 23, 3]),
        ["resnet152"] = new(true, [3, 8, 36, 3]),
        ["wide_resnet50_2"] = new(true, [3, 4, 6, 3], GroupWidth: 128),
        ["wide_resnet101_2"] = new(true, [3, 4, 23, 3], GroupWidth: 128),
        ["resnext50_32x4d"] = new(true, [3, 4, 6, 3], Groups: 32, GroupWidth: 4),
        ["resnext101_32x8d"] = new(true, [3, 4, 23, 3], Groups: 32, GroupWidth: 8),
        ["resnext101_64x4d"] = new(true, [3, 4, 23, 3], Groups: 64, GroupWidth: 4),
    };

    /// <summary>The published network that weights are of, by the number and shape of their blocks;
    /// null where it is none of them.</summary>
    /// <param name="weights">By torchvision's names.</param>
    internal static string? NameOf(IReadOnlyDictionary<string, Tensor> weights)
    {
        if (!weights.TryGetValue("layer1.0.conv2.weight", out Tensor? inside) || inside.dim() != 4) return null;
        bool bottleneck = weights.ContainsKey("layer1.0.conv3.weight");
        int[] depths = [.. Enumerable.Range(1, 4)
            .Select(s => Enumerable.Range(0, 100).TakeWhile(b => weights.ContainsKey($"layer{s}.{b}.conv1.weight")).Count())];
        return Architectures.FirstOrDefault(a => a.Value.Bottleneck == bottleneck && a.Value.Depths.SequenceEqual(depths)
            && inside.shape[0] == a.Value.GroupWidth * a.Value.Groups && inside.shape[1] == a.Value.GroupWidth).Key;
    }

    private readonly Conv2d conv1;
    private readonly BatchNormalization bn1;
    private readonly Sequential[] _stages;
    private readonly bool _pooledStem;
    private readonly GridPool _pool;

    /// <summary>Builds the network; <see cref="BackboneOptions.Create"/> draws its weights by seed too.</summary>
    /// <param name="options">Architecture, width, depths and stem; <see cref="BackboneOptions.Weights"/> is not read.</param>
    /// <param name="channels">Channels of the images, 1 or more.</param>
    /// <param name="size">Side of the images in pixels; decides the stem when it is <see cref="Stem.Auto"/>.</param>
    public ResNet(BackboneOptions options, int channels, int size) : base(options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        var (bottleneck, published, groups, groupWidth) = Architectures[options.Name];
        var depths = options.Depths.Count > 0 ? options.Depths : published;
        int first = options.Width > 0 ? options.Width : PublishedWidth;
        Stem stem = new ResNetFamily().StemFor(options, size);
        _pooledStem = stem == Stem.ImageNet;

        conv1 = stem switch
        {
            Stem.ImageNet => nn.Conv2d(channels, first, kernel_size: 7, stride: 2, padding: 3, bias: false),
            Stem.Half => nn.Conv2d(channels, first, kernel_size: 3, stride: 2, padding: 1, bias: false),
            _ => nn.Conv2d(channels, first, kernel_size: 3, padding: 1, bias: false),
        };
        bn1 = new BatchNormalization(first);
        RegisterComponents();

        _stages = new Sequential[depths.Count];
        int input = first;
        for (int s = 0; s < depths.Count; s++)
        {
            int width = first << s, inner = Math.Max(1, width * groupWidth / PublishedWidth) * groups;
            var blocks = new List<(string, nn.Module<Tensor, Tensor>)>();
            for (int b = 0; b < depths[s]; b++)
            {
                int stride = s > 0 && b == 0 ? 2 : 1;
                blocks.Add(($"{b}", bottleneck ? new BottleneckBlock(input, width, inner, stride, groups)
                    : new BasicBlock(input, width, stride)));
                input = bottleneck ? width * BottleneckBlock.Expansion : width;
            }
            _stages[s] = nn.Sequential(blocks);
            register_module($"layer{s + 1}", _stages[s]);
        }
        _pool = GridPool.For(options, size);
        OutputWidth = input * _pool.Count;
    }

    /// <inheritdoc/>
    public override int OutputWidth { get; }

    /// <summary>The representations of a batch of images.</summary>
    /// <param name="x">float32 (N, C, H, W), preprocessed.</param>
    /// <returns>float32 (N, D), differentiable, owned by the caller.</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        x = bn1.forward(conv1.forward(ChannelsLast.Of(x))).relu_();
        if (_pooledStem) x = nn.functional.max_pool2d(x, kernel_size: 3, stride: 2, padding: 1);
        foreach (var stage in _stages) x = stage.forward(x);
        return _pool.Of(x).flatten(1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    internal override bool ExportsAnySize => _pool.ExportsAnySize;

    /// <inheritdoc/>
    internal override string Export(OnnxGraph graph, string x)
    {
        x = graph.Node("Relu", [graph.Add(bn1, graph.Add(conv1, x))]);
        if (_pooledStem)
            x = graph.Node("MaxPool", [x], ("kernel_shape", new long[] { 3, 3 }), ("strides", new long[] { 2, 2 }),
                ("pads", new long[] { 1, 1, 1, 1 }));
        foreach (var stage in _stages) x = graph.Add(stage, x);
        return graph.Node("Flatten", [_pool.Export(graph, x)], ("axis", 1L));
    }
}

/// <summary>ResNets, wide ones and ResNeXts.</summary>
[Kind("resnet")]
internal sealed class ResNetFamily : ConvNetFamily
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> Names { get; } = [.. ResNet.Architectures.Keys];

    /// <inheritdoc/>
    public override bool HasBatchNormalization => true;

    /// <inheritdoc/>
    public override (int Width, IReadOnlyList<int> Depths) Published(string name) =>
        (ResNet.PublishedWidth, ResNet.Architectures[name].Depths);

    /// <inheritdoc/>
    public override Backbone Build(BackboneOptions options, int channels, int size) => new ResNet(options, channels, size);

    /// <inheritdoc/>
    public override long ParameterCount(BackboneOptions options, int channels, int size)
    {
        var (bottleneck, published, groups, groupWidth) = ResNet.Architectures[options.Name];
        long first = options.Width > 0 ? options.Width : ResNet.PublishedWidth, input = first;
        long total = first * channels * (StemFor(options, size) == Stem.ImageNet ? 49 : 9) + 2 * first;
        foreach (var (s, depth) in (options.Depths.Count > 0 ? options.Depths : published).Index())
        {
            long width = first << s, inner = Math.Max(1, width * groupWidth / ResNet.PublishedWidth) * groups,
                output = bottleneck ? width * BottleneckBlock.Expansion : width;
            for (int b = 0; b < depth; b++, input = output)
            {
                total += bottleneck
                    ? inner * (input + 9 * inner / groups + output) + 4 * inner + 2 * output
                    : 9 * width * (input + width) + 4 * width;
                if ((s > 0 && b == 0) || input != output) total += output * (input + 2);
            }
        }
        return total;
    }
}

using SiamSharp.Onnx;
using SiamSharp.Options;
using TorchSharp.Modules;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Backbones;

/// <summary>ConvNeXt up to the normalisation ahead of its classifier.</summary>
/// <remarks>
/// Definition: non-overlapping patches; stages of blocks (7 x 7 depthwise convolution, layer normalisation, two linear layers
/// with GELU between, scaled by a learned factor per channel, added to the input) with 2 x 2 convolutions of stride 2 between the
/// stages; the mean over all pixels; layer normalisation. Source: Liu et al. 2022, arXiv 2201.03545; keys as torchvision's.
/// Differences: no classifier and no stochastic depth, so that steps repeat bit by bit. The stem of small images is a 2 x 2 patch
/// (<see cref="Stem.Half"/>) or a 3 x 3 convolution (<see cref="Stem.Small"/>). Channels are innermost in memory.
/// </remarks>
internal sealed class ConvNeXt : Backbone
{
    private const double Epsilon = 1e-6, FirstScale = 1e-6;

    internal sealed record Architecture(int Width, int[] Depths);

    internal static readonly IReadOnlyDictionary<string, Architecture> Architectures = new Dictionary<string, Architecture>
    {
        ["convnext_tiny"] = new(96, [3, 3, 9, 3]),
        ["convnext_small"] = new(96, [3, 3, 27, 3]),
        ["convnext_base"] = new(128, [3, 3, 27, 3]),
        ["convnext_large"] = new(192, [3, 3, 27, 3]),
    };

    private readonly Sequential features, classifier;
    private readonly GridPool _pool;

    /// <summary>Builds the network; <see cref="BackboneOptions.Create"/> draws its weights.</summary>
    /// <param name="options">Architecture, width, depths and stem.</param>
    /// <param name="channels">Channels of the images, 1 or more.</param>
    /// <param name="size">Side of the images in pixels; decides the stem when it is <see cref="Stem.Auto"/>.</param>
    public ConvNeXt(BackboneOptions options, int channels, int size) : base(options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        var (publishedWidth, publishedDepths) = Architectures[options.Name];
        var depths = options.Depths.Count > 0 ? options.Depths : publishedDepths;
        int width = options.Width > 0 ? options.Width : publishedWidth;
        Stem stem = new ConvNeXtFamily().StemFor(options, size);
        Conv2d patches = stem switch
        {
            Stem.ImageNet => nn.Conv2d(channels, width, kernel_size: 4, stride: 4),
            Stem.Half => nn.Conv2d(channels, width, kernel_size: 2, stride: 2),
            _ => nn.Conv2d(channels, width, kernel_size: 3, padding: 1),
        };
        var layers = new List<nn.Module<Tensor, Tensor>> { nn.Sequential(("0", patches), ("1", new ChannelNorm(width))) };
        for (int s = 0; s < depths.Count; s++)
        {
            if (s > 0)
                layers.Add(nn.Sequential(("0", new ChannelNorm(width)),
                    ("1", nn.Conv2d(width, width *= 2, kernel_size: 2, stride: 2))));
            layers.Add(nn.Sequential(
                Enumerable.Range(0, depths[s]).Select(b => ($"{b}", (nn.Module<Tensor, Tensor>)new ConvNeXtBlock(width)))));
        }
        features = nn.Sequential(layers.Select((layer, i) => ($"{i}", layer)));
        classifier = nn.Sequential(("0", new ChannelNorm(width)));
        _pool = GridPool.For(options, size);
        OutputWidth = width * _pool.Count;
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override int OutputWidth { get; }

    /// <inheritdoc/>
    internal override void Draw(ulong seed) => Initialization.DrawNormal(this, seed);

    /// <summary>The representations of a batch of images.</summary>
    /// <param name="x">float32 (N, C, H, W), preprocessed.</param>
    /// <returns>float32 (N, D), differentiable, owned by the caller.</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return classifier.forward(_pool.Of(features.forward(Backbones.ChannelsLast.Of(x)))).flatten(1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    internal override bool ExportsAnySize => _pool.ExportsAnySize;

    /// <inheritdoc/>
    internal override string Export(OnnxGraph graph, string x) =>
        graph.Node("Flatten", [graph.Add(classifier, _pool.Export(graph, graph.Add(features, x)))], ("axis", 1L));

    private static string ChannelsLast(OnnxGraph graph, string x) =>
        graph.Node("Transpose", [x], ("perm", new long[] { 0, 2, 3, 1 }));

    private static string ChannelsFirst(OnnxGraph graph, string x) =>
        graph.Node("Transpose", [x], ("perm", new long[] { 0, 3, 1, 2 }));

    /// <summary>Layer normalisation over the channels of each pixel: (N, C, H, W) to the same.</summary>
    private sealed class ChannelNorm : nn.Module<Tensor, Tensor>, IOnnxLayer
    {
        private readonly TorchSharp.Modules.Parameter weight, bias;

        public ChannelNorm(int channels) : base(nameof(ChannelNorm))
        {
            weight = new Parameter(ones(channels));
            bias = new Parameter(zeros(channels));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            return nn.functional.layer_norm(x.permute(0, 2, 3, 1), [x.shape[1]], weight, bias, Epsilon)
                .permute(0, 3, 1, 2).MoveToOuterDisposeScope();
        }

        public string Export(OnnxGraph graph, string x) =>
            ChannelsFirst(graph, graph.LayerNorm(ChannelsLast(graph, x), weight, bias, Epsilon));
    }

    /// <summary>(N, C, H, W) to the same.</summary>
    private sealed class ConvNeXtBlock : nn.Module<Tensor, Tensor>, IOnnxLayer
    {
        private readonly TorchSharp.Modules.Parameter layer_scale;
        private readonly Sequential block;
        private readonly Conv2d _depthwise;
        private readonly Sequential _mlp;

        public ConvNeXtBlock(int width) : base(nameof(ConvNeXtBlock))
        {
            layer_scale = new Parameter(full([width, 1, 1], Held((float)FirstScale)));
            var depthwise = nn.Conv2d(width, width, kernel_size: 7, padding: 3, groups: width);
            var norm = nn.LayerNorm(width, Epsilon);
            var (widen, narrow) = (nn.Linear(width, 4 * width), nn.Linear(4 * width, width));
            // the places of torchvision's layers
            block = nn.Sequential(("0", depthwise), ("2", norm), ("3", widen), ("5", narrow));
            RegisterComponents();
            _depthwise = depthwise;
            _mlp = nn.Sequential(norm, widen, nn.GELU(), narrow);
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            var y = _mlp.forward(_depthwise.forward(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2);
            return x.Plus(layer_scale * y).MoveToOuterDisposeScope();
        }

        public string Export(OnnxGraph graph, string x)
        {
            string y = ChannelsFirst(graph, graph.Add(_mlp, ChannelsLast(graph, graph.Add(_depthwise, x))));
            return graph.Node("Add", [x, graph.Node("Mul", [y, graph.Constant(layer_scale)])]);
        }
    }
}

/// <summary>ConvNeXts.</summary>
[Kind("convnext")]
internal sealed class ConvNeXtFamily : ConvNetFamily
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> Names { get; } = [.. ConvNeXt.Architectures.Keys];

    /// <inheritdoc/>
    public override Stem SmallStem => Stem.Half;

    /// <inheritdoc/>
    // what is left over at a border is dropped
    public override int MapSide(BackboneOptions options, int side, int size) => side >> Halvings(options, size);

    /// <inheritdoc/>
    public override (int Width, IReadOnlyList<int> Depths) Published(string name) =>
        (ConvNeXt.Architectures[name].Width, ConvNeXt.Architectures[name].Depths);

    /// <inheritdoc/>
    public override Backbone Build(BackboneOptions options, int channels, int size) => new ConvNeXt(options, channels, size);

    /// <inheritdoc/>
    public override long ParameterCount(BackboneOptions options, int channels, int size)
    {
        var (published, depths) = ConvNeXt.Architectures[options.Name];
        long first = options.Width > 0 ? options.Width : published, width = first;
        long total = first * (channels * StemFor(options, size) switch { Stem.ImageNet => 16, Stem.Half => 4, _ => 9 } + 3);
        foreach (var (s, depth) in (options.Depths.Count > 0 ? options.Depths : depths).Index())
        {
            if (s > 0) total += 2 * width + 2 * width * (4 * width + 1);
            width = first << s;
            total += depth * width * (8 * width + 58);
        }
        return total + 2 * width;
    }
}

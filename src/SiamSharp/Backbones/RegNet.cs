using SiamSharp.Native;
using SiamSharp.Onnx;
using SiamSharp.Options;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SiamSharp.Backbones;

/// <summary>RegNetY up to its global average pooling: bottlenecks of grouped convolutions with squeeze and excitation.</summary>
/// <remarks>
/// Source: Radosavovic et al. 2020, arXiv 2003.13678; widths, depths and keys as torchvision's.
/// Differences: no <c>fc</c> head. Free widths are those published times Width / (width of the first stage), to whole groups.
/// Channels are innermost in memory (see ChannelsLast).
/// </remarks>
internal sealed class RegNet : Backbone
{
    internal const int StemWidth = 32;

    internal sealed record Architecture(int[] Widths, int[] Depths, int GroupWidth);

    internal static readonly IReadOnlyDictionary<string, Architecture> Architectures = new Dictionary<string, Architecture>
    {
        ["regnet_y_400mf"] = new([48, 104, 208, 440], [1, 3, 6, 6], 8),
        ["regnet_y_800mf"] = new([64, 144, 320, 784], [1, 3, 8, 2], 16),
        ["regnet_y_1_6gf"] = new([48, 120, 336, 888], [2, 6, 17, 2], 24),
        ["regnet_y_3_2gf"] = new([72, 216, 576, 1512], [2, 5, 13, 1], 24),
        ["regnet_y_8gf"] = new([224, 448, 896, 2016], [2, 4, 10, 1], 56),
        ["regnet_y_16gf"] = new([224, 448, 1232, 3024], [2, 4, 11, 1], 112),
        ["regnet_y_32gf"] = new([232, 696, 1392, 3712], [2, 5, 12, 1], 232),
    };

    private readonly Sequential stem, trunk_output;
    private readonly GridPool _pool;

    /// <summary>Builds the network; <see cref="BackboneOptions.Create"/> draws its weights.</summary>
    /// <param name="options">Architecture, width, depths (at most 4 stages) and stem.</param>
    /// <param name="channels">Channels of the images, 1 or more.</param>
    /// <param name="size">Side of the images in pixels; decides the stem when it is <see cref="Stem.Auto"/>.</param>
    public RegNet(BackboneOptions options, int channels, int size) : base(options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        var (_, published, group) = Architectures[options.Name];
        var depths = options.Depths.Count > 0 ? options.Depths : published;
        Stem kind = new RegNetFamily().StemFor(options, size);

        stem = nn.Sequential(
            ("0", Convolutions.ThreeByThree(channels, StemWidth, stride: kind == Stem.Small ? 1 : 2)),
            ("1", new BatchNormalization(StemWidth)), ("2", nn.ReLU(inplace: true)));
        var stages = new List<(string, nn.Module<Tensor, Tensor>)>();
        int input = StemWidth;
        for (int s = 0; s < depths.Count; s++)
        {
            int width = WidthOf(options, s);
            var blocks = new List<(string, nn.Module<Tensor, Tensor>)>();
            for (int b = 0; b < depths[s]; b++)
            {
                int stride = b > 0 || (s == 0 && kind != Stem.ImageNet) ? 1 : 2;
                blocks.Add(($"block{s + 1}-{b}", new RegNetBlock(input, width, stride, group)));
                input = width;
            }
            stages.Add(($"block{s + 1}", nn.Sequential(blocks)));
        }
        trunk_output = nn.Sequential(stages);
        _pool = GridPool.For(options, size);
        OutputWidth = input * _pool.Count;
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override int OutputWidth { get; }

    /// <summary>Channels of a stage, whole groups.</summary>
    internal static int WidthOf(BackboneOptions options, int stage)
    {
        var (widths, _, group) = Architectures[options.Name];
        return options.Width > 0 ? Math.Max(1, widths[stage] * options.Width / widths[0] / group) * group : widths[stage];
    }

    /// <summary>The representations of a batch of images.</summary>
    /// <param name="x">float32 (N, C, H, W), preprocessed.</param>
    /// <returns>float32 (N, D), differentiable, owned by the caller.</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return _pool.Of(trunk_output.forward(stem.forward(ChannelsLast.Of(x)))).flatten(1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    internal override bool ExportsAnySize => _pool.ExportsAnySize;

    /// <inheritdoc/>
    internal override string Export(OnnxGraph graph, string x) =>
        graph.Node("Flatten", [_pool.Export(graph, graph.Add(trunk_output, graph.Add(stem, x)))], ("axis", 1L));

    /// <summary>(N, input, H, W) to (N, width, H / stride, W / stride).</summary>
    private sealed class RegNetBlock : nn.Module<Tensor, Tensor>, IOnnxLayer, IResidualBlock
    {
        public BatchNormalization LastNormalization => _last;

        private readonly Sequential? proj;
        private readonly Sequential f;
        private readonly BatchNormalization _last;

        public RegNetBlock(int input, int width, int stride, int groupWidth) : base(nameof(RegNetBlock))
        {
            if (stride != 1 || input != width) proj = Convolutions.Downsample(input, width, stride);
            _last = new BatchNormalization(width);
            f = nn.Sequential(
                ("a", nn.Sequential(("0", new PointwiseConvolution(input, width, 1)), ("1", new BatchNormalization(width)),
                    ("2", nn.ReLU(inplace: true)))),
                ("b", nn.Sequential(
                    ("0", Convolutions.ThreeByThree(width, width, stride, width / groupWidth)),
                    ("1", new BatchNormalization(width)), ("2", nn.ReLU(inplace: true)))),
                ("se", new SqueezeExcitation(width, (int)Math.Round(input * 0.25))),
                ("c", nn.Sequential(("0", new PointwiseConvolution(width, width, 1)), ("1", _last))));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            return f.forward(x).PlusInPlace(proj is null ? x : proj.forward(x)).relu_().MoveToOuterDisposeScope();
        }

        public string Export(OnnxGraph graph, string x) =>
            graph.Node("Relu", [graph.Node("Add", [graph.Add(f, x), proj is null ? x : graph.Add(proj, x)])]);
    }

    /// <summary>Channels weighted by what is in all of them: (N, C, H, W) to the same.</summary>
    private sealed class SqueezeExcitation : nn.Module<Tensor, Tensor>, IOnnxLayer
    {
        private readonly Conv2d fc1, fc2; // as matrix products, for their keys they are convolutions

        public SqueezeExcitation(int channels, int squeezed) : base(nameof(SqueezeExcitation))
        {
            fc1 = nn.Conv2d(channels, squeezed, kernel_size: 1);
            fc2 = nn.Conv2d(squeezed, channels, kernel_size: 1);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            var squeezed = nn.functional.linear(x.mean([2, 3]), fc1.weight.flatten(1), fc1.bias).relu_();
            var weights = nn.functional.linear(squeezed, fc2.weight.flatten(1), fc2.bias).sigmoid();
            return (x * weights.unsqueeze(-1).unsqueeze(-1)).MoveToOuterDisposeScope();
        }

        public string Export(OnnxGraph graph, string x)
        {
            string squeezed = graph.Node("Relu", [graph.Add(fc1, graph.Node("GlobalAveragePool", [x]))]);
            return graph.Node("Mul", [x, graph.Node("Sigmoid", [graph.Add(fc2, squeezed)])]);
        }
    }
}

/// <summary>RegNets with squeeze and excitation.</summary>
[Kind("regnet")]
internal sealed class RegNetFamily : ConvNetFamily
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> Names { get; } = [.. RegNet.Architectures.Keys];

    /// <inheritdoc/>
    public override int MaxStages => 4;

    /// <inheritdoc/>
    public override bool HasBatchNormalization => true;

    /// <inheritdoc/>
    public override (int Width, IReadOnlyList<int> Depths) Published(string name) =>
        (RegNet.Architectures[name].Widths[0], RegNet.Architectures[name].Depths);

    /// <inheritdoc/>
    public override Backbone Build(BackboneOptions options, int channels, int size) => new RegNet(options, channels, size);

    /// <inheritdoc/>
    public override long ParameterCount(BackboneOptions options, int channels, int size)
    {
        var (_, published, group) = RegNet.Architectures[options.Name];
        long total = RegNet.StemWidth * (9L * channels + 2), input = RegNet.StemWidth;
        foreach (var (s, depth) in (options.Depths.Count > 0 ? options.Depths : published).Index())
        {
            long width = RegNet.WidthOf(options, s);
            for (int b = 0; b < depth; b++, input = width)
            {
                long squeezed = (int)Math.Round(input * 0.25);
                total += width * (input + 9 * group + width + 6) + squeezed * (2 * width + 1) + width;
                if ((b == 0 && (s > 0 || StemFor(options, size) == Stem.ImageNet)) || input != width)
                    total += width * (input + 2);
            }
        }
        return total;
    }
}

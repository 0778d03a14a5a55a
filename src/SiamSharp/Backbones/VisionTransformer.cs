using SiamSharp.Native;
using SiamSharp.Onnx;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SiamSharp.Backbones;

/// <summary>A vision transformer up to the normalisation ahead of its head.</summary>
/// <remarks>
/// Source: Dosovitskiy et al. 2020, arXiv 2010.11929; keys as torchvision's. Tiny and small: Touvron et al. 2020,
/// arXiv 2012.12877. A patch that holds a NaN is one that a mask has dropped (the fill <c>drop</c>): it makes no token at all,
/// which saves its share of the work. All images of a batch must have dropped the same number. For images of another size than
/// the first, the position embeddings are interpolated (bicubic).
/// Differences: no dropout. Weights are drawn as in DeiT (normal, deviation 0.02).
/// </remarks>
internal sealed class VisionTransformer : Backbone
{
    internal const double Epsilon = 1e-6;

    internal sealed record Architecture(int Width, int Depth, int Heads);

    internal static readonly IReadOnlyDictionary<string, Architecture> Architectures = new Dictionary<string, Architecture>
    {
        ["vit_ti"] = new(192, 12, 3),
        ["vit_s"] = new(384, 12, 6),
        ["vit_b"] = new(768, 12, 12),
        ["vit_l"] = new(1024, 24, 16),
    };

    private readonly Parameter class_token;
    private readonly Conv2d conv_proj; // as a matrix product over patches; for its key it is a convolution
    private readonly TokenEncoder encoder;
    private readonly int _patch;
    private readonly Pooling _pooling;

    /// <summary>Builds the network; <see cref="BackboneOptions.Create"/> draws its weights.</summary>
    /// <param name="options">Architecture, width, depth (one number), patch size and pooling.</param>
    /// <param name="channels">Channels of the images, 1 or more.</param>
    /// <param name="size">Side of the images in pixels, a multiple of the patch size.</param>
    /// <exception cref="ArgumentException">The patches do not divide the image.</exception>
    public VisionTransformer(BackboneOptions options, int channels, int size) : base(options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        var (publishedWidth, publishedDepth, heads) = Architectures[options.Name];
        int width = options.Width > 0 ? options.Width : publishedWidth,
            depth = options.Depths.Count > 0 ? options.Depths[0] : publishedDepth;
        if (width % heads != 0)
            throw new ArgumentException(
                $"The {heads} heads of {options.Name} share its width equally, but {width} is no multiple of {heads}.");
        _patch = PatchSizeFor(options, size);
        _pooling = options.Pooling;
        int side = Side(size);
        class_token = new Parameter(zeros(1, 1, width));
        conv_proj = nn.Conv2d(channels, width, kernel_size: _patch, stride: _patch);
        encoder = new TokenEncoder(side * side + 1, width, depth, heads);
        OutputWidth = width;
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override int OutputWidth { get; }

    /// <summary>The side of the patches for images of a side in pixels.</summary>
    internal static int PatchSizeFor(BackboneOptions options, int size) =>
        options.PatchSize > 0 ? options.PatchSize : size <= 64 ? 4 : 16;

    /// <inheritdoc/>
    internal override void Draw(ulong seed)
    {
        Initialization.DrawNormal(this, seed);
        Initialization.DrawPositions(encoder.pos_embedding, seed);
    }

    /// <summary>The representations of a batch of images.</summary>
    /// <param name="x">float32 (N, C, H, W), preprocessed; H and W multiples of the patch size; dropped patches hold NaN.</param>
    /// <returns>float32 (N, D), differentiable, owned by the caller.</returns>
    /// <exception cref="ArgumentException">Patches do not divide the images, or images have dropped different
    /// numbers of patches.</exception>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (rows, columns) = (Side(x.shape[2]), Side(x.shape[3]));
        var patches = x.reshape(x.shape[0], x.shape[1], rows, _patch, columns, _patch)
            .permute(0, 2, 4, 1, 3, 5).reshape(x.shape[0], rows * columns, -1);                                   // (N, L, C P P)
        var positions = PositionsFor(rows, columns);                                                             // (1, 1 + L, D)
        var place = positions.narrow(1, 1, rows * columns);
        if (KeptPatches(patches) is { } kept)                                                                    // (N, K)
        {
            patches = patches.gather(1, kept.unsqueeze(-1).expand(-1, -1, patches.shape[2]));
            place = place.expand(x.shape[0], -1, -1).gather(1, kept.unsqueeze(-1).expand(-1, -1, place.shape[2]));
        }
        var tokens = nn.functional.linear(patches, conv_proj.weight.flatten(1), conv_proj.bias).Plus(place); // (N, K, D)
        var first = class_token.Plus(positions.narrow(1, 0, 1)).expand(x.shape[0], -1, -1);
        var y = encoder.forward(cat([first, tokens], 1));                                                        // (N, 1 + K, D)
        var representation = _pooling == Pooling.ClassToken ? y.select(1, 0) : y.narrow(1, 1, y.shape[1] - 1).mean([1]);
        return representation.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    internal override bool ExportsAnySize => false;

    /// <inheritdoc/>
    internal override string Export(OnnxGraph graph, string x)
    {
        using var scope = NewDisposeScope();
        // (N, D, rows, columns)
        string patches = graph.Convolution(x, conv_proj.weight, conv_proj.bias, [_patch, _patch], [0, 0], groups: 1);
        string flat = graph.Node("Reshape", [patches, graph.Constant(0, OutputWidth, -1)]);
        string tokens = graph.Node("Transpose", [flat], ("perm", new long[] { 0, 2, 1 }));                            // (N, L, D)
        // The class token for each image: 0 times a patch brings the size of the batch.
        string none = graph.Node("Mul", [graph.Node("Slice", [tokens, graph.Constant(0), graph.Constant(1), graph.Constant(1)]),
            graph.Constant(zeros(1, 1, 1))]);
        string y = graph.Node("Concat", [graph.Node("Add", [none, graph.Constant(class_token)]), tokens], ("axis", 1L));
        y = graph.Add(encoder, graph.Node("Add", [y, graph.Constant(encoder.pos_embedding)]));
        return _pooling == Pooling.ClassToken
            ? graph.Node("Gather", [y, graph.Scalar(0)], ("axis", 1L))
            : graph.Node(
                "ReduceMean", [graph.Node("Slice", [y, graph.Constant(1), graph.Constant(int.MaxValue), graph.Constant(1)])],
                ("axes", new long[] { 1 }), ("keepdims", 0L));
    }

    /// <summary>Indexes (N, K) of the patches without NaN in their order, or null when all are there.</summary>
    private static Tensor? KeptPatches(Tensor patches)
    {
        var keep = patches.isnan().any(2).logical_not();                                                         // (N, L)
        var counts = keep.sum(1);
        long most = counts.max().item<long>(), least = counts.min().item<long>();
        if (least == patches.shape[1]) return null;
        if (most != least)
            throw new ArgumentException("All images of a batch must have dropped the same number of patches, "
                + $"but {least} to {most} of {patches.shape[1]} are "
                + "left: give the mask one ratio (minRatio = maxRatio) and cells of whole patches.");
        if (most == 0) throw new ArgumentException("A mask has dropped all patches: lower its ratio.");
        return keep.nonzero().select(1, 1).view(patches.shape[0], most);
    }

    /// <summary>Interpolates the position embeddings among weights for images of another size to the
    /// size of this network.</summary>
    /// <param name="weights">By key; the embeddings are replaced where they are those of a square grid of
    /// this network's width.</param>
    internal void FitPositions(Dictionary<string, Tensor> weights)
    {
        const string key = "encoder.pos_embedding";
        Tensor own = encoder.pos_embedding;
        if (!weights.TryGetValue(key, out Tensor? given) || given.dim() != 3 || given.shape[0] != 1
            || given.shape[2] != own.shape[2])
            return;
        long from = GridSide(given), to = GridSide(own);
        if (from * from + 1 == given.shape[1]) weights[key] = Resized(given, to, to);
    }

    private Tensor PositionsFor(long rows, long columns) => Resized(encoder.pos_embedding, rows, columns);

    private static long GridSide(Tensor positions) => (long)Math.Sqrt(positions.shape[1] - 1);

    /// <summary>Position embeddings of a grid: those learned, or interpolated from them. (1, 1 + rows columns, D).</summary>
    private static Tensor Resized(Tensor learned, long rows, long columns)
    {
        long side = GridSide(learned);
        if (rows == side && columns == side) return learned.alias();
        var grid = learned.narrow(1, 1, side * side).view(1, side, side, -1).permute(0, 3, 1, 2);
        var resized = nn.functional.interpolate(grid, [rows, columns], mode: InterpolationMode.Bicubic, align_corners: false);
        return cat([learned.narrow(1, 0, 1), resized.permute(0, 2, 3, 1).reshape(1, rows * columns, -1)], 1);
    }

    private int Side(long pixels) => pixels % _patch == 0
        ? (int)(pixels / _patch)
        : throw new ArgumentException($"Patches of {_patch} px do not divide images of {pixels} px: "
            + $"choose backbone.patchSize among the divisors of {pixels}.");

    /// <summary>Position embeddings, blocks, normalisation: (N, 1 + K, D) to the same;
    /// positions are added by the caller.</summary>
    private sealed class TokenEncoder : nn.Module<Tensor, Tensor>, IOnnxLayer
    {
        public readonly Parameter pos_embedding;
        private readonly Sequential layers;
        private readonly LayerNorm ln;

        public TokenEncoder(int tokens, int width, int depth, int heads) : base("Encoder")
        {
            pos_embedding = new Parameter(zeros(1, tokens, width));
            layers = nn.Sequential(Enumerable.Range(0, depth)
                .Select(i => ($"encoder_layer_{i}", (nn.Module<Tensor, Tensor>)new TransformerBlock(width, heads))));
            ln = nn.LayerNorm(width, Epsilon);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            return ln.forward(layers.forward(x)).MoveToOuterDisposeScope();
        }

        public string Export(OnnxGraph graph, string x) => graph.Add(ln, graph.Add(layers, x));
    }
}

using SiamSharp.Native;
using SiamSharp.Onnx;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SiamSharp.Backbones;

/// <summary>Attention and two linear layers, each after a layer normalisation and added to its input:
/// (N, L, D) to the same.</summary>
internal sealed class TransformerBlock : nn.Module<Tensor, Tensor>, IOnnxLayer
{
    private readonly LayerNorm ln_1, ln_2;
    private readonly SelfAttention self_attention;
    private readonly Sequential mlp;

    public TransformerBlock(int width, int heads) : base(nameof(TransformerBlock))
    {
        ln_1 = nn.LayerNorm(width, VisionTransformer.Epsilon);
        self_attention = new SelfAttention(width, heads);
        ln_2 = nn.LayerNorm(width, VisionTransformer.Epsilon);
        // the places of torchvision's layers
        mlp = nn.Sequential(("0", nn.Linear(width, 4 * width)), ("1", nn.GELU()), ("3", nn.Linear(4 * width, width)));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var y = x.Plus(self_attention.forward(ln_1.forward(x)));
        return y.Plus(mlp.forward(ln_2.forward(y))).MoveToOuterDisposeScope();
    }

    public string Export(OnnxGraph graph, string x)
    {
        string y = graph.Node("Add", [x, graph.Add(self_attention, graph.Add(ln_1, x))]);
        return graph.Node("Add", [y, graph.Add(mlp, graph.Add(ln_2, y))]);
    }
}

/// <summary>Multi-head self-attention: (N, L, D) to the same.</summary>
internal sealed class SelfAttention : nn.Module<Tensor, Tensor>, IOnnxLayer
{
    private readonly Parameter in_proj_weight, in_proj_bias;
    private readonly Linear out_proj;
    private readonly int _heads;

    public SelfAttention(int width, int heads) : base(nameof(SelfAttention))
    {
        in_proj_weight = new Parameter(zeros(3 * width, width));
        in_proj_bias = new Parameter(zeros(3 * width));
        out_proj = nn.Linear(width, width);
        _heads = heads;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (n, l, d) = (x.shape[0], x.shape[1], x.shape[2]);
        // (3, N, heads, L, D / heads)
        var qkv =
            nn.functional.linear(x, in_proj_weight, in_proj_bias).view(n, l, 3, _heads, d / _heads).permute(2, 0, 3, 1, 4);
        var y = nn.functional.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);
        return out_proj.forward(y.transpose(1, 2).reshape(n, l, d)).MoveToOuterDisposeScope();
    }

    public string Export(OnnxGraph graph, string x)
    {
        using var scope = NewDisposeScope();
        int width = (int)out_proj.weight.shape[0], each = width / _heads;
        string[] heads = [.. Enumerable.Range(0, 3).Select(i =>
        {
            string y = graph.Linear(x, in_proj_weight.narrow(0, i * width, width), in_proj_bias.narrow(0, i * width, width));
            y = graph.Node("Reshape", [y, graph.Constant(0, -1, _heads, each)]); // (N, L, heads, D / heads)
            // the keys transposed
            return graph.Node("Transpose", [y], ("perm", i == 1 ? new long[] { 0, 2, 3, 1 } : [0, 2, 1, 3]));
        })];
        string scaled = graph.Node("Mul", [heads[0], graph.Constant(tensor((float)(1 / Math.Sqrt(each))))]);
        // (N, heads, L, L)
        string attention = graph.Node("Softmax", [graph.Node("MatMul", [scaled, heads[1]])], ("axis", -1L));
        string mixed = graph.Node("Transpose", [graph.Node("MatMul", [attention, heads[2]])],
            ("perm", new long[] { 0, 2, 1, 3 }));
        return graph.Add(out_proj, graph.Node("Reshape", [mixed, graph.Constant(0, -1, width)]));
    }
}

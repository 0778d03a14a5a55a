using System.Runtime.InteropServices;
using Google.Protobuf;
using TorchSharp.Modules;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Onnx;

/// <summary>A network that can say what it computes in ONNX' operators.</summary>
internal interface IOnnxLayer
{
    /// <summary>Adds its operators in evaluation mode.</summary>
    /// <param name="graph">Gets them.</param>
    /// <param name="x">Name of the value that comes in.</param>
    /// <returns>Name of the value that goes out.</returns>
    string Export(OnnxGraph graph, string x);
}

/// <summary>An ONNX graph under construction: each call adds one operator and gives the name of its output.</summary>
/// <param name="foldBatchNorm">Multiply batch normalisations into the convolutions ahead of them.</param>
internal sealed class OnnxGraph(bool foldBatchNorm)
{
    private readonly Dictionary<string, (Conv2dWeights Weights, NodeProto Node)> _convolutions = [];

    private int _constants;

    private sealed record Conv2dWeights(Tensor Weight, Tensor? Bias);

    /// <summary>What has been added.</summary>
    public GraphProto Graph { get; } = new() { Name = "siamsharp" };

    /// <summary>Adds an operator.</summary>
    /// <param name="type">Such as Relu.</param>
    /// <param name="inputs">Names of values.</param>
    /// <param name="attributes">long, long[], float or string by name.</param>
    /// <returns>Name of its first output.</returns>
    public string Node(string type, string[] inputs, params (string Name, object Value)[] attributes)
    {
        string name = $"{type}_{Graph.Node.Count}";
        var node = new NodeProto { OpType = type, Name = name };
        node.Input.AddRange(inputs);
        node.Output.Add(name);
        foreach (var (key, value) in attributes)
        {
            var attribute = new AttributeProto { Name = key };
            switch (value)
            {
                case long i: (attribute.I, attribute.Type) = (i, AttributeProto.Types.AttributeType.Int); break;
                case float f: (attribute.F, attribute.Type) = (f, AttributeProto.Types.AttributeType.Float); break;
                case string s:
                    (attribute.S, attribute.Type) = (ByteString.CopyFromUtf8(s), AttributeProto.Types.AttributeType.String);
                    break;
                case long[] list:
                    attribute.Ints.AddRange(list);
                    attribute.Type = AttributeProto.Types.AttributeType.Ints;
                    break;
                default: throw new ArgumentException($"{key} is a {value.GetType().Name}.");
            }
            node.Attribute.Add(attribute);
        }
        Graph.Node.Add(node);
        return name;
    }

    /// <summary>A constant of float32.</summary>
    /// <param name="values">Of any floating type, shape and layout; copied.</param>
    public string Constant(Tensor values)
    {
        using var scope = NewDisposeScope();
        var flat = values.detach().cpu().to(ScalarType.Float32).contiguous().view(-1);
        return Constant(TensorProto.Types.DataType.Float, values.shape, ByteString.CopyFrom(flat.bytes));
    }

    /// <summary>A constant of int64.</summary>
    public string Constant(params long[] values) =>
        Constant(TensorProto.Types.DataType.Int64, [values.Length], ByteString.CopyFrom(MemoryMarshal.AsBytes<long>(values)));

    /// <summary>One int64 without dimensions.</summary>
    public string Scalar(long value) =>
        Constant(TensorProto.Types.DataType.Int64, [], ByteString.CopyFrom(BitConverter.GetBytes(value)));

    private string Constant(TensorProto.Types.DataType type, long[] shape, ByteString bytes)
    {
        var constant = new TensorProto { Name = $"c{_constants++}", DataType = (int)type, RawData = bytes };
        constant.Dims.AddRange(shape);
        Graph.Initializer.Add(constant);
        return constant.Name;
    }

    /// <summary>Adds a layer in evaluation mode.</summary>
    /// <exception cref="NotSupportedException">It is none that is known, such as a network of the user's own.</exception>
    public string Add(nn.Module<Tensor, Tensor> layer, string x)
    {
        switch (layer)
        {
            case IOnnxLayer known: return known.Export(this, x);
            case Sequential sequence:
                foreach (var part in sequence.children()) x = Add((nn.Module<Tensor, Tensor>)part, x);
                return x;
            case Conv2d { padding_mode: TorchSharp.PaddingModes.Zeros, padding: { } padding } c
                when c.dilation.All(step => step == 1):
                return Convolution(x, c.weight, c.bias, c.stride, padding, c.groups);
            case BatchNorm { weight: not null, bias: not null, running_mean: not null, running_var: not null } norm:
                return BatchNorm(norm, x);
            case LayerNorm { weight: { } weight, bias: { } bias } norm when weight.dim() == 1:
                return LayerNorm(x, weight, bias, norm.eps);
            case Linear linear: return Linear(x, linear.weight, linear.bias);
            case ReLU: return Node("Relu", [x]);
            case GELU: return Gelu(x);
            default:
                throw new NotSupportedException(
                    $"A {layer.GetName()} cannot be exported to ONNX: only the backbones of this library, and networks of "
                        + "Sequential, Conv2d (without dilation, padded by a number), BatchNorm2d and LayerNorm of one dimension "
                        + "(both with weights), Linear, ReLU and GELU, can.");
        }
    }

    /// <summary>(N, C, H, W) to (N, weight's first, H', W').</summary>
    public string Convolution(string x, Tensor weight, Tensor? bias, long[] stride, long[] padding, long groups)
    {
        string[] constants = bias is null ? [Constant(weight)] : [Constant(weight), Constant(bias)];
        string y = Node("Conv", [x, .. constants], ("kernel_shape", weight.shape[2..]), ("strides", stride),
            ("pads", new[] { padding[0], padding[1], padding[0], padding[1] }), ("group", groups));
        _convolutions[y] = (new(weight, bias), Graph.Node[^1]);
        return y;
    }

    private string BatchNorm(BatchNorm norm, string x)
    {
        Tensor weight = norm.weight!, bias = norm.bias!, mean = norm.running_mean!, variance = norm.running_var!;
        if (!foldBatchNorm || !_convolutions.Remove(x, out var before))
            return Node("BatchNormalization", [x, Constant(weight), Constant(bias), Constant(mean), Constant(variance)],
                ("epsilon", (float)norm.eps));
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        Tensor scale = weight / variance.Plus(norm.eps).sqrt();
        Tensor moved = bias.Plus(((before.Weights.Bias ?? zeros_like(mean)) - mean) * scale);
        Replace(before.Node, [Constant(before.Weights.Weight * scale.view(-1, 1, 1, 1)), Constant(moved)]);
        return x;
    }

    /// <summary>Gives a convolution other constants; the old ones leave the graph.</summary>
    private void Replace(NodeProto convolution, string[] constants)
    {
        string[] old = [.. convolution.Input.Skip(1)];
        while (convolution.Input.Count > 1) convolution.Input.RemoveAt(1);
        convolution.Input.AddRange(constants);
        foreach (var constant in Graph.Initializer.Where(c => old.Contains(c.Name)).ToArray()) Graph.Initializer.Remove(constant);
    }

    /// <summary>Normalises the last dimension.</summary>
    public string LayerNorm(string x, Tensor weight, Tensor bias, double epsilon) =>
        Node("LayerNormalization", [x, Constant(weight), Constant(bias)], ("axis", -1L), ("epsilon", (float)epsilon));

    /// <summary>The last dimension by a weight (out, in).</summary>
    public string Linear(string x, Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        string y = Node("MatMul", [x, Constant(weight.t())]);
        return bias is null ? y : Node("Add", [y, Constant(bias)]);
    }

    /// <summary>x * (1 + erf(x / sqrt 2)) / 2.</summary>
    private string Gelu(string x)
    {
        using var scope = NewDisposeScope();
        string erf = Node("Erf", [Node("Mul", [x, Constant(tensor((float)Math.Sqrt(0.5)))])]);
        return Node("Mul", [Node("Mul", [x, Constant(tensor(0.5f))]), Node("Add", [erf, Constant(tensor(1f))])]);
    }
}

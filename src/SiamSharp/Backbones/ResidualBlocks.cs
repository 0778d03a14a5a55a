using SiamSharp.Native;
using SiamSharp.Onnx;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SiamSharp.Backbones;

/// <summary>A block whose output is added to its input.</summary>
internal interface IResidualBlock
{
    /// <summary>What comes last before the sum: where its scale is 0, the block passes its input on.</summary>
    BatchNormalization LastNormalization { get; }
}

/// <summary>Two 3 x 3 convolutions with a skip connection: (N, C, H, W) to (N, width, H / stride, W / stride).</summary>
internal sealed class BasicBlock : nn.Module<Tensor, Tensor>, IOnnxLayer, IResidualBlock
{
    public BatchNormalization LastNormalization => bn2;

    private readonly Conv2d conv1, conv2;
    private readonly BatchNormalization bn1, bn2;
    private readonly Sequential? downsample;

    public BasicBlock(int input, int width, int stride) : base(nameof(BasicBlock))
    {
        conv1 = Convolutions.ThreeByThree(input, width, stride);
        bn1 = new BatchNormalization(width);
        conv2 = Convolutions.ThreeByThree(width, width, stride: 1);
        bn2 = new BatchNormalization(width);
        if (stride != 1 || input != width) downsample = Convolutions.Downsample(input, width, stride);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var y = bn1.forward(conv1.forward(x)).relu_();
        y = bn2.forward(conv2.forward(y));
        return y.PlusInPlace(downsample is null ? x : downsample.forward(x)).relu_().MoveToOuterDisposeScope();
    }

    public string Export(OnnxGraph graph, string x)
    {
        string y = graph.Node("Relu", [graph.Add(bn1, graph.Add(conv1, x))]);
        y = graph.Add(bn2, graph.Add(conv2, y));
        return graph.Node("Relu", [graph.Node("Add", [y, downsample is null ? x : graph.Add(downsample, x)])]);
    }
}

/// <summary>1 x 1, 3 x 3 and 1 x 1 convolutions with a skip connection: (N, C, H, W) to (N, 4 width,
/// H / stride, W / stride).</summary>
internal sealed class BottleneckBlock : nn.Module<Tensor, Tensor>, IOnnxLayer, IResidualBlock
{
    public const int Expansion = 4;

    public BatchNormalization LastNormalization => bn3;

    private readonly PointwiseConvolution conv1, conv3;
    private readonly Conv2d conv2;
    private readonly BatchNormalization bn1, bn2, bn3;
    private readonly Sequential? downsample;

    /// <param name="input">Channels that come in.</param>
    /// <param name="width">A quarter of the channels that go out.</param>
    /// <param name="inner">Channels between: <paramref name="width"/>, or more in wide and grouped networks.</param>
    /// <param name="stride">Of the 3 x 3 convolution.</param>
    /// <param name="groups">Of the 3 x 3 convolution.</param>
    public BottleneckBlock(int input, int width, int inner, int stride, int groups) : base(nameof(BottleneckBlock))
    {
        int output = width * Expansion;
        conv1 = new(input, inner, stride: 1);
        bn1 = new BatchNormalization(inner);
        conv2 = Convolutions.ThreeByThree(inner, inner, stride, groups);
        bn2 = new BatchNormalization(inner);
        conv3 = new(inner, output, stride: 1);
        bn3 = new BatchNormalization(output);
        if (stride != 1 || input != output) downsample = Convolutions.Downsample(input, output, stride);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var y = bn1.forward(conv1.forward(x)).relu_();
        y = bn2.forward(conv2.forward(y)).relu_();
        y = bn3.forward(conv3.forward(y));
        return y.PlusInPlace(downsample is null ? x : downsample.forward(x)).relu_().MoveToOuterDisposeScope();
    }

    public string Export(OnnxGraph graph, string x)
    {
        string y = graph.Node("Relu", [graph.Add(bn1, graph.Add(conv1, x))]);
        y = graph.Node("Relu", [graph.Add(bn2, graph.Add(conv2, y))]);
        y = graph.Add(bn3, graph.Add(conv3, y));
        return graph.Node("Relu", [graph.Node("Add", [y, downsample is null ? x : graph.Add(downsample, x)])]);
    }
}

/// <summary>The parts that residual blocks are made of; no convolution has a bias, batch normalisation follows each.</summary>
internal static class Convolutions
{
    public static Conv2d ThreeByThree(int input, int output, int stride, int groups = 1) =>
        nn.Conv2d(input, output, kernel_size: 3, stride: stride, padding: 1, groups: groups, bias: false);

    public static Sequential Downsample(int input, int output, int stride) =>
        nn.Sequential(("0", new PointwiseConvolution(input, output, stride)), ("1", new BatchNormalization(output)));
}

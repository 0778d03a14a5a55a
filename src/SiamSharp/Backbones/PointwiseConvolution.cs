using SiamSharp.Onnx;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SiamSharp.Backbones;

/// <summary>A 1 x 1 convolution without bias, as a matrix product over the pixels.</summary>
/// <remarks>
/// Equal to nn.Conv2d with the same state dict. oneDNN's own is faster (ResNet-50 as a whole by 15 %), but version 3.7.1 gives
/// wrong outputs and writes outside of its memory: to 40, 72 or 80 channels, and on an AMD EPYC of family 26, as far as the tests
/// tell, now and then to multiples of 64 too, up to an arithmetic exception that ends the process.
/// </remarks>
internal sealed class PointwiseConvolution : nn.Module<Tensor, Tensor>, IOnnxLayer
{
    private readonly Parameter weight;
    private readonly int _stride;

    public PointwiseConvolution(int input, int output, int stride) : base(nameof(PointwiseConvolution))
    {
        weight = new Parameter(zeros(output, input, 1, 1));
        _stride = stride;
        RegisterComponents();
    }

    /// <summary>(output, input, 1, 1).</summary>
    public Parameter Weight => weight;

    /// <summary>(N, input, H, W) to (N, output, H / stride, W / stride), channels innermost.</summary>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var pixels = x.permute(0, 2, 3, 1);
        if (_stride > 1) pixels = pixels.slice(1, 0, x.shape[2], _stride).slice(2, 0, x.shape[3], _stride);
        return nn.functional.linear(pixels.contiguous(), weight.flatten(1)).permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }

    public string Export(OnnxGraph graph, string x) =>
        graph.Convolution(x, weight, bias: null, [_stride, _stride], [0, 0], groups: 1);
}

using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SiamSharp.Backbones;

/// <summary>A 1 x 1 convolution without bias; of uneven widths it is a matrix product over the pixels.</summary>
/// <remarks>
/// Equal to nn.Conv2d with the same state dict. oneDNN's own is faster (ResNet-50 as a whole by 15 %), but version 3.7.1 gives
/// wrong outputs to 40, 72 or 80 channels and writes outside of its memory; it was right for all multiples of 16 that were tried.
/// </remarks>
internal sealed class PointwiseConvolution : nn.Module<Tensor, Tensor>
{
    private const int SafeMultiple = 64;

    private readonly Parameter weight;
    private readonly int _stride;
    private readonly bool _safe;

    public PointwiseConvolution(int input, int output, int stride) : base(nameof(PointwiseConvolution))
    {
        weight = new Parameter(zeros(output, input, 1, 1));
        _stride = stride;
        _safe = input % SafeMultiple == 0 && output % SafeMultiple == 0;
        RegisterComponents();
    }

    /// <summary>(output, input, 1, 1).</summary>
    public Parameter Weight => weight;

    /// <summary>(N, input, H, W) to (N, output, H / stride, W / stride), channels innermost.</summary>
    public override Tensor forward(Tensor x)
    {
        if (_safe) return nn.functional.conv2d(x, weight, strides: [_stride, _stride]);
        using var scope = NewDisposeScope();
        var pixels = x.permute(0, 2, 3, 1);
        if (_stride > 1) pixels = pixels.slice(1, 0, x.shape[2], _stride).slice(2, 0, x.shape[3], _stride);
        return nn.functional.linear(pixels.contiguous(), weight.flatten(1)).permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }
}

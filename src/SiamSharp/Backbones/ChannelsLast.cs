using static TorchSharp.torch;

namespace SiamSharp.Backbones;

/// <summary>Images with the channels innermost in memory, the layout in which backbones compute.</summary>
/// <remarks>
/// Two reasons. Narrow networks are faster so on a CPU. And in the usual layout oneDNN 3.7.1, which
/// libtorch 2.10 carries, gives wrong gradients without a word for 3 x 3 convolutions whose channels do not fill its
/// blocks (8, 24, 40, or 48 with stride 2): it reads padding that was never written.
/// </remarks>
internal static class ChannelsLast
{
    /// <summary>The same values with the channels innermost.</summary>
    /// <param name="x">(N, C, H, W), any dtype.</param>
    /// <returns>(N, C, H, W), a copy unless it is so already; differentiable; owned by the caller.</returns>
    public static Tensor Of(Tensor x)
    {
        using var scope = NewDisposeScope();
        // With one channel both layouts are the same in memory, but only these strides make libtorch take the second.
        return (x.shape[1] == 1
            ? x.contiguous().view(x.shape[0], x.shape[2], x.shape[3], 1).permute(0, 3, 1, 2)
            : x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)).MoveToOuterDisposeScope();
    }
}

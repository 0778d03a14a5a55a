using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Native;

/// <summary>Compares libtorch's single-precision convolution with a matrix product in double precision.</summary>
internal static class ConvolutionCheck
{
    /// <summary>False when the gradient of a 3 x 3 convolution of 24 channels is wrong, as with oneDNN 3.7.1
    /// on some processors.</summary>
    public static bool PlainLayoutIsRight()
    {
        using var scope = NewDisposeScope();
        using var _ = enable_grad();
        var values = arange(Held(0), Held(2 * 24 * 8 * 8), Held(1)).remainder(Held(13)).sub(Held(6)).reshape(2, 24, 8, 8);
        var kernel = arange(Held(0), Held(24 * 24 * 9), Held(1)).remainder(Held(7)).sub(Held(3)).reshape(24, 24, 3, 3);
        // Memory that was freed full of NaN shows whether anything is read before it is written.
        foreach (int size in new[] { 64, 1024, 4096, 16_384, 65_536 }) full([size], Held(float.NaN)).Dispose();
        Tensor single = Gradient(ScalarType.Float32, (x, w) => nn.functional.conv2d(x, w, padding: [1, 1]));
        // The same as a matrix product of patches: libtorch would ask NNPACK for a convolution in double precision,
        // which complains of processors that it does not know.
        Tensor exact = Gradient(ScalarType.Float64,
            (x, w) => w.view(24, -1).matmul(nn.functional.unfold(x, 3, padding: 1)).view(2, 24, 8, 8));
        return single.allclose(exact.to(ScalarType.Float32), rtol: 1e-4, atol: 1e-2);

        Tensor Gradient(ScalarType type, Func<Tensor, Tensor, Tensor> convolve)
        {
            var x = values.to(type).requires_grad_();
            var y = convolve(x, kernel.to(type));
            y.backward([y.detach()]);
            return x.grad!;
        }
    }
}

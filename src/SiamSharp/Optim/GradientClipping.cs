using SiamSharp.Native;
using static TorchSharp.torch;

namespace SiamSharp.Optim;

/// <summary>Limits the length of the gradient.</summary>
internal static class GradientClipping
{
    /// <summary>Shortens all gradients by one factor when their common norm is above the limit.</summary>
    /// <remarks>
    /// Definition and epsilon as torch.nn.utils.clip_grad_norm_: factor = min(1, limit / (norm + 1e-6)).
    /// Cost: one synchronisation with the device.
    /// </remarks>
    /// <param name="parameters">Parameters, with or without a gradient.</param>
    /// <param name="maxNorm">The limit, above 0; 0 = measure only.</param>
    /// <returns>The Euclidean norm of all gradients before clipping; not finite when a gradient is not.</returns>
    public static double Clip(IEnumerable<Tensor> parameters, double maxNorm)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxNorm);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Tensor[] gradients = [.. parameters.Select(p => p.grad).OfType<Tensor>()];
        if (gradients.Length == 0) return 0;

        double norm = TorchOperators.GlobalNorm(gradients).to(ScalarType.Float64).item<double>();
        double factor = maxNorm / (norm + 1e-6);
        if (maxNorm > 0 && factor < 1) TorchOperators.Scale(gradients, factor);
        return norm;
    }
}

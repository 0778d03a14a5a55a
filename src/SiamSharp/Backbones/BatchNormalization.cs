using SiamSharp.Native;
using static TorchSharp.torch;

namespace SiamSharp.Backbones;

/// <summary>Batch normalisation of (N, C) or (N, C, H, W), the layer and names of torch.nn.BatchNorm1d and 2d: eps 1e-5, momentum 0.1.</summary>
/// <param name="features">C.</param>
/// <param name="affine">With a scale and a shift to learn.</param>
/// <remarks>TorchSharp's own counts its batches with a number that a collection frees during the call: see <see cref="HeldScalars"/>.</remarks>
public sealed class BatchNormalization(long features, bool affine = true)
    : TorchSharp.Modules.BatchNorm(features, eps: 1e-5, momentum: 0.1, affine, track_running_stats: true, device: null, dtype: null, nameof(BatchNormalization))
{
    /// <summary>Training: by the batch's own mean and variance, of which the running ones take a tenth; else by the running ones.</summary>
    public override Tensor forward(Tensor input)
    {
        if (training) num_batches_tracked!.PlusInPlace(1);
        return nn.functional.batch_norm(input, running_mean!, running_var!, weight, bias, training, momentum!.Value, eps);
    }

    /// <summary>libtorch checks them.</summary>
    protected override void ValidateInputDimensions(Tensor input) { }
}

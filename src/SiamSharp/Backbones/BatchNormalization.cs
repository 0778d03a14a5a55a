using SiamSharp.Native;
using static TorchSharp.torch;

namespace SiamSharp.Backbones;

/// <summary>Batch normalisation of (N, C) or (N, C, H, W), the layer and names of torch.nn.BatchNorm1d and 2d:
/// eps 1e-5, momentum 0.1.</summary>
/// <param name="features">C.</param>
/// <param name="affine">With a scale and a shift to learn.</param>
/// <remarks>
/// TorchSharp's own counts its batches with a number that a collection frees during the call: see <see cref="HeldScalars"/>.
/// </remarks>
public sealed class BatchNormalization(long features, bool affine = true)
    : TorchSharp.Modules.BatchNorm(features, eps: 1e-5, momentum: 0.1, affine, track_running_stats: true, device: null,
        dtype: null, nameof(BatchNormalization))
{
    /// <summary>Training: by the batch's own mean and variance, of which the running ones take a tenth;
    /// else by the running ones.</summary>
    public override Tensor forward(Tensor input)
    {
        if (training) num_batches_tracked!.PlusInPlace(1);
        long parts = Math.Min(Splits, input.shape[0] / 2); // two samples or more each, also where files became unreadable
        return training && parts > 1
            ? Apart(input, parts)
            : nn.functional.batch_norm(input, running_mean!, running_var!, weight, bias, training, momentum!.Value, eps);
    }

    /// <summary>
    /// In training, how many parts of the batch, neighbours together, are normalised each by its own mean and
    /// variance; 1 = the batch as a whole.
    /// </summary>
    /// <remarks>
    /// The running statistics become the mean of those that each part would leave. Source: what the one-GPU demo of
    /// facebookresearch/moco does, to stand for as many devices. Differences: it deals the samples out to the parts in turn,
    /// which is the same for samples in random order.
    /// Cost: one more copy of the output and of its gradient.
    /// </remarks>
    public int Splits { get; set; } = 1;

    private Tensor Apart(Tensor input, long parts)
    {
        using var scope = NewDisposeScope();
        Tensor[] inputs = input.tensor_split(parts, 0);
        Tensor[] means = [.. inputs.Select(_ => running_mean!.clone())],
            variances = [.. inputs.Select(_ => running_var!.clone())];
        Tensor[] outputs = [.. inputs.Select((part, i) =>
            nn.functional.batch_norm(part, means[i], variances[i], weight, bias, training: true, momentum!.Value, eps))];
        using (no_grad())
        {
            running_mean!.copy_(stack(means).mean([0]));
            running_var!.copy_(stack(variances).mean([0]));
        }
        return cat(outputs).MoveToOuterDisposeScope();
    }

    /// <summary>libtorch checks them.</summary>
    protected override void ValidateInputDimensions(Tensor input) { }
}

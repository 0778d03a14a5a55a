using SiamSharp.Views;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>What a method sees in one step.</summary>
/// <param name="Views">V views of the same N samples: float32 (N, C, S, S) each; sizes may differ between views.</param>
/// <remarks>
/// Target views are the leading views of the first view's size: all of them, unless there are smaller ones (multi-crop).
/// </remarks>
public sealed record ViewBatch(IReadOnlyList<Tensor> Views)
{
    /// <summary>int64 (N): which samples of the data set these are, 0 to samples - 1.</summary>
    public Tensor? Indexes { get; init; }

    /// <summary>int64 (N): the class of each sample; null without labels.</summary>
    public Tensor? Labels { get; init; }

    /// <summary>Steps done before this one.</summary>
    public long Step { get; init; }

    /// <summary>Steps in an epoch.</summary>
    public int StepsPerEpoch { get; init; } = 1;

    /// <summary>Epochs done before this step, with fractions.</summary>
    public double Epoch => (double)Step / StepsPerEpoch;

    /// <summary>The share of training that is done once this step is made, 0 to 1.</summary>
    public double Progress { get; init; }

    /// <summary>N.</summary>
    public long Samples => Views[0].shape[0];

    /// <summary>The target views.</summary>
    public IReadOnlyList<Tensor> Targets => [.. Views.Take(ViewsOptions.LeadingOfOneSide(Views.Select(v => v.shape[^1])))];
}

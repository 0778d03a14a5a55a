using static TorchSharp.torch;

namespace SiamSharp.Data;

/// <summary>One batch of images as they leave the loader.</summary>
/// <param name="Images">
/// float32 (N, C, H, W) on the CPU; integers scaled to 0 to 1, floating-point values as they are. Owned by the caller or the
/// dispose scope in which it asked for the batch.
/// </param>
/// <param name="SampleIds">N indexes into the source: what a sample's random numbers depend on.</param>
/// <param name="Indexes">N indexes into the data set.</param>
/// <param name="Epoch">0 or more.</param>
/// <param name="Step">Within the epoch: 0 or more.</param>
internal sealed record Batch(Tensor Images, long[] SampleIds, int[] Indexes, int Epoch, int Step);

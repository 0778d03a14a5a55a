using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>Signs that all images are mapped to the same point.</summary>
internal static class Collapse
{
    /// <summary>How far normalised embeddings spread over the sphere: 0 when all are equal,
    /// about 1 when they point anywhere.</summary>
    /// <remarks>
    /// Definition: sqrt D times the mean over dimensions of the standard deviation over samples.
    /// Source: Chen and He 2020, arXiv 2011.10566, section 4.1 (there without the factor).
    /// </remarks>
    /// <param name="z">float32 (N, D), each row of norm 1; N 2 or more.</param>
    /// <returns>A scalar of about 0 to 1, owned by the caller.</returns>
    public static Tensor Spread(Tensor z)
    {
        using var scope = NewDisposeScope();
        return (z.std(0, unbiased: false).mean() * Held(Math.Sqrt(z.shape[1]))).MoveToOuterDisposeScope();
    }
}

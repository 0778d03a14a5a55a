using System.IO.Hashing;
using System.Text;
using SiamSharp.Options;
using SiamSharp.Randomness;

namespace SiamSharp.Evaluation;

/// <summary>One way in which images can be worse than those that an encoder learned from.</summary>
/// <remarks>
/// A new one is one file in <c>Corruptions/</c>, or in an assembly of your own: its <see cref="KindAttribute"/> makes it known.
/// </remarks>
public abstract class Corruption
{
    private const int FirstOwn = 1000;

    /// <summary>Its place in the paper's order; one that is not of the paper comes after those.</summary>
    internal virtual int Place => int.MaxValue;

    /// <summary>Which random numbers are its own: the place in the paper's order, or a number of 15
    /// bits made of the name.</summary>
    internal int Stream =>
        Place < FirstOwn ? Place : FirstOwn + (int)(XxHash32.HashToUInt32(Encoding.UTF8.GetBytes(Kinds.NameOf(this))) >> 17);

    /// <summary>Corrupts one image.</summary>
    /// <param name="image">(C, H, W), 0 to 1.</param>
    /// <param name="result">(C, H, W), zeros; values outside 0 to 1 are clipped afterwards.</param>
    /// <param name="shape">C, H and W.</param>
    /// <param name="level">0 to 4: the severity less 1.</param>
    /// <param name="random">The sample's stream.</param>
    public abstract void Apply(
        ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random);
}

using System.Numerics.Tensors;

namespace SiamSharp.Data;

/// <summary>One decoded image: C planes of H x W values at the depth of its source.</summary>
/// <param name="Values">A <c>byte[]</c>, <c>ushort[]</c> or <c>float[]</c> of C * H * W values, row-major (C, H, W).</param>
/// <param name="Channels">C, 1 or more.</param>
/// <param name="Height">H in pixels.</param>
/// <param name="Width">W in pixels.</param>
public sealed record Pixels(Array Values, int Channels, int Height, int Width)
{
    /// <summary>The integer that becomes 1 in <see cref="CopyTo"/>; 0 = the largest of its type, 255 or 65535.</summary>
    public int White { get; init; }

    /// <summary>What was done to a file's pixels on the way here; null where they come from memory.</summary>
    internal PixelOrigin? Origin { get; init; }

    /// <summary>Bits of one value: 8, 16 or 32.</summary>
    public int BitDepth => Values switch { byte[] => 8, ushort[] => 16, _ => 32 };

    /// <summary>Writes the values as float32: integers divided by <see cref="White"/>,
    /// floating-point values as they are.</summary>
    /// <param name="destination">C * H * W values, (C, H, W).</param>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    public void CopyTo(Span<float> destination)
    {
        if (destination.Length != Values.Length)
            throw new ArgumentException(
                $"The destination must hold C*H*W = {Values.Length} values, but has {destination.Length}.");
        float white = White > 0 ? White : Values is byte[]? byte.MaxValue : ushort.MaxValue;
        switch (Values)
        {
            case byte[] bytes:
                for (int i = 0; i < bytes.Length; i++) destination[i] = bytes[i] / white;
                break;
            case ushort[] words:
                for (int i = 0; i < words.Length; i++) destination[i] = words[i] / white;
                break;
            default:
                ((float[])Values).CopyTo(destination);
                break;
        }
    }
}

/// <summary>What was done to a file's pixels, for the notes on a set.</summary>
/// <param name="Channels">Before grey became RGB or the other way round.</param>
/// <param name="UnreadPages">Pages or frames that were left out.</param>
/// <param name="Background">What shows through; null where nothing is transparent.</param>
/// <param name="Side">The shorter side in pixels as stored, or as a JPEG file was shrunk to while it was
/// decoded; 0 = not known.</param>
/// <param name="Converted">Whether the colours were CMYK, Lab or the like and became RGB.</param>
/// <param name="Invisible">Whether all of it is transparent.</param>
/// <param name="CutOff">The share that was cut off to make it square, 0 to 1.</param>
/// <param name="Stored">Of floating-point values ahead of resizing; null where it is not known.</param>
internal sealed record PixelOrigin(int Channels, int UnreadPages = 0, AlphaBackground? Background = null,
    int Side = 0, bool Converted = false,
    bool Invisible = false, double CutOff = 0, StoredRange? Stored = null);

/// <summary>The values of a file, ahead of resizing.</summary>
/// <param name="Least">Of the finite ones.</param>
/// <param name="Most">Of the finite ones.</param>
/// <param name="NotFinite">How many are NaN or infinite.</param>
internal sealed record StoredRange(float Least, float Most, int NotFinite)
{
    /// <summary>Whether all values are finite and from 0 to 1, or so little beyond as resizing goes.</summary>
    internal static bool IsUnit(float[] values) => TensorPrimitives.IsFiniteAll<float>(values)
        && TensorPrimitives.Min<float>(values) >= -0.25f && TensorPrimitives.Max<float>(values) <= 1.25f;

    /// <summary>Of these values; null where none is finite.</summary>
    internal static StoredRange? Of(float[] values)
    {
        if (values.Length > 0 && TensorPrimitives.IsFiniteAll<float>(values))
            return new(TensorPrimitives.Min<float>(values), TensorPrimitives.Max<float>(values), 0);
        var (least, most, bad) = (float.PositiveInfinity, float.NegativeInfinity, 0);
        foreach (float value in values)
            if (!float.IsFinite(value)) bad++;
            else (least, most) = (Math.Min(least, value), Math.Max(most, value));
        return least <= most ? new(least, most, bad) : null;
    }
}

namespace SiamSharp.Data;

/// <summary>One decoded image: C planes of H x W values at the depth of its source.</summary>
/// <param name="Values">A <c>byte[]</c>, <c>ushort[]</c> or <c>float[]</c> of C * H * W values, row-major (C, H, W).</param>
/// <param name="Channels">C, 1 or more.</param>
/// <param name="Height">H in pixels.</param>
/// <param name="Width">W in pixels.</param>
public sealed record Pixels(Array Values, int Channels, int Height, int Width)
{
    /// <summary>Bits of one value: 8, 16 or 32.</summary>
    public int BitDepth => Values switch { byte[] => 8, ushort[] => 16, _ => 32 };

    /// <summary>Writes the values as float32: integers scaled to 0 to 1, floating-point values as they are.</summary>
    /// <param name="destination">C * H * W values, (C, H, W).</param>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    public void CopyTo(Span<float> destination)
    {
        if (destination.Length != Values.Length)
            throw new ArgumentException(
                $"The destination must hold C*H*W = {Values.Length} values, but has {destination.Length}.");
        switch (Values)
        {
            case byte[] bytes:
                for (int i = 0; i < bytes.Length; i++) destination[i] = bytes[i] / (float)byte.MaxValue;
                break;
            case ushort[] words:
                for (int i = 0; i < words.Length; i++) destination[i] = words[i] / (float)ushort.MaxValue;
                break;
            default:
                ((float[])Values).CopyTo(destination);
                break;
        }
    }
}

using System.Buffers;
using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace SiamSharp.Data;

/// <summary>What is kept of each decoded image even when its pixels are not.</summary>
/// <param name="Hash">XxHash128 of depth and values.</param>
/// <param name="BitDepth">8, 16 or 32.</param>
/// <param name="Moments">One per channel.</param>
internal sealed record ImageFacts(UInt128 Hash, int BitDepth, Moments[] Moments)
{
    /// <summary>Computes the facts of one image.</summary>
    public static ImageFacts Of(Pixels pixels)
    {
        float[] rented = ArrayPool<float>.Shared.Rent(pixels.Values.Length);
        var values = rented.AsSpan(0, pixels.Values.Length);
        pixels.CopyTo(values);
        int area = pixels.Height * pixels.Width;
        var moments = new Moments[pixels.Channels];
        for (int c = 0; c < moments.Length; c++) moments[c] = Data.Moments.Of(values.Slice(c * area, area));
        ArrayPool<float>.Shared.Return(rented);
        return new ImageFacts(HashOf(pixels), pixels.BitDepth, moments);
    }

    private static UInt128 HashOf(Pixels pixels)
    {
        var hash = new XxHash128();
        hash.Append([(byte)pixels.BitDepth]);
        hash.Append(pixels.Values switch
        {
            byte[] v => v,
            ushort[] v => MemoryMarshal.AsBytes<ushort>(v),
            _ => MemoryMarshal.AsBytes<float>((float[])pixels.Values),
        });
        return hash.GetCurrentHashAsUInt128();
    }
}

using System.IO.Hashing;
using System.Text;

namespace SiamSharp.Files;

/// <summary>The hash that a file carries of itself: XxHash128 of all its bytes, with the hash's own digits as zeros.</summary>
internal static class FileHash
{
    /// <summary>What the hash is called in a file.</summary>
    internal const string Name = "xxhash128";

    /// <summary>What stands in the place of the digits while the hash is computed.</summary>
    internal static readonly string Blank = new('0', 32);

    /// <summary>The hash of a stream from its start to its end; the position is its end afterwards.</summary>
    /// <param name="stream">The whole file.</param>
    /// <param name="digitsAt">The byte at which its 32 digits stand.</param>
    internal static string Of(Stream stream, long digitsAt)
    {
        var hash = new XxHash128();
        byte[] buffer = new byte[1 << 20];
        long at = stream.Position = 0;
        for (int count; (count = stream.Read(buffer)) > 0; at += count)
        {
            long from = Math.Max(digitsAt, at), to = Math.Min(digitsAt + Blank.Length, at + count);
            if (from < to) buffer.AsSpan((int)(from - at), (int)(to - from)).Fill((byte)'0');
            hash.Append(buffer.AsSpan(0, count));
        }
        return DigitsOf(hash);
    }

    /// <summary>The hash of bytes that carry none.</summary>
    internal static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(XxHash128.Hash(bytes));

    /// <summary>32 hexadecimal digits, in small letters.</summary>
    internal static string DigitsOf(XxHash128 hash) => Convert.ToHexStringLower(hash.GetCurrentHash());

    /// <summary>The same as the bytes that stand in a file.</summary>
    internal static byte[] BytesOf(XxHash128 hash) => Encoding.ASCII.GetBytes(DigitsOf(hash));
}

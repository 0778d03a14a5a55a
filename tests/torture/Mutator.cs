using System.Buffers.Binary;

namespace SiamSharp.Torture;

/// <summary>Damages bytes in the ways that files are damaged, by accident and on purpose.</summary>
internal static class Mutator
{
    private static readonly long[] s_numbers =
        [0, -1, 1, 2, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, long.MaxValue,
            long.MinValue, 0x3fffffff, 65536, 22000];

    private static readonly byte[][] s_tokens =
    [
        .. new[] { "null", "-1", "0", "1e999", "-1e-999", "NaN", "Infinity", "9223372036854775808", "99999999999999999999999999",
            "4294967296", "2147483648", "\"\"", "[]", "{}",
            "[[[[[[[[[[[[[[[[", "\\ud800", "\\u0000", "\n", "\r\n", ",", "\"", "'", "../", "/etc/passwd", "=1+1",
            "true", "false", "0.5", "1,5", "\t" }
            .Select(System.Text.Encoding.UTF8.GetBytes),
        [0], [0xff], [0xc3], [0xed, 0xa0, 0x80], [0xef, 0xbb, 0xbf], [0xf4, 0x90, 0x80, 0x80],
        [0x1b, (byte)'[', (byte)'2', (byte)'J'],
    ];

    /// <summary>A damaged copy; one to four things are done to it, mostly one.</summary>
    /// <param name="whole">Not changed.</param>
    /// <param name="other">Another file, from which blocks may come.</param>
    /// <param name="random">What is drawn.</param>
    public static byte[] Damage(byte[] whole, byte[] other, Random random)
    {
        byte[] bytes = whole;
        for (int left = Math.Max(1, random.Next(8) - 3); left > 0; left--) bytes = Once(bytes, other, random);
        return bytes;
    }

    private static byte[] Once(byte[] bytes, byte[] other, Random random)
    {
        if (bytes.Length == 0) return [(byte)random.Next(256)];
        // Headers are small and hold what matters most: half of all damage is done to the first 256
        // bytes, a tenth to the last 64.
        int Place() => random.Next(10) switch
        {
            < 5 => random.Next(Math.Min(256, bytes.Length)),
            5 => bytes.Length - 1 - random.Next(Math.Min(64, bytes.Length)),
            _ => random.Next(bytes.Length),
        };
        int at = Place(), length = Math.Min(1 << random.Next(12), bytes.Length - at);
        byte[] copy = [.. bytes];
        switch (random.Next(9))
        {
            case 0: copy[at] ^= (byte)(1 << random.Next(8)); return copy;
            case 1: copy[at] = (byte)random.Next(256); return copy;
            case 2:
                copy[at] = random.Next(3) switch { 0 => 0, 1 => 0xff, _ => (byte)(copy[at] + random.Next(-1, 2)) }; return copy;
            case 3:
                Span<byte> number = stackalloc byte[8];
                long value = s_numbers[random.Next(s_numbers.Length)];
                int width = 1 << random.Next(1, 4);
                if (random.Next(2) == 0) BinaryPrimitives.WriteInt64LittleEndian(number, value);
                else
                {
                    BinaryPrimitives.WriteInt64BigEndian(number, value);
                    number = number[(8 - width)..];
                }
                number[..Math.Min(width, copy.Length - at)].CopyTo(copy.AsSpan(at));
                return copy;
            case 4: return copy[..at]; // cut
            case 5: return [.. bytes[..at], .. bytes[(at + length)..]]; // removed
            case 6: return [.. bytes[..(at + length)], .. bytes[at..]]; // doubled
            case 7: // spliced
                int from = random.Next(Math.Max(1, other.Length));
                return [.. bytes[..at], .. other.AsSpan(from, Math.Min(length, other.Length - from)),
                    .. bytes[(at + random.Next(length + 1))..]];
            default: // a piece of text
                byte[] token = s_tokens[random.Next(s_tokens.Length)];
                return [.. bytes[..at], .. token, .. bytes[(at + random.Next(Math.Min(length, 8) + 1))..]];
        }
    }
}

namespace SiamSharp.Data;

/// <summary>Reads the one tag of a TIFF file that libvips does not tell: what the bands beyond the colours mean.</summary>
/// <remarks>Source: TIFF revision 6.0, section 2 and tag 338 (ExtraSamples); BigTIFF design of 2004.</remarks>
internal static class TiffTags
{
    private const int ExtraSamples = 338;

    /// <summary>
    /// Whether the first extra band of the first page is declared to be opacity (1 or 2), not unspecified data (0).
    /// </summary>
    /// <param name="stream">The file; read from anywhere.</param>
    /// <exception cref="EndOfStreamException">The file ends within its first directory.</exception>
    public static bool FirstExtraIsAlpha(Stream stream)
    {
        Span<byte> bytes = stackalloc byte[20];
        Fill(stream, 0, bytes[..16]);
        bool little = bytes[0] == 0x49, big = Number(bytes[2..4], little) == 43;
        long directory = (long)Number(big ? bytes[8..16] : bytes[4..8], little);
        var (countLength, entryLength, valueOffset) = big ? (8, 20, 12) : (2, 12, 8);
        Fill(stream, directory, bytes[..countLength]);
        int entries = (int)Math.Min(Number(bytes[..countLength], little), 4096);
        for (int i = 0; i < entries; i++)
        {
            var entry = bytes[..entryLength];
            Fill(stream, directory + countLength + (long)i * entryLength, entry);
            if (Number(entry[..2], little) != ExtraSamples) continue;
            ulong count = Number(big ? entry[4..12] : entry[4..8], little);
            // Up to two values (four in BigTIFF) lie in the entry itself, more at the place it points to.
            if (count > (ulong)(big ? 4 : 2))
                Fill(stream, (long)Number(entry[valueOffset..], little), entry.Slice(valueOffset, 2));
            return Number(entry.Slice(valueOffset, 2), little) is 1 or 2;
        }
        return false;
    }

    private static void Fill(Stream stream, long offset, Span<byte> bytes)
    {
        stream.Position = offset;
        stream.ReadExactly(bytes);
    }

    private static ulong Number(ReadOnlySpan<byte> bytes, bool little)
    {
        ulong value = 0;
        for (int i = 0; i < bytes.Length; i++) value = (value << 8) | bytes[little ? bytes.Length - 1 - i : i];
        return value;
    }
}

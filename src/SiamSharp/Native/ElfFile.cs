using System.Runtime.InteropServices;
using System.Text;

namespace SiamSharp.Native;

/// <summary>What a 64-bit little-endian ELF library is made for and which symbol versions it requires or defines.</summary>
/// <remarks>Source: the ELF gABI and its GNU supplement on symbol versioning. Reads only the sections that it needs.</remarks>
internal sealed class ElfFile
{
    private const uint VersionNeed = 0x6ffffffe, VersionDefinition = 0x6ffffffd; // SHT_GNU_verneed, SHT_GNU_verdef
    private const ushort WeakFlag = 2;                                           // VER_FLG_WEAK

    /// <summary>The processor; null when it is neither x64 nor arm64.</summary>
    public Architecture? Machine { get; }

    /// <summary>Versions that some library must have, those marked weak left out.</summary>
    public IReadOnlySet<string> Required { get; }

    /// <summary>Versions that this library has.</summary>
    public IReadOnlySet<string> Defined { get; }

    private ElfFile(Stream stream)
    {
        byte[] header = Part(stream, 0, 64);
        if (!header.AsSpan().StartsWith("\u007fELF\u0002\u0001"u8)) throw new InvalidDataException("not a 64-bit ELF file");
        Machine = BitConverter.ToUInt16(header, 0x12) switch { 0x3e => Architecture.X64, 0xb7 => Architecture.Arm64, _ => null };

        int size = BitConverter.ToUInt16(header, 0x3a), count = BitConverter.ToUInt16(header, 0x3c);
        byte[] sections = Part(stream, BitConverter.ToInt64(header, 0x28), size * count);
        byte[] Content(int s) => Part(stream,
            BitConverter.ToInt64(sections, s * size + 0x18), checked((int)BitConverter.ToInt64(sections, s * size + 0x20)));

        var (required, defined) = (new SortedSet<string>(StringComparer.Ordinal), new SortedSet<string>(StringComparer.Ordinal));
        for (int s = 0; s < count; s++)
        {
            uint type = BitConverter.ToUInt32(sections, s * size + 4);
            if (type is not (VersionNeed or VersionDefinition)) continue;
            byte[] names = Content((int)BitConverter.ToUInt32(sections, s * size + 0x28));
            if (type == VersionNeed) AddRequired(Content(s), names, required);
            else AddDefined(Content(s), names, defined);
        }
        (Required, Defined) = (required, defined);
    }

    /// <summary>Reads a library.</summary>
    /// <exception cref="InvalidDataException">The file is no such library, or a damaged one.</exception>
    public static ElfFile Read(string path)
    {
#pragma warning disable RS0030 // a library of this product, not a file that a user names
        using var stream = File.OpenRead(path);
#pragma warning restore RS0030
        try
        {
            return new(stream);
        }
        catch (Exception e) when (e is EndOfStreamException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            throw new InvalidDataException("a damaged ELF file", e);
        }
    }

    private static void AddRequired(byte[] needs, byte[] names, SortedSet<string> required)
    {
        for (int need = 0, next = -1; next != 0; need += next)
        {
            int entry = need + BitConverter.ToInt32(needs, need + 8);
            for (int left = BitConverter.ToUInt16(needs, need + 2); left > 0; left--)
            {
                bool weak = (BitConverter.ToUInt16(needs, entry + 4) & WeakFlag) != 0;
                if (!weak) required.Add(Name(names, BitConverter.ToInt32(needs, entry + 8)));
                entry += BitConverter.ToInt32(needs, entry + 12);
            }
            next = BitConverter.ToInt32(needs, need + 12);
        }
    }

    private static void AddDefined(byte[] definitions, byte[] names, SortedSet<string> defined)
    {
        for (int entry = 0, next = -1; next != 0; entry += next)
        {
            int name = entry + BitConverter.ToInt32(definitions, entry + 12);
            defined.Add(Name(names, BitConverter.ToInt32(definitions, name)));
            next = BitConverter.ToInt32(definitions, entry + 16);
        }
    }

    private static string Name(byte[] names, int offset) =>
        Encoding.ASCII.GetString(names, offset, Array.IndexOf(names, (byte)0, offset) - offset);

    private static byte[] Part(Stream stream, long offset, int length)
    {
        if (offset < 0 || length < 0 || offset + length > stream.Length) throw new EndOfStreamException();
        byte[] part = new byte[length];
        stream.Position = offset;
        stream.ReadExactly(part);
        return part;
    }
}

using System.Buffers.Binary;
using System.IO.Hashing;

namespace SiamSharp.Data;

/// <summary>Finds files whose pixels are not all there, or not as they were written, where the decoder fills the
/// gap without a word.</summary>
internal static class WholeFile
{
    private const int BlockBytes = 64 * 1024;

    /// <summary>Checks a file of a format; those that their decoder checks itself pass.</summary>
    /// <param name="file">Read from its start.</param>
    /// <param name="format">As <see cref="ImageFormats.Recognise"/> names it.</param>
    /// <param name="allFrames">Whether later frames of a GIF are read too.</param>
    /// <exception cref="InvalidDataException">Pixels are missing or damaged.</exception>
    /// <exception cref="EndOfStreamException">The file ends too soon.</exception>
    public static void Check(Stream file, string format, bool allFrames)
    {
        file.Position = 0;
        if (format == "PNG") CheckPng(file);
        else if (format == "JPEG") CheckJpeg(file);
        else if (format == "GIF") CheckGif(new BufferedStream(file, BlockBytes), allFrames);
    }

    /// <summary>The checksums of what decides pixels. Source: PNG, third edition, sections 5.3 and 5.4.</summary>
    private static void CheckPng(Stream file)
    {
        Span<byte> word = stackalloc byte[8];
        byte[] block = new byte[BlockBytes];
        file.Position = 8;
        while (file.ReadAtLeast(word, 8, throwOnEndOfStream: false) == 8)
        {
            long length = BinaryPrimitives.ReadUInt32BigEndian(word), end = file.Position + length + 4;
            Span<byte> type = word[4..];
            if (type.SequenceEqual("IEND"u8)) return;
            if (!type.SequenceEqual("IHDR"u8) && !type.SequenceEqual("PLTE"u8) && !type.SequenceEqual("IDAT"u8)
                && !type.SequenceEqual("tRNS"u8) && !type.SequenceEqual("eXIf"u8)) // which way is up
            {
                file.Position = end;
                continue;
            }
            var sum = new Crc32();
            sum.Append(type);
            while (length > 0)
            {
                int part = (int)Math.Min(length, block.Length);
                file.ReadExactly(block, 0, part);
                sum.Append(block.AsSpan(0, part));
                length -= part;
            }
            file.ReadExactly(word[..4]);
            if (sum.GetCurrentHashAsUInt32() != BinaryPrimitives.ReadUInt32BigEndian(word)) throw new InvalidDataException();
        }
    }

    /// <summary>The end marker: a file whose end is zeros decodes to grey. Source: ITU-T T.81, annex B.</summary>
    private static void CheckJpeg(Stream file)
    {
        const int endOfImage = 0xD9;
        byte[] block = new byte[BlockBytes];
        Span<byte> head = stackalloc byte[2];
        file.Position = 2;
        while (true)
        {
            int marker = NextMarker(file, block);
            if (marker == endOfImage) return;
            if (marker is >= 0xD0 and <= 0xD8 or 0x01) continue; // restarts and the like stand alone
            file.ReadExactly(head);
            int length = BinaryPrimitives.ReadUInt16BigEndian(head);
            if (length < 2) throw new InvalidDataException();
            file.Position += length - 2;
        }
    }

    /// <summary>Goes behind the next marker, over entropy-coded data, in which FF is followed by 0.</summary>
    private static int NextMarker(Stream file, byte[] block)
    {
        bool escape = false;
        while (true)
        {
            long start = file.Position;
            int read = file.Read(block);
            if (read == 0) throw new EndOfStreamException();
            for (int i = 0; i < read;)
            {
                if (!escape)
                {
                    int at = block.AsSpan(i, read - i).IndexOf((byte)0xFF);
                    if (at < 0) break;
                    i += at + 1;
                    escape = true;
                    continue;
                }
                int code = block[i++];
                if (code == 0xFF) continue; // fill bytes
                escape = false;
                if (code == 0) continue;
                file.Position = start + i;
                return code;
            }
        }
    }

    /// <summary>Counts the pixels of frames. Source: GIF89a, appendix F.</summary>
    private static void CheckGif(Stream file, bool allFrames)
    {
        file.Position = 10;
        SkipColours(file, Byte(file));
        file.Position += 2;
        bool found = false;
        while (true)
        {
            int block = found ? file.ReadByte() : Byte(file);
            if (found && block is -1 or 0x3B) return;
            if (block == 0x21)
            {
                Byte(file);
                while (Byte(file) is > 0 and var length) file.Position += length;
            }
            else if (block == 0x2C)
            {
                CheckFrame(file);
                found = true;
                if (!allFrames) return;
            }
            else throw new InvalidDataException();
        }
    }

    private static void CheckFrame(Stream file)
    {
        const int most = 4096;
        Span<byte> frame = stackalloc byte[9];
        file.ReadExactly(frame);
        long missing =
            (long)BinaryPrimitives.ReadUInt16LittleEndian(frame[4..]) * BinaryPrimitives.ReadUInt16LittleEndian(frame[6..]);
        SkipColours(file, frame[8]);
        int bits = Byte(file), clear = 1 << bits, next = clear + 2, width = bits + 1, previous = -1, buffer = 0, held = 0;
        if (bits is < 1 or > 8) throw new InvalidDataException();
        int[] length = new int[most]; // of the pixels that a code stands for
        Array.Fill(length, 1, 0, clear);
        bool ended = false;
        while (Byte(file) is > 0 and var bytes)
            for (; bytes > 0; bytes--)
            {
                buffer |= Byte(file) << held;
                for (held += 8; held >= width && !ended && missing > 0;)
                {
                    int code = buffer & ((1 << width) - 1);
                    buffer >>= width;
                    held -= width;
                    if (code == clear) (next, width, previous) = (clear + 2, bits + 1, -1);
                    else if (code == clear + 1) ended = true;
                    else
                    {
                        if (code > next || (code == next && previous < 0) || (previous < 0 && code > clear))
                            throw new InvalidDataException();
                        if (previous >= 0 && next < most)
                        {
                            length[next++] = length[previous] + 1;
                            if (next == 1 << width && width < 12) width++;
                        }
                        missing -= length[code];
                        previous = code;
                    }
                }
                if (ended || missing <= 0) (buffer, held) = (0, 0);
            }
        if (missing > 0) throw new InvalidDataException();
    }

    private static void SkipColours(Stream file, int flags)
    {
        if ((flags & 0x80) != 0) file.Position += 3 << ((flags & 7) + 1);
    }

    private static int Byte(Stream file) => file.ReadByte() is >= 0 and var value ? value : throw new EndOfStreamException();
}

using System.Buffers.Binary;

namespace SiamSharp.Embeddings;

/// <summary>Looks at the end of a Parquet file before the library that reads it does, which never ends on some damaged ones.</summary>
/// <remarks>
/// Definition: the file begins and ends with PAR1; ahead of the end stand the length of the metadata, 4 bytes, little endian, and ahead of that the metadata, one struct in
/// Thrift's compact protocol, whole, with nothing behind it. Source: parquet-format's README; thrift-compact-protocol.md. Cost: linear in the metadata's bytes.
/// </remarks>
internal static class ParquetFooter
{
    private const int Frame = 8, MaxDepth = 32, MaxLength = 256 << 20;

    /// <summary>Refuses a file whose metadata is not whole.</summary>
    /// <exception cref="InvalidDataException">What is wrong.</exception>
    public static void Check(Stream file)
    {
        if (file.Length < 4 + Frame) throw new InvalidDataException($"it has {file.Length} bytes, fewer than a Parquet file needs");
        Span<byte> start = stackalloc byte[4], end = stackalloc byte[Frame];
        file.Position = 0;
        file.ReadExactly(start);
        file.Position = file.Length - Frame;
        file.ReadExactly(end);
        if (!start.SequenceEqual("PAR1"u8) || !end[4..].SequenceEqual("PAR1"u8)) throw new InvalidDataException("a Parquet file begins and ends with PAR1, which it does not");
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(end);
        if (length > Math.Min(MaxLength, file.Length - 4 - Frame)) throw new InvalidDataException($"its metadata would have {length} bytes, more than there are");
        byte[] metadata = new byte[length];
        file.Position = file.Length - Frame - length;
        file.ReadExactly(metadata);
        file.Position = 0;
        var reader = new Compact(metadata);
        reader.Struct(0);
        if (reader.At != metadata.Length) throw new InvalidDataException($"its metadata end {metadata.Length - reader.At} bytes too early");
    }

    /// <summary>Passes over values of Thrift's compact protocol.</summary>
    private ref struct Compact(ReadOnlySpan<byte> bytes)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;

        public int At { get; private set; }

        public void Struct(int depth)
        {
            if (depth > MaxDepth) throw new InvalidDataException($"its metadata lie more than {MaxDepth} deep within one another");
            while (Next() is not 0 and var field)
            {
                if (field >> 4 == 0) Integer(); // the field's number, where it is not told as a difference
                if ((field & 15) > 2) Value(field & 15, depth); // true and false are types of their own
            }
        }

        private void Value(int type, int depth)
        {
            switch (type)
            {
                case 1 or 2 or 3: Next(); break; // in a list, a truth value is a byte
                case 4 or 5 or 6: Integer(); break;
                case 7: Skip(8); break;
                case 8: Skip(Integer()); break;
                case 9 or 10:
                    int head = Next();
                    ulong items = head >> 4 == 15 ? Integer() : (ulong)(head >> 4);
                    Items(items, head & 15, 0, depth);
                    break;
                case 11:
                    ulong pairs = Integer();
                    if (pairs == 0) break;
                    int types = Next();
                    Items(pairs, types >> 4, types & 15, depth);
                    break;
                case 12: Struct(depth + 1); break;
                default: throw new InvalidDataException($"its metadata hold a value of type {type}, which there is not");
            }
        }

        private void Items(ulong count, int type, int second, int depth)
        {
            if (depth > MaxDepth) throw new InvalidDataException($"its metadata lie more than {MaxDepth} deep within one another");
            if (count > (ulong)(_bytes.Length - At)) throw new InvalidDataException($"its metadata hold a list of {count} items, but end before"); // each takes a byte or more
            for (ulong i = 0; i < count; i++)
            {
                Value(type, depth + 1);
                if (second != 0) Value(second, depth + 1);
            }
        }

        private int Next() => At < _bytes.Length ? _bytes[At++] : throw new InvalidDataException("its metadata end too early");

        private ulong Integer()
        {
            ulong value = 0;
            for (int shift = 0; shift < 70; shift += 7)
            {
                int part = Next();
                value |= (ulong)(part & 127) << shift;
                if (part < 128) return value;
            }
            throw new InvalidDataException("its metadata hold an integer of more than 64 bits");
        }

        private void Skip(ulong count)
        {
            if (count > (ulong)(_bytes.Length - At)) throw new InvalidDataException("its metadata hold a text that is longer than they are");
            At += (int)count;
        }
    }
}

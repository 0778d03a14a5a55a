using System.Buffers.Binary;

namespace SiamSharp.Embeddings;

/// <summary>Looks at the headers of a Parquet file before the library that reads it does, which believes them and never ends on
/// some damaged ones.</summary>
/// <remarks>
/// Definition: the file begins and ends with PAR1; ahead of the end stand the length of the metadata, 4 bytes, little endian, and
/// ahead of that the metadata, one struct in
/// Thrift's compact protocol, whole, with nothing behind it. Each column lies ahead of that as pages, each behind a header of its
/// own. Their numbers, decoded, are at most
/// 1024 times the file's length: more than Snappy, gzip and zstd make of anything but a column of one and the same value. Source:
/// parquet-format's README and parquet.thrift;
/// thrift-compact-protocol.md. Cost: linear in the bytes of the headers.
/// </remarks>
internal static class ParquetFooter
{
    private const int Frame = 8, MaxDepth = 32, MaxLength = 16 << 20, PageHeaderBytes = 1 << 16;
    private const long MaxGrowth = 1024;

    /// <summary>Refuses a file whose headers are not whole or promise more than the file can hold.</summary>
    /// <exception cref="InvalidDataException">What is wrong.</exception>
    public static void Check(Stream file)
    {
        if (file.Length < 4 + Frame)
            throw new InvalidDataException($"it has {file.Length} bytes, fewer than a Parquet file needs");
        Span<byte> start = stackalloc byte[4], end = stackalloc byte[Frame];
        file.Position = 0;
        file.ReadExactly(start);
        file.Position = file.Length - Frame;
        file.ReadExactly(end);
        if (!start.SequenceEqual("PAR1"u8) || !end[4..].SequenceEqual("PAR1"u8))
            throw new InvalidDataException("a Parquet file begins and ends with PAR1, which it does not");
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(end);
        if (length > Math.Min(MaxLength, file.Length - 4 - Frame))
            throw new InvalidDataException($"its metadata would have {length} bytes, more than there are");
        byte[] metadata = new byte[length];
        file.Position = file.Length - Frame - length;
        file.ReadExactly(metadata);
        var reader = new Compact(metadata);
        Dictionary<int, object> fields = reader.Struct();
        if (reader.At != metadata.Length)
            throw new InvalidDataException($"its metadata end {metadata.Length - reader.At} bytes too early");
        Columns(file, fields, file.Length - Frame - length);
    }

    /// <param name="file">The file.</param>
    /// <param name="metadata">Field 4 = row groups; of a group 1 = columns, 3 = rows; of a column 3 = its metadata: 5 = values, 7
    /// = bytes, 9 and 11 = where its pages and its dictionary begin.</param>
    /// <param name="end">Where the metadata begin.</param>
    private static void Columns(Stream file, Dictionary<int, object> metadata, long end)
    {
        long most = checked(file.Length * MaxGrowth), rows = 0, bytes = 0;
        foreach (object item in List(metadata, 4, "row groups"))
        {
            Dictionary<int, object> group = Fields(item);
            rows = checked(rows + Whole(group, 3, "rows", most));
            foreach (object column in List(group, 1, "columns"))
            {
                Dictionary<int, object> chunk = Fields(Fields(column).GetValueOrDefault(3));
                long values = Whole(chunk, 5, "values", most), size = Whole(chunk, 7, "bytes of a column", end),
                    start = Whole(chunk, 9, "place of a column", end);
                if (chunk.ContainsKey(11) && Whole(chunk, 11, "place of a dictionary", end) is > 0 and var dictionary)
                    start = Math.Min(start, dictionary);
                if (start + size > end)
                    throw new InvalidDataException(
                        $"its metadata put a column at {start} to {start + size}, beyond the {end} bytes of data");
                bytes = checked(bytes + values * sizeof(float));
                if (bytes > most)
                    throw new InvalidDataException(
                        $"its metadata promise numbers of {bytes} bytes, more than {MaxGrowth} times the file");
                Pages(file, start, start + size, values, most);
            }
        }
        if (rows > int.MaxValue) throw new InvalidDataException($"its metadata promise {rows} rows");
    }

    /// <summary>Of the header of a page 1 = type (0 and 3 hold values, 2 a dictionary, 1 an index), 2 = bytes decoded, 3 = bytes,
    /// 5, 7 and 8 = the header of its type, whose 1 = values.</summary>
    private static void Pages(Stream file, long start, long end, long values, long most)
    {
        long seen = 0;
        byte[] bytes = new byte[PageHeaderBytes];
        while (start < end && seen < values)
        {
            file.Position = start;
            int got = file.ReadAtLeast(bytes.AsSpan(0, (int)Math.Min(bytes.Length, end - start)),
                (int)Math.Min(bytes.Length, end - start), throwOnEndOfStream: false);
            var reader = new Compact(bytes.AsSpan(0, got));
            Dictionary<int, object> page = reader.Struct();
            long type = Whole(page, 1, "type of a page", 3), packed = Whole(page, 3, "bytes of a page", end - start - reader.At);
            Whole(page, 2, "bytes of a page, decoded", Math.Min(int.MaxValue, most));
            if (type != 1)
            {
                Dictionary<int, object> kind = Fields(page.GetValueOrDefault(type switch { 0 => 5, 2 => 7, _ => 8 }));
                long held = Whole(kind, 1, "values of a page", type == 2 ? most : values - seen);
                if (type != 2) seen += held;
            }
            start += reader.At + packed;
        }
        if (seen < values)
            throw new InvalidDataException($"its metadata promise a column of {values} values, but its pages hold {seen}");
    }

    private static List<object> List(Dictionary<int, object> fields, int id, string what) =>
        fields.GetValueOrDefault(id) as List<object> ?? throw new InvalidDataException($"its metadata lack the {what}");

    private static Dictionary<int, object> Fields(object? item) => item as Dictionary<int, object>
        ?? throw new InvalidDataException("its metadata lack a structure, or have another thing in its place");

    private static long Whole(Dictionary<int, object> fields, int id, string what, long most) =>
        fields.GetValueOrDefault(id) is not long value ? throw new InvalidDataException($"its metadata lack the {what}")
        : value >= 0 && value <= most ? value
        : throw new InvalidDataException($"its metadata say of {what}: {value}; 0 to {most} are possible");

    /// <summary>Reads values of Thrift's compact protocol.</summary>
    private ref struct Compact(ReadOnlySpan<byte> bytes)
    {
        private static readonly object s_other = new();

        private readonly ReadOnlySpan<byte> _bytes = bytes;
        private int _depth;

        public int At { get; private set; }

        /// <summary>Fields by their numbers: whole numbers as long, lists as List, structs as Dictionary, and something in the
        /// place of all else.</summary>
        public Dictionary<int, object> Struct()
        {
            if (++_depth > MaxDepth)
                throw new InvalidDataException($"its metadata lie more than {MaxDepth} deep within one another");
            var fields = new Dictionary<int, object>();
            int id = 0;
            while (Next() is not 0 and var field)
            {
                // the field's number, where it is not told as a difference
                id = field >> 4 == 0 ? (int)Signed(Integer()) : id + (field >> 4);
                fields[id] = (field & 15) is 1 or 2 ? s_other : Value(field & 15); // true and false are types of their own
            }
            _depth--;
            return fields;
        }

        private object Value(int type)
        {
            switch (type)
            {
                case 1 or 2 or 3: Next(); return s_other; // in a list, a truth value is a byte
                case 4 or 5 or 6: return Signed(Integer());
                case 7: Skip(8); return s_other;
                case 8: Skip(Integer()); return s_other;
                case 9 or 10:
                    int head = Next();
                    return Items(head >> 4 == 15 ? Integer() : (ulong)(head >> 4), head & 15, 0);
                case 11:
                    ulong pairs = Integer();
                    int types = pairs == 0 ? 0 : Next();
                    return Items(pairs, types >> 4, types & 15);
                case 12: return Struct();
                default: throw new InvalidDataException($"its metadata hold a value of type {type}, which there is not");
            }
        }

        private List<object> Items(ulong count, int type, int second)
        {
            if (++_depth > MaxDepth)
                throw new InvalidDataException($"its metadata lie more than {MaxDepth} deep within one another");
            // each takes a byte or more
            if (count > (ulong)(_bytes.Length - At))
                throw new InvalidDataException($"its metadata hold a list of {count} items, but end before");
            var items = new List<object>();
            for (ulong i = 0; i < count; i++)
            {
                items.Add(Value(type));
                if (second != 0) Value(second);
            }
            _depth--;
            return items;
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

        private static long Signed(ulong zigZag) => (long)(zigZag >> 1) ^ -(long)(zigZag & 1);

        private void Skip(ulong count)
        {
            if (count > (ulong)(_bytes.Length - At))
                throw new InvalidDataException("its metadata hold a text that is longer than they are");
            At += (int)count;
        }
    }
}

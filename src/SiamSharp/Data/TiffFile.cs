namespace SiamSharp.Data;

/// <summary>One page of a TIFF file, as its directory describes it.</summary>
/// <param name="Index">Place in the file, from 0.</param>
/// <param name="IsReduced">Whether it is a smaller version of another page, or its transparency, and no image of its own.</param>
/// <param name="FirstExtraIsAlpha">Whether the first band beyond the colours is declared to be opacity,
/// not unspecified data.</param>
/// <param name="IsFilledSilently">Whether the decoder puts black where a piece cannot be decoded:
/// compressed tiles and fax.</param>
/// <param name="Pieces">Strips or tiles that the page is made of.</param>
/// <param name="MissingPieces">Of them empty, shorter than their pixels, or beyond the end of the file.</param>
internal sealed record TiffPage(
    int Index, bool IsReduced, bool FirstExtraIsAlpha, bool IsFilledSilently, long Pieces, long MissingPieces);

/// <summary>Reads what libvips does not tell of a TIFF file: what extra bands mean, which pages are images,
/// and whether the pixels are there.</summary>
/// <remarks>
/// Source: TIFF revision 6.0, sections 2, 7, 8, 15 and tags 254 (NewSubfileType) and 338 (ExtraSamples); BigTIFF design of 2004.
/// The decoder takes strips without an offset for black, and so does one of too few bytes in some compressions.
/// </remarks>
internal static class TiffFile
{
    private const int MaxPages = 4096, MaxEntries = 4096;

    private const int SubfileType = 254, Width = 256, Height = 257, BitsPerSample = 258, Compression = 259, Photometric = 262,
        StripOffsets = 273, SamplesPerPixel = 277,
        RowsPerStrip = 278, StripByteCounts = 279, Planar = 284, TileWidth = 322, TileHeight = 323, TileOffsets = 324,
        TileByteCounts = 325, ExtraSamples = 338, LastOfPixels = 532;

    /// <summary>All pages, up to 4096.</summary>
    /// <param name="stream">The file; read from anywhere.</param>
    /// <param name="all">Whether later pages matter: otherwise their pieces are not looked at, and damage to their
    /// directories ends the list.</param>
    /// <exception cref="EndOfStreamException">The file ends within a directory.</exception>
    /// <exception cref="InvalidDataException">A directory lies where none can be.</exception>
    public static List<TiffPage> Pages(Stream stream, bool all)
    {
        var file = new Reader(new BufferedStream(stream, 16 * 1024)); // the stream is the caller's, so neither is closed here
        var pages = new List<TiffPage>();
        var seen = new HashSet<long>();
        try
        {
            for (long at = file.FirstDirectory; at != 0 && pages.Count < MaxPages && seen.Add(at);)
            {
                Dictionary<int, Entry> tags = file.Directory(at, out at);
                pages.Add(PageOf(file, tags, pages.Count, all || pages.Count == 0));
            }
        }
        catch (Exception e) when ((e is EndOfStreamException or InvalidDataException) && !all && pages.Count > 0)
        {
        }
        return pages.Count > 0 ? pages : throw new InvalidDataException();
    }

    private static TiffPage PageOf(Reader file, Dictionary<int, Entry> tags, int index, bool checkPieces)
    {
        long One(int tag, long otherwise) =>
            tags.TryGetValue(tag, out Entry? entry) && entry.Count > 0 ? file.Value(entry, 0) : otherwise;

        // a whole JPEG file instead of strips
        bool within = One(Compression, 1) == 6 && !tags.ContainsKey(StripOffsets) && !tags.ContainsKey(TileOffsets);
        var (pieces, missing) = within || !checkPieces ? (0, 0) : Missing();
        return new(index, (One(SubfileType, 0) & 0b101) != 0, One(ExtraSamples, 0) is 1 or 2,
            One(Compression, 1) is 2 or 3 or 4
                || (One(Compression, 1) != 1 && (tags.ContainsKey(TileOffsets) || tags.ContainsKey(TileWidth))),
            pieces, missing);

        long[]? All(int tag) => tags.TryGetValue(tag, out Entry? entry) ? file.Values(entry) : null;

        (long Pieces, long Missing) Missing()
        {
            bool tiled = tags.ContainsKey(TileOffsets) || tags.ContainsKey(TileWidth);
            long width = One(Width, 0), height = One(Height, 0), samples = One(SamplesPerPixel, 1);
            if (width < 1 || height < 1 || samples < 1 || width > int.MaxValue || height > int.MaxValue
                || samples > ushort.MaxValue)
                throw new InvalidDataException();
            long across = tiled ? One(TileWidth, 0) : width, down = tiled ? One(TileHeight, 0) : One(RowsPerStrip, 0);
            if (!tiled && (down < 1 || down > height)) down = height;
            if (across < 1 || down < 1 || across > int.MaxValue || down > int.MaxValue) throw new InvalidDataException();
            bool planar = One(Planar, 1) == 2;
            long columns = (width + across - 1) / across, rows = (height + down - 1) / down,
                pieces = columns * rows * (planar ? samples : 1);
            long[] offsets = All(TileOffsets) ?? All(StripOffsets) ?? [];
            long[]? counts = All(TileByteCounts) ?? All(StripByteCounts);

            bool raw = One(Compression, 1) == 1 && One(Photometric, 1) != 6; // the chroma of YCbCr may be coarser
            bool jpeg = One(Compression, 1) == 7;
            long rowBytes = (across * One(BitsPerSample, 1) * (planar ? 1 : samples) + 7) / 8;
            long there = Math.Min(pieces, offsets.Length), missing = pieces - there;
            for (long i = 0; i < there; i++)
            {
                long offset = offsets[i], needed = raw ? rowBytes * (tiled ? down : Math.Min(down, height - i % rows * down)) : 1;
                // without counts: as many as it takes, or unknown
                long count = counts is null ? needed : i < counts.Length ? counts[i] : 0;
                long used = raw ? needed : count;
                if (offset < 1 || count < needed || offset > file.Length || used > file.Length - offset
                    || (jpeg && !file.EndsAsJpeg(offset, count)))
                    missing++;
            }
            return (pieces, missing);
        }
    }

    /// <summary>A tag's values: how many, of how many bytes, and where.</summary>
    private sealed record Entry(long Count, int Bytes, long Place);

    private sealed class Reader
    {
        private readonly Stream _stream;
        private readonly bool _little, _big;

        public Reader(Stream stream)
        {
            _stream = stream;
            Length = stream.Length;
            Span<byte> start = stackalloc byte[4];
            Fill(0, start);
            (_little, _big) = (start[0] == 0x49, (start[0] == 0x49 ? start[2] : start[3]) == 43);
            FirstDirectory = _big ? Number(8, 8) : Number(4, 4);
        }

        public long Length { get; }

        public long FirstDirectory { get; }

        public Dictionary<int, Entry> Directory(long at, out long next)
        {
            var (countBytes, entryBytes, inline) = _big ? (8, 20, 8) : (2, 12, 4);
            long entries = Number(at, countBytes);
            if (entries > MaxEntries) throw new InvalidDataException();
            var tags = new Dictionary<int, Entry>();
            for (long i = 0; i < entries; i++)
            {
                long place = at + countBytes + i * entryBytes;
                int tag = (int)Number(place, 2), bytes = Number(place + 2, 2) switch
                {
                    3 or 8 => 2,
                    4 or 9 or 11 or 13 => 4,
                    5 or 10 or 12 or 16 or 17 or 18 => 8,
                    _ => 1
                };
                long count = Number(place + 4, inline), values = place + 4 + inline;
                if (count > Math.Min(Length, int.MaxValue / 8)) throw new InvalidDataException();
                if (count * bytes > inline) values = Number(values, inline);
                // The decoder would take a default for what lies beyond the end. Private tags and metadata do not matter.
                if (tag <= LastOfPixels && values > Length - count * bytes) throw new EndOfStreamException();
                tags.TryAdd(tag, new Entry(count, bytes, values));
            }
            next = Number(at + countBytes + entries * entryBytes, inline);
            return tags;
        }

        public long Value(Entry entry, long index) => Number(entry.Place + index * entry.Bytes, entry.Bytes);

        public long[] Values(Entry entry)
        {
            return [.. Enumerable.Range(0, (int)entry.Count).Select(i => Value(entry, i))];
        }

        /// <summary>Whether a JPEG stream has its end marker, up to a few bytes behind it;
        /// its decoder makes up what is missing.</summary>
        public bool EndsAsJpeg(long at, long count)
        {
            Span<byte> end = stackalloc byte[(int)Math.Min(8, count)];
            Fill(at + count - end.Length, end);
            return end.IndexOf((byte[])[0xFF, 0xD9]) >= 0;
        }

        private long Number(long at, int bytes)
        {
            Span<byte> buffer = stackalloc byte[8];
            Fill(at, buffer[..bytes]);
            ulong value = 0;
            for (int i = 0; i < bytes; i++) value = (value << 8) | buffer[_little ? bytes - 1 - i : i];
            return value > long.MaxValue ? throw new InvalidDataException() : (long)value;
        }

        private void Fill(long at, Span<byte> bytes)
        {
            if (at < 0 || at > Length) throw new EndOfStreamException();
            if (_stream.Position != at) _stream.Position = at;
            _stream.ReadExactly(bytes);
        }
    }
}

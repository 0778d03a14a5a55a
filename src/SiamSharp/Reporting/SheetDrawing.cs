using System.Buffers.Binary;
using System.IO.Hashing;
using SiamSharp.Files;
using SkiaSharp;

namespace SiamSharp.Reporting;

/// <summary>A column of a sheet.</summary>
/// <param name="Title">A word or two.</param>
/// <param name="Lines">Details in small type.</param>
/// <param name="Pictures">One square per row; disposed of with the sheet.</param>
internal sealed record SheetColumn(string Title, IReadOnlyList<string> Lines, List<SKBitmap> Pictures);

/// <summary>Draws a table of small pictures with titles as a PNG.</summary>
/// <remarks>The type is embedded (Roboto, Apache License 2.0), so that no system font is needed.</remarks>
internal static class SheetDrawing
{
    private const int Margin = 24, Gap = 10, MinCell = 112, WidestRowName = 150;
    private const int AfterHeader = 8 + 25; // bytes of a PNG: its signature and its first chunk

    private static readonly byte[] s_mark = Mark();

    private static readonly SKColor s_ink = new(0x22, 0x22, 0x22), s_grey = new(0x70, 0x70, 0x70);

    /// <summary>Writes a sheet.</summary>
    /// <param name="path">Of the PNG.</param>
    /// <param name="title">In large type.</param>
    /// <param name="subtitle">Below the title.</param>
    /// <param name="columns">From left to right; the first one's pictures give the size of all.</param>
    /// <param name="rows">What stands left of each row.</param>
    /// <param name="legend">Below the table; wrapped.</param>
    public static void Write(string path, string title, string subtitle, List<SheetColumn> columns, string[] rows, string legend)
    {
        using SKTypeface typeface = OpenTypeface();
        using SKFont large = new(typeface, 20), medium = new(typeface, 14), small = new(typeface, 12);
        int side = columns[0].Pictures[0].Width, cell = side * Math.Max(1, (MinCell + side - 1) / side);
        string[][] details = [.. columns.Select(column => column.Lines.SelectMany(line => Wrap(line, small, cell)).ToArray())];

        rows = [.. rows.Select(row => Cut(row, small, WidestRowName))];
        int left = Margin + (int)Math.Ceiling(rows.Max(row => small.MeasureText(row))) + Gap;
        int width = left + columns.Count * (cell + Gap) - Gap + Margin;
        string[] legendLines = [.. Wrap(legend, small, width - left - Margin)];
        int top = Margin + 64 + 22 + 16 * details.Max(lines => lines.Length);
        int bottom = top + rows.Length * (cell + Gap);
        int height = bottom + 16 * legendLines.Length + Margin - (legendLines.Length == 0 ? Gap : 0);

        using var bitmap = new SKBitmap(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var canvas = new SKCanvas(bitmap);
        using SKPaint ink = new() { Color = s_ink, IsAntialias = true }, grey = new() { Color = s_grey, IsAntialias = true };
        canvas.Clear(SKColors.White);
        canvas.DrawText(title, left, Margin + 18, large, ink);
        canvas.DrawText(subtitle, left, Margin + 38, small, grey);

        for (int c = 0; c < columns.Count; c++)
        {
            int x = left + c * (cell + Gap);
            canvas.DrawText(columns[c].Title, x, Margin + 64 + 12, medium, ink);
            for (int line = 0; line < details[c].Length; line++)
                canvas.DrawText(details[c][line], x, Margin + 64 + 30 + 16 * line, small, grey);
            for (int row = 0; row < rows.Length; row++)
                Paste(canvas, columns[c].Pictures[row], SKRect.Create(x, top + row * (cell + Gap), cell, cell));
        }
        for (int row = 0; row < rows.Length; row++)
            canvas.DrawText(rows[row], left - Gap, top + row * (cell + Gap) + cell / 2f + 4, SKTextAlign.Right, small, grey);
        for (int line = 0; line < legendLines.Length; line++)
            canvas.DrawText(legendLines[line], left, bottom + 12 + 16 * line, small, grey);

        Save(bitmap, path);
        foreach (SKBitmap picture in columns.SelectMany(column => column.Pictures)) picture.Dispose();
    }

    /// <summary>Writes pictures with captions, row by row.</summary>
    /// <param name="path">Of the PNG.</param>
    /// <param name="title">In large type.</param>
    /// <param name="subtitle">Below the title.</param>
    /// <param name="columns">Pictures in a row.</param>
    /// <param name="cells">A word or two, which are cut to the width of the picture, and a square;
    /// disposed of with the sheet.</param>
    public static void WriteGrid(
        string path, string title, string subtitle, int columns, IReadOnlyList<(string Caption, SKBitmap Picture)> cells)
    {
        using SKTypeface typeface = OpenTypeface();
        using SKFont large = new(typeface, 20), small = new(typeface, 12);
        int side = cells[0].Picture.Width, cell = side * Math.Max(1, (MinCell + side - 1) / side), line = cell + 26;
        int rows = (cells.Count + columns - 1) / columns, top = Margin + 56;
        using var bitmap = new SKBitmap(2 * Margin + columns * (cell + Gap) - Gap, top + rows * line + Margin - Gap,
            SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var canvas = new SKCanvas(bitmap);
        using SKPaint ink = new() { Color = s_ink, IsAntialias = true }, grey = new() { Color = s_grey, IsAntialias = true };
        canvas.Clear(SKColors.White);
        canvas.DrawText(title, Margin, Margin + 18, large, ink);
        canvas.DrawText(subtitle, Margin, Margin + 38, small, grey);
        foreach (var (i, (caption, picture)) in cells.Index())
        {
            int x = Margin + i % columns * (cell + Gap), y = top + i / columns * line;
            canvas.DrawText(Cut(caption, small, cell), x, y + 12, small, i == 0 ? ink : grey);
            Paste(canvas, picture, SKRect.Create(x, y + 16, cell, cell));
        }
        Save(bitmap, path);
        foreach (var (_, picture) in cells) picture.Dispose();
    }

    /// <summary>Whether a file is a sheet of this class.</summary>
    internal static bool IsSheet(string path)
    {
        using FileStream file = RegularFile.OpenRead(path);
        byte[] start = new byte[AfterHeader + s_mark.Length];
        return file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length
            && start.AsSpan(AfterHeader).SequenceEqual(s_mark);
    }

    /// <summary>Writes a PNG, whole or not at all, with a mark by which it is known again.</summary>
    private static void Save(SKBitmap bitmap, string path)
    {
        using SKData png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        FileWriting.Replacing(path, partial =>
        {
            using FileStream file = File.Create(partial);
            file.Write(png.AsSpan()[..AfterHeader]);
            file.Write(s_mark);
            file.Write(png.AsSpan()[AfterHeader..]);
        });
    }

    private static byte[] Mark()
    {
        byte[] content = [.. "tEXtSoftware\0SiamSharp"u8], chunk = new byte[4 + content.Length + 4];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length - 4);
        content.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(4 + content.Length), Crc32.HashToUInt32(content));
        return chunk;
    }

    /// <summary>Enlarged pixel by pixel, reduced smoothly.</summary>
    private static void Paste(SKCanvas canvas, SKBitmap picture, SKRect where)
    {
        using SKImage image = SKImage.FromBitmap(picture);
        SKSamplingOptions sampling = picture.Width <= where.Width
            ? new(SKFilterMode.Nearest)
            : new(SKFilterMode.Linear, SKMipmapMode.Linear);
        canvas.DrawImage(image, where, sampling);
    }

    /// <summary>A text that fits a width: names differ at their ends as often as at their beginnings,
    /// so the middle is left out.</summary>
    private static string Cut(string text, SKFont font, float width)
    {
        if (font.MeasureText(text) <= width) return text;
        int kept = text.Length - 1;
        while (kept > 2 && font.MeasureText(Kept(kept)) > width) kept--;
        return Kept(kept);

        string Kept(int count) => $"{text[..((count + 1) / 2)]}…{text[^(count / 2)..]}";
    }

    private static IEnumerable<string> Wrap(string text, SKFont font, float width)
    {
        string line = "";
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string longer = line.Length == 0 ? word : $"{line} {word}";
            if (line.Length > 0 && font.MeasureText(longer) > width)
            {
                yield return line;
                longer = word;
            }
            line = longer;
        }
        if (line.Length > 0) yield return line;
    }

    internal static SKTypeface OpenTypeface()
    {
        const string name = "SiamSharp.Reporting.Fonts.Roboto-Regular.ttf";
        using Stream font = typeof(SheetDrawing).Assembly.GetManifestResourceStream(name)!;
        return SKTypeface.FromStream(font);
    }
}

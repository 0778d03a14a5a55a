using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace SiamSharp.Data;

/// <summary>The header of a NumPy file.</summary>
/// <param name="Type">As NumPy writes it, such as <c>&lt;u2</c>.</param>
/// <param name="FortranOrder">Whether the first index runs fastest.</param>
/// <param name="Shape">One length per dimension.</param>
/// <param name="Offset">Where the values start, in bytes.</param>
/// <remarks>Source: NumPy enhancement proposal 1, "A simple file format for NumPy arrays", versions 1 to 3.</remarks>
internal sealed partial record NpyHeader(string Type, bool FortranOrder, long[] Shape, long Offset)
{
    /// <summary>Reads the header.</summary>
    /// <exception cref="DataSourceException">It is no NumPy file.</exception>
    public static NpyHeader Read(string path, Stream file)
    {
        byte[] start = new byte[12];
        int got = file.ReadAtLeast(start, 12, throwOnEndOfStream: false);
        if (got < 12 || !start.AsSpan().StartsWith((byte[])[0x93, .. "NUMPY"u8]))
            throw new DataSourceException(
                start.AsSpan().StartsWith("PAR1"u8) ? $"'{path}' is a Parquet file: let its name end in .parquet."
                : start.AsSpan().StartsWith("PK"u8) ? $"'{path}' is an archive, as numpy.savez writes, whatever its name: "
                    + $"save the array in it alone, numpy.save('images.npy', numpy.load('{path}')['arr_0'])."
                : $"'{path}' is not a NumPy file: it must start with the byte 147 and NUMPY. Save it with numpy.save.");
        bool first = start[6] == 1;
        int textStart = first ? 10 : 12;
        long length = first ? BinaryPrimitives.ReadUInt16LittleEndian(start.AsSpan(8))
            : BinaryPrimitives.ReadUInt32LittleEndian(start.AsSpan(8));
        byte[] bytes = new byte[Math.Min(length, 1 << 20)];
        file.Position = textStart;
        got = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        string text = Encoding.Latin1.GetString(bytes, 0, got);
        if (RecordField().Match(text) is { Success: true } field)
            throw new DataSourceException($"'{path}' holds records, with a field '{field.Groups[1].Value}' first. "
                + $"Save the field of the images alone, such as x['{field.Groups[1].Value}'].");
        var (type, order, shape) = (TypeField().Match(text), OrderField().Match(text), ShapeField().Match(text));
        if (!type.Success || !order.Success || !shape.Success)
            throw new DataSourceException(
                $"'{path}' has a NumPy header that cannot be read, "
                + $"'{text[..Math.Min(text.Length, 120)].Trim()}': it must hold one plain array. "
                + "Save it with numpy.save.");
        long[] lengths = [.. shape.Groups[1].Value.Split(',').Where(d => !string.IsNullOrWhiteSpace(d))
            .Select(d => long.TryParse(d, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite,
                CultureInfo.InvariantCulture, out long length)
                ? length
                : throw new DataSourceException($"'{path}' has the shape ({shape.Groups[1].Value.Trim()}) in its NumPy header, "
                    + "which is no list of lengths. Save it with numpy.save."))];
        return new NpyHeader(type.Groups[1].Value, order.Groups[1].Value == "True", lengths, textStart + length);
    }

    [GeneratedRegex(@"'descr':\s*'([^']+)'")] private static partial Regex TypeField();

    [GeneratedRegex(@"'descr':\s*\[\s*\(\s*'([^']+)'")] private static partial Regex RecordField();

    [GeneratedRegex(@"'fortran_order':\s*(True|False)")] private static partial Regex OrderField();

    [GeneratedRegex(@"'shape':\s*\(([\d,\s]*)\)")] private static partial Regex ShapeField();
}

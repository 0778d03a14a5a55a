using System.Text;

namespace SiamSharp.Data;

/// <summary>Reads comma-separated values, and writes their fields.</summary>
/// <remarks>
/// Source: RFC 4180: fields in double quotes may hold commas, line breaks and doubled quotes. Blank lines are left out.
/// </remarks>
internal static class CsvRows
{
    /// <summary>A field as it stands in a file: in double quotes where it needs them.</summary>
    public static string Quote(string field) => field.AsSpan().ContainsAny(",\"\n\r") || field != field.Trim()
        ? $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
        : field;

    /// <summary>All rows with the number of the line on which each starts, from 1.</summary>
    /// <param name="file">For messages.</param>
    /// <param name="text">The whole file.</param>
    /// <exception cref="DataSourceException">A quoted field has no end.</exception>
    public static List<(int Line, string[] Fields)> Parse(string file, string text)
    {
        var rows = new List<(int, string[])>();
        int at = 0, line = 1;
        while (at < text.Length)
        {
            int start = line;
            var fields = new List<string>();
            do fields.Add(Field());
            while (Skip(','));
            Skip('\r');
            if (Skip('\n')) line++;
            if (fields.Count > 1 || fields[0].Length > 0) rows.Add((start, [.. fields]));
        }
        return rows;

        bool Skip(char c)
        {
            if (at >= text.Length || text[at] != c) return false;
            at++;
            return true;
        }

        string Field()
        {
            int start = at, startLine = line;
            if (!Skip('"'))
            {
                while (at < text.Length && text[at] is not (',' or '\r' or '\n')) at++;
                return text[start..at].Trim();
            }
            var value = new StringBuilder();
            while (at < text.Length)
            {
                char c = text[at++];
                if (c == '\n') line++;
                if (c != '"') value.Append(c);
                else if (Skip('"')) value.Append('"');
                else
                {
                    // Whatever follows the closing quote up to the separator belongs to nothing.
                    while (at < text.Length && text[at] is not (',' or '\r' or '\n')) at++;
                    return value.ToString();
                }
            }
            throw new DataSourceException(
                $"'{file}', line {startLine}: a field that starts with a double quote must end with one, but "
                + "the file ends first. Add the missing quote.");
        }
    }
}

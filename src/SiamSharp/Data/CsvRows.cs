using System.Text;

namespace SiamSharp.Data;

/// <summary>Reads comma-separated values, and writes their fields.</summary>
/// <remarks>
/// Source: RFC 4180: fields in double quotes may hold commas, line breaks and doubled quotes. Blank lines are left out.
/// A spreadsheet takes a field that begins with =, +, -, @, a tab or a carriage return for a formula. <see cref="Quote"/> puts an
/// apostrophe ahead of such text, which spreadsheets show as text, and <see cref="Parse"/> takes it off again.
/// </remarks>
internal static class CsvRows
{
    /// <summary>Text as it stands in a field of a file: never a formula, and in double quotes where it needs them.
    /// Numbers are written without this.</summary>
    public static string Quote(string text)
    {
        string field = IsFormula(text) ? "'" + text : text;
        return field.AsSpan().ContainsAny(",\"\n\r") || field != field.Trim()
            ? $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : field;
    }

    // With any number of apostrophes ahead, so that what began with some comes back with as many.
    private static bool IsFormula(string text) => text.TrimStart('\'') is ['=' or '+' or '-' or '@' or '\t' or '\r', ..];

    private static string Plain(string field) => field.StartsWith('\'') && IsFormula(field) ? field[1..] : field;

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
            do fields.Add(Plain(Field()));
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

using System.Globalization;
using System.Text;

namespace SiamSharp.Messages;

/// <summary>Names of files and other words of strangers, as they may be shown on a terminal and in a page.</summary>
internal static class Shown
{
    /// <summary>The text with what moves the cursor, colours the screen or turns the direction of writing written out,
    /// such as <c>\u001b</c> or <c>\n</c>.</summary>
    /// <param name="text">Of any origin.</param>
    public static string Text(string text) => Escaped(text, keepLines: false);

    /// <summary>The same for a text of several lines.</summary>
    /// <param name="text">Of any origin; its line feeds stay.</param>
    public static string Lines(string text) => Escaped(text, keepLines: true);

    private static string Escaped(string text, bool keepLines)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~')) return text;
        var shown = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            bool pair = char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]);
            if (pair) shown.Append(c).Append(text[++i]);
            else if (c is '\n' or '\r' or '\t' && !(keepLines && c == '\n'))
                shown.Append('\\').Append(c switch { '\n' => 'n', '\r' => 'r', _ => 't' });
            else if (IsHidden(c) && !(keepLines && c == '\n')) shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else shown.Append(c);
        }
        return shown.ToString();
    }

    // The two joiners belong to the spelling of some languages and to emoji.
    private static bool IsHidden(char c) => c is not ('\u200c' or '\u200d') && char.GetUnicodeCategory(c)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator;
}

using System.Text;
using SiamSharp.Cli.Terminal;
using SiamSharp.Messages;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace SiamSharp.Cli;

/// <summary>Lines and tables as the commands write them.</summary>
/// <remarks>
/// They stand in this namespace so that the commands find them ahead of Spectre's methods of these names,
/// which break long words and fill lines with spaces.
/// </remarks>
internal static class ConsoleLines
{
    /// <summary>Writes a text, broken between words where the terminal's width asks for it; a word that is longer,
    /// such as a path, stays whole.</summary>
    /// <param name="console">Where to.</param>
    /// <param name="text">May have several lines.</param>
    /// <param name="indent">Spaces ahead of all lines but the first.</param>
    /// <param name="label">A word ahead of it in a colour.</param>
    /// <param name="colour">Of the label.</param>
    internal static void WriteLine(
        this IAnsiConsole console, string text, int indent = 0, string label = "", string colour = "default")
    {
        TextWriter writer = console.Profile.Out.Writer;
        if (label.Length > 0) console.Markup($"[{colour}]{label}[/] ");
        int used = label.Length > 0 ? label.Length + 1 : 0;
        foreach (string line in Shown.Lines(text).Split('\n'))
        {
            Wrap(writer, line, console.Profile.Width, indent, used);
            used = 0;
        }
    }

    private static void Wrap(TextWriter writer, string line, int width, int indent, int column)
    {
        indent = Math.Max(indent, line.Length - line.TrimStart().Length);
        var built = new StringBuilder();
        bool begun = false; // whether a word stands in the line
        foreach (var (i, word) in line.Split(' ').Index())
        {
            if (begun && word.Length > 0 && column + 1 + word.Length > width)
            {
                writer.WriteLine(built.ToString().TrimEnd());
                built.Clear().Append(' ', indent);
                column = indent;
            }
            else if (i > 0)
            {
                built.Append(' ');
                column++;
            }
            built.Append(word);
            column += word.Length;
            begun |= word.Length > 0;
        }
        writer.WriteLine(built.ToString().TrimEnd());
    }

    /// <summary>Writes a table where it fits the terminal, otherwise a paragraph for each row; no line ends in spaces.</summary>
    internal static void WriteTable(this IAnsiConsole console, Table table)
    {
        string[][] rows = [.. table.Rows.Select(row => row.Select(Plain).ToArray())];
        if (!table.ShowHeaders)
        {
            WriteFacts(console, rows.Select(row => (row[0], row[1])), 0);
            return;
        }
        string[] lines = [.. Plain(table).Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0)];
        if (lines.Max(line => line.Length) <= console.Profile.Width)
        {
            foreach (string line in lines) console.Profile.Out.Writer.WriteLine(line);
            return;
        }
        string[] heads = [.. table.Columns.Select(column => Plain(column.Header))];
        foreach (string[] row in rows)
        {
            console.WriteLine(string.Join(" ", new[] { heads[0], row[0] }.Where(text => text.Length > 0)));
            WriteFacts(console, heads.Zip(row).Skip(1).Where(cell => cell.Second.Length > 0), 2);
        }
    }

    /// <summary>Names with a value each, one below the other; a long value goes on below itself.</summary>
    private static void WriteFacts(IAnsiConsole console, IEnumerable<(string Name, string Value)> facts, int indent)
    {
        (string Name, string Value)[] all = [.. facts];
        if (all.Length == 0) return;
        int left = indent + all.Max(f => f.Name.Length) + 1;
        foreach (var (name, value) in all)
            console.WriteLine((new string(' ', indent) + name).PadRight(left) + value.Replace('\n', ' '), left);
    }

    /// <summary>What is drawn without colours and without an end to the line.</summary>
    private static string Plain(IRenderable drawn)
    {
        using var writer = new StringWriter { NewLine = "\n" };
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors
        });
        console.Profile.Width = Screen.Endless;
        console.Write(drawn);
        return Shown.Lines(writer.ToString().TrimEnd('\n'));
    }
}

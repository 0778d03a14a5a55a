using System.Text;
using Spectre.Console;

namespace SiamSharp.Cli.Terminal;

/// <summary>Where a console writes; once the terminal is closed nothing is written any more, and the work goes on to its
/// end or to its saving.</summary>
internal sealed class SteadyOutput(TextWriter writer) : IAnsiConsoleOutput
{
    private readonly AnsiConsoleOutput _inner = new(writer);

    public TextWriter Writer { get; } = new Steady(writer);

    /// <summary>Why something could not be written, such as a full disk; null where all was.</summary>
    internal string? Lost => ((Steady)Writer).Lost;

    public bool IsTerminal => _inner.IsTerminal;

    public int Width => _inner.Width;

    public int Height => _inner.Height;

    public void SetEncoding(Encoding encoding) => _inner.SetEncoding(encoding);

    private sealed class Steady(TextWriter writer) : TextWriter
    {
        internal string? Lost { get; private set; }

        public override Encoding Encoding => writer.Encoding;

        public override void Write(char value) => Try(() => writer.Write(value));

        public override void Write(string? value) => Try(() => writer.Write(value));

        public override void Write(char[] buffer, int index, int count) => Try(() => writer.Write(buffer, index, count));

        public override void Flush() => Try(writer.Flush);

        private void Try(Action write)
        {
            if (Lost is not null) return;
            try
            {
                write();
            }
            catch (IOException e)
            {
                Lost = e.Message;
            }
        }
    }
}

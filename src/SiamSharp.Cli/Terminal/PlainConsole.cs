using Spectre.Console;
using Spectre.Console.Rendering;

namespace SiamSharp.Cli.Terminal;

/// <summary>A console whose tables fit it: see <see cref="ConsoleLines.WriteTable"/>.</summary>
internal sealed class PlainConsole(IAnsiConsole inner) : IAnsiConsole
{
    public Profile Profile => inner.Profile;
    public IAnsiConsoleCursor Cursor => inner.Cursor;
    public IAnsiConsoleInput Input => inner.Input;
    public IExclusivityMode ExclusivityMode => inner.ExclusivityMode;
    public RenderPipeline Pipeline => inner.Pipeline;
    public void Clear(bool home) => inner.Clear(home);
    public void WriteAnsi(Action<AnsiWriter> action) => inner.WriteAnsi(action);

    public void Write(IRenderable renderable)
    {
        if (renderable is Table table) inner.WriteTable(table);
        else inner.Write(renderable);
    }
}

using System.Text.Json;
using SiamSharp.Messages;
using SiamSharp.Options;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace SiamSharp.Cli.Terminal;

/// <summary>Where a command's words go: results to standard output, progress and messages to standard error.</summary>
/// <param name="output">Results.</param>
/// <param name="error">Progress and messages.</param>
/// <param name="json">Results are one JSON document.</param>
internal sealed class Screen(TextWriter output, TextWriter error, bool json) : IProgress<string>
{
    /// <summary>The width of what is no terminal.</summary>
    internal const int Endless = 10_000;

    private readonly PlainConsole _results = ConsoleOn(output);
    private readonly bool _toFile = ReferenceEquals(output, Console.Out) && Console.IsOutputRedirected;
    private readonly List<string> _failures = [];
    private bool _hasResult;

    /// <summary>True when results are to be JSON.</summary>
    internal bool Json { get; } = json;

    /// <summary>The console for progress and messages.</summary>
    internal IAnsiConsole Messages { get; } = ConsoleOn(error);

    /// <summary>What a first interruption (Ctrl+C) does now, and what a second has lost.</summary>
    internal Func<(string First, string Second)> Interruption { get; set; } = () => (
        "Stopping; Ctrl+C again = stop now. Files that are complete stay as they are.",
        "Stopped. Files that are complete stay as they are.");

    /// <summary>Sentences on what is worth knowing, shown as <see cref="Warn"/> shows them.</summary>
    internal IProgress<string> Notes => new Noted(this);

    private sealed class Noted(Screen screen) : IProgress<string>
    {
        public void Report(string value) => screen.Warn(value);
    }

    /// <summary>One line of news.</summary>
    internal void Say(string text) => Messages.WriteLine(Shown.Text(text));

    void IProgress<string>.Report(string value) => Say(value);

    /// <summary>A failure, in red where there are colours.</summary>
    internal void Fail(string text)
    {
        _failures.Add(text);
        Messages.WriteLine(text, label: "error:", colour: "red");
    }

    /// <summary>Something to look at that does not stop the work.</summary>
    internal void Warn(string text) => Messages.WriteLine(Shown.Text(text), label: "note:", colour: "yellow");

    /// <summary>The command that usually comes next, never broken into lines; nothing where the result is JSON.</summary>
    internal void Next(string command)
    {
        if (!Json) Messages.Profile.Out.Writer.WriteLine("Next:  " + command);
    }

    /// <summary>The result: JSON, or what a person reads.</summary>
    internal void Result(object document, Action<IAnsiConsole> show)
    {
        if (Json) output.WriteLine(JsonSerializer.Serialize(document, OptionsJson.Serializer));
        else show(_results);
        _hasResult = true;
    }

    /// <summary>Says where a part of the result went nowhere, as on a full disk. A terminal that was closed
    /// meanwhile is not missed.</summary>
    /// <returns>Whether it did.</returns>
    internal bool TellsOfLoss()
    {
        if (!_toFile || (_results.Profile.Out as SteadyOutput)?.Lost is not { } reason) return false;
        Fail($"The result could not be written to standard output ({reason.TrimEnd('.')}). "
            + "Any files that the command wrote are complete.");
        return true;
    }

    /// <summary>Where a result in JSON was asked for and there is none, one that says why.</summary>
    internal void CloseWithout(int exitCode)
    {
        if (Json && !_hasResult)
            output.WriteLine(JsonSerializer.Serialize(
                new { error = _failures.Count > 0 ? string.Join('\n', _failures) : "interrupted", exitCode },
                OptionsJson.Serializer));
    }

    private static PlainConsole ConsoleOn(TextWriter writer)
    {
        bool terminal = ReferenceEquals(writer, Console.Out) ? !Console.IsOutputRedirected
            : ReferenceEquals(writer, Console.Error) && !Console.IsErrorRedirected;
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new SteadyOutput(writer),
            Ansi = terminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = terminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = terminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        // Lines in a file or a pipe are not to be broken.
        if (!terminal) console.Profile.Width = Endless;
        console.Pipeline.Attach(new EscapedNames());
        return new PlainConsole(console);
    }

    /// <summary>Names of files may hold what moves the cursor: whatever is shown passes here.</summary>
    private sealed class EscapedNames : IRenderHook
    {
        public IEnumerable<IRenderable> Process(RenderOptions options, IEnumerable<IRenderable> renderables) =>
            renderables.Select(inside => inside is ControlCode ? inside : new Escaped(inside));
    }

    private sealed class Escaped(IRenderable inside) : IRenderable
    {
        public Measurement Measure(RenderOptions options, int maxWidth) => inside.Measure(options, maxWidth);

        public IEnumerable<Segment> Render(RenderOptions options, int maxWidth) => inside.Render(options, maxWidth)
            .Select(segment => segment.IsControlCode || segment.IsLineBreak
                || Shown.Lines(segment.Text) is var text && text == segment.Text
                ? segment
                : new Segment(text, segment.Style));
    }
}

using System.CommandLine;
using System.CommandLine.Help;
using SiamSharp.Cli.Commands;
using SiamSharp.Cli.Terminal;
using SiamSharp.Native;

namespace SiamSharp.Cli;

/// <summary>The command <c>siam</c>: parses, calls the library, shows what it says.</summary>
public static class Siam
{
    /// <summary>Runs one command line.</summary>
    /// <param name="args">Without the program's name.</param>
    /// <param name="output">Results.</param>
    /// <param name="error">Progress and messages.</param>
    /// <returns>0 done, 1 failed, 2 wrong usage, 130 interrupted. A second interruption ends the process at
    /// once, also with 130.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        using var interrupts = new Interrupts();
        FreedMemory.Keep();
        Screen? shared = null;
        Screen ScreenOf(ParseResult parsed) => shared ??= new Screen(output, error, parsed.GetValue(CommonOptions.Json));
        // @ is part of a source's name
        ParseResult parsed = Root(ScreenOf)
            .Parse(args.Length == 0 ? ["--help"] : args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        interrupts.Screen = ScreenOf(parsed);
        int exitCode = await RunAsync(parsed, ScreenOf(parsed), output, error, interrupts.Token);
        if (exitCode == 0 && ScreenOf(parsed).TellsOfLoss()) exitCode = 1;
        if (exitCode != 0) ScreenOf(parsed).CloseWithout(exitCode);
        return exitCode;
    }

    private static async Task<int> RunAsync(
        ParseResult parsed, Screen screen, TextWriter output, TextWriter error, CancellationToken interrupt)
    {
        if (parsed.Errors.Count > 0 || Usage.IsHelpOfNothing(parsed) || Usage.HasUnusableValue(parsed))
        {
            foreach (string fault in Usage.Faults(parsed)) screen.Fail(fault);
            screen.Say($"See: {Usage.CommandLine(parsed.CommandResult)} --help");
            return 2;
        }
        try
        {
            int exitCode = await parsed.InvokeAsync(
                new InvocationConfiguration
                {
                    Output = output,
                    Error = error,
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = null
                },
                interrupt);
            if (parsed.Action is HelpAction) Examples.Write(output, Usage.CommandLine(parsed.CommandResult));
            return exitCode;
        }
        catch (Exception e) when (!parsed.GetValue(CommonOptions.Debug)
            && !Failure.IsMissingAssembly(e)) // without its assemblies the console may not write either
        {
            return Failure.Show(e, screen);
        }
    }

    internal static RootCommand Root(Func<ParseResult, Screen> screenOf)
    {
        var root = new RootCommand(
            "Trains an image encoder on your images without labels, judges it and exports it (masked siamese ConvNets).")
        {
            QuickstartCommand.Create(screenOf),
            PretrainCommand.Create(screenOf),
            EvaluateCommand.Create(screenOf),
            StudyCommand.Create(screenOf),
            ReportCommand.Create(screenOf),
            ExportCommand.Create(screenOf),
            EmbedCommand.Create(screenOf),
            ClassifyCommand.Create(screenOf),
            SearchCommands.Search(screenOf),
            SearchCommands.Duplicates(screenOf),
            SearchCommands.Diverse(screenOf),
            ViewsCommand.Create(screenOf),
            DataCommand.Create(screenOf),
            OptionsCommand.Create(screenOf),
            DoctorCommand.Create(screenOf),
        };
        root.Options.Add(CommonOptions.Json);
        root.Options.Add(CommonOptions.Debug);
        return root;
    }
}

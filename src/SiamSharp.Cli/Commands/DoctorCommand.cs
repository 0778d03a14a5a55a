using System.CommandLine;
using System.Runtime.InteropServices;
using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Native;
using Spectre.Console;

namespace SiamSharp.Cli.Commands;

/// <summary><c>siam doctor</c>: why does it not start here, and what to do.</summary>
internal static class DoctorCommand
{
    private static readonly string[] s_sources = ["fashion-mnist:sample", "fashion-mnist:train", "fashion-mnist:test"];

    internal static Command Create(Func<ParseResult, Screen> screenOf)
    {
        var command = new Command("doctor", "Check what works on this machine, what does not, and what to do about it.");
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Run(screenOf(parsed))));
        return command;
    }

    private static int Run(Screen screen)
    {
        NativeReport torch = NativeLibraries.Inspect();
        GCMemoryInfo memory = GC.GetGCMemoryInfo();
        var data = s_sources.Select(name => new { name, problem = ProblemOf(name) }).ToList();
        screen.Result(
            new
            {
                system = RuntimeInformation.OSDescription,
                processors = Environment.ProcessorCount,
                memoryGiB = memory.TotalAvailableMemoryBytes / (double)(1 << 30),
                torch,
                data,
            },
            console =>
            {
                var table = new Table().Border(TableBorder.None).HideHeaders().AddColumn("").AddColumn("");
                void Row(string name, string value) => table.AddRow(Markup.Escape(name), Markup.Escape(value));
                Row("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}");
                Row("processors", $"{Environment.ProcessorCount}");
                Row("memory", $"{memory.TotalAvailableMemoryBytes / (double)(1 << 30):F1} GiB");
                Row("libtorch", torch.Works
                    ? $"{torch.TorchVersion} works, {torch.Threads} threads{(torch.Cuda ? ", CUDA" : "")}" : "does not work");
                foreach (string problem in torch.Problems) Row("  problem", problem);
                foreach (string note in torch.Notes) Row("  note", note);
                foreach (var source in data) Row(source.name, source.problem ?? "found");
                console.Write(table);
            });
        if (torch.Works) screen.Next("siam quickstart");
        return torch.Works ? 0 : 1;
    }

    private static string? ProblemOf(string source)
    {
        try
        {
            ImageSources.Open(source, new DataOptions());
            return null;
        }
        catch (DataSourceException e)
        {
            return e.Message;
        }
    }
}

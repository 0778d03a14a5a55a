using System.Diagnostics;

namespace SiamSharp.Tests.Cli;

/// <summary>The command as a process of its own, as a user runs it.</summary>
internal static class SiamProcess
{
    internal sealed record Ended(int ExitCode, string Output, string Error);

    internal static Process Start(params string[] arguments) => StartIn("", arguments);

    private static Process StartIn(string folder, string[] arguments)
    {
        // Tests started in the background of a script inherit an ignored SIGINT, which a user at a terminal does not.
        string[] command = ["dotnet", Path.Combine(AppContext.BaseDirectory, "siam.dll"), .. arguments];
        var info = OperatingSystem.IsLinux() ? new ProcessStartInfo("env", ["--default-signal=INT", .. command])
            : new ProcessStartInfo(command[0], command[1..]);
        info.WorkingDirectory = folder;
        info.RedirectStandardOutput = info.RedirectStandardError = true;
        return Process.Start(info)!;
    }

    internal static Task<Ended> Run(params string[] arguments) => RunIn("", arguments);

    /// <summary>The same in another current folder; empty = this one.</summary>
    internal static async Task<Ended> RunIn(string folder, params string[] arguments)
    {
        using Process process = StartIn(folder, arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new Ended(process.ExitCode, await output, await error);
    }

    /// <summary>Waits until the process has said so many lines of progress.</summary>
    internal static async Task WaitForSteps(Process process, int lines)
    {
        for (int seen = 0; seen < lines;)
        {
            string? line = await process.StandardError.ReadLineAsync()
                ?? throw new InvalidOperationException("The process ended before it said enough steps.");
            if (line.StartsWith("step ", StringComparison.Ordinal)) seen++;
        }
    }
}

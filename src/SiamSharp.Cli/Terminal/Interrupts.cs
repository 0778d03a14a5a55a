using System.Globalization;
using System.Runtime.InteropServices;

namespace SiamSharp.Cli.Terminal;

/// <summary>Ctrl+C and the signals that end a process: the first lets the command stop in order,
/// the second ends the process at once.</summary>
/// <remarks>
/// Each is answered in the moment it comes. SIGHUP, a closed terminal, counts too, but where the process
/// was told to ignore it (nohup).
/// </remarks>
internal sealed partial class Interrupts : IDisposable
{
    private const int Interrupted = 130;

    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _count;

    internal Interrupts() =>
        _registrations = [.. Signals().Select(signal => PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            Answer();
        }))];

    /// <summary>Cancelled by the first signal.</summary>
    internal CancellationToken Token => _source.Token;

    /// <summary>Says what is going on; null until the command line is read.</summary>
    internal Screen? Screen { get; set; }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations) registration.Dispose();
        _source.Dispose();
    }

    private void Answer()
    {
        if (Interlocked.Increment(ref _count) == 1)
        {
            Tell(meaning => meaning.First);
            _source.Cancel();
            return;
        }
        Tell(meaning => meaning.Second);
        if (OperatingSystem.IsWindows()) Environment.Exit(Interrupted);
        EndNow(Interrupted); // without destructors of libraries whose threads are at work: files are replaced whole or not at all
    }

    private void Tell(Func<(string First, string Second), string> choose)
    {
        try
        {
            if (Screen is { } screen) screen.Say(choose(screen.Interruption()));
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // The terminal is gone; what is to be saved is saved all the same.
        }
    }

    private static IEnumerable<PosixSignal> Signals()
    {
        yield return PosixSignal.SIGINT;
        yield return PosixSignal.SIGTERM;
        if (!OperatingSystem.IsWindows() && !IgnoresHangup()) yield return PosixSignal.SIGHUP;
    }

    private static bool IgnoresHangup()
    {
        const string key = "SigIgn:"; // a mask, in which signal 1 is the lowest bit
        if (!OperatingSystem.IsLinux()
            || File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal))
                is not { } ignored)
            return false;
        return (ulong.Parse(ignored[key.Length..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & 1) != 0;
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void EndNow(int exitCode);
}

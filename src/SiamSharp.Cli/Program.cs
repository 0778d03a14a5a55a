using System.Runtime.InteropServices;
using SiamSharp.Cli;

try
{
    return await Siam.RunAsync(args, Console.Out, Console.Error);
}
catch (Exception e) when (!OperatingSystem.IsWindows() && MissingPart(e) is not null)
{
    // The console itself may be what cannot be loaded.
    byte[] line = System.Text.Encoding.UTF8.GetBytes($"error: a part of the program cannot be loaded ({MissingPart(e)}). "
        + "Too few files may be open at once (ulimit -n 1024 allows more), or not all of the program's files were copied.\n");
    Write(2, line, line.Length);
    return 1;
}

static string? MissingPart(Exception? e) => e is null ? null
    : e.Message.StartsWith("Could not load file or assembly", StringComparison.Ordinal)
        || e.Message.StartsWith("Too many open files", StringComparison.Ordinal)
    ? e.Message.Split('\'') is [_, var name, ..] ? name.Split(',')[0] : "the console"
    : MissingPart(e.InnerException);

#pragma warning disable SYSLIB1054 // generated code for three values that need none
[DllImport("libc", EntryPoint = "write")] static extern nint Write(int file, byte[] bytes, nint count);

using SiamSharp.Cli;

try
{
    return await Siam.RunAsync(args, Console.Out, Console.Error);
}
catch (Exception e) when (PartOfProgram(e) is not null)
{
    // The console may be what could not be loaded.
    using var error = new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(2, ownsHandle: false), FileAccess.Write, bufferSize: 0);
    error.Write(System.Text.Encoding.UTF8.GetBytes($"error: a part of the program cannot be loaded ({PartOfProgram(e)}). Too few files may be open at once (ulimit -n 1024 allows more), or not all of the program's files were copied.\n"));
    return 1;
}

static string? PartOfProgram(Exception? e) => e is null ? null
    : e.Message.StartsWith("Could not load file or assembly", StringComparison.Ordinal) || e.Message.StartsWith("Too many open files", StringComparison.Ordinal) ? e.Message.Split('\'')[1].Split(',')[0] : PartOfProgram(e.InnerException);

using System.Diagnostics;
using Xunit;

namespace SiamSharp.Tests.Data;

/// <summary>What is left of a file that could not be written: nothing, and what was there before is whole.</summary>
public sealed class FullDiskTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("views --data fashion-mnist:sample#..64 --recipe simclr --out {0}/views.png")]
    [InlineData("pretrain --data fashion-mnist:sample#..64 --recipe simclr --out {0}/run --set training.epochs=1 "
        + "--set training.batchSize=32 --set training.threads=1")]
    public async Task Command_FilesThatMustNotGrow_LeavesNothingHalfWritten(string command)
    {
        if (!OperatingSystem.IsLinux()) return;
        string siam = Path.Combine(AppContext.BaseDirectory, "siam.dll"), words = string.Format(command, _folder.Root);
        // No file beyond 24 KiB: what comes after is refused as on a full disk. The runtime's own files are of no matter here.
        var info = new ProcessStartInfo("bash", ["-c", "trap '' XFSZ; "
            + $"export DOTNET_EnableWriteXorExecute=0 DOTNET_EnableDiagnostics=0; ulimit -f 24; dotnet {siam} {words}"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(info)!;
        Task<string> error = process.StandardError.ReadToEndAsync(), output = process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        await output;
        Assert.NotEqual(0, process.ExitCode);
        Assert.Contains("could not be written", await error);
        Assert.DoesNotContain("   at ", await error);
        string[] left = [.. Directory.EnumerateFiles(_folder.Root, "*", SearchOption.AllDirectories)];
        Assert.DoesNotContain(left,
            file => file.EndsWith(".partial", StringComparison.Ordinal) || file.EndsWith(".png", StringComparison.Ordinal));
    }
}

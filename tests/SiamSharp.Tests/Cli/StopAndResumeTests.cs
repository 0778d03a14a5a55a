using System.Diagnostics;
using SiamSharp.Training;
using Xunit;

namespace SiamSharp.Tests.Cli;

/// <summary>Runs that are killed or interrupted from outside, as processes of their own.</summary>
public sealed class StopAndResumeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("stop").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string[] Pretrain(RunFolder run, bool resume) =>
    [
        "pretrain", "--data", "fashion-mnist:sample", "--out", run.Path, "--set", "backbone.width=16", "--set",
        "backbone.depths=[1]", "--set", "backbone.stem=half",
        "--set", "training.epochs=1", "--set", "training.threads=1", "--set", "training.batchSize=250", "--set",
        "training.checkpointSteps=1",.. resume ? ["--resume"] : Array.Empty<string>(),
    ];

    [Fact(Explicit = true)] // slow
    public async Task Pretrain_KilledAtAnyMomentAndResumed_EndsWithTheSameBits()
    {
        RunFolder whole = new(Path.Combine(_folder, "whole")), killed = new(Path.Combine(_folder, "killed"));
        Assert.Equal(0, (await SiamProcess.Run(Pretrain(whole, resume: false))).ExitCode);
        for (int kill = 0; kill < 3; kill++)
        {
            using Process process = SiamProcess.Start(Pretrain(killed, resume: kill > 0));
            await SiamProcess.WaitForSteps(process, 3);
            process.Kill();
            await process.WaitForExitAsync();
            Assert.Equal(137, process.ExitCode);
        }
        Assert.Equal(0, (await SiamProcess.Run(Pretrain(killed, resume: true))).ExitCode);
        Assert.Equal(File.ReadAllText(whole.MetricsPath), File.ReadAllText(killed.MetricsPath));
        Assert.Equal(File.ReadAllBytes(whole.EncoderPath), File.ReadAllBytes(killed.EncoderPath));
    }

    [Theory]
    [InlineData("-INT")]
    [InlineData("-TERM")]
    public async Task Pretrain_Interrupted_SavesAndLeavesWith130(string signal)
    {
        RunFolder run = new(Path.Combine(_folder, "run"));
        using Process process = SiamProcess.Start(Pretrain(run, resume: false));
        await SiamProcess.WaitForSteps(process, 2);
        using (Process kill = Process.Start("kill", [signal, $"{process.Id}"])) await kill.WaitForExitAsync();
        string rest = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(130, process.ExitCode);
        Assert.Contains("--resume", rest);
        Assert.Equal(0, (await SiamProcess.Run(Pretrain(run, resume: true))).ExitCode);
    }
}

using System.Diagnostics;
using SiamSharp.Cli.Terminal;
using SiamSharp.Evaluation;
using SiamSharp.Studies;
using SiamSharp.Training;

namespace SiamSharp.Cli.Commands;

/// <summary>The runs of a study as processes of their own, several at once: libtorch's threads and memory then
/// belong to one run.</summary>
/// <param name="screen">Told of each run that begins and ends.</param>
/// <param name="study">The study.</param>
/// <param name="folder">Its folder.</param>
/// <param name="runs">Its runs.</param>
/// <param name="arguments">The command line that a run's process gets, without the run's name.</param>
internal sealed class StudyProcesses(Screen screen, Study study, string folder, IReadOnlyList<StudyRun> runs, string[] arguments)
{
    private readonly Lock _talk = new();
    private readonly List<string> _failed = [];
    private int _done;

    /// <summary>Runs what is not done yet.</summary>
    /// <param name="atOnce">Processes at once, 1 or more.</param>
    /// <param name="cancellationToken">Lets the runs save and end.</param>
    /// <returns>Names of the runs that failed.</returns>
    internal async Task<IReadOnlyList<string>> Run(int atOnce, CancellationToken cancellationToken)
    {
        // Scores that were copied from another run's folder are judged again.
        StudyRun[] open = [.. runs.Where(r =>
            r.ScoresIn(folder, study.Protocols) is not { } scores || r.Folder(folder).ForeignScores(scores).Any())];
        _done = runs.Count - open.Length;
        if (_done > 0) screen.Say($"{_done} of {runs.Count} runs are done already.");
        using var places = new SemaphoreSlim(atOnce);
        await Task.WhenAll(open.Select(async run =>
        {
            try
            {
                await places.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            try
            {
                await RunOne(run, cancellationToken);
            }
            finally
            {
                places.Release();
            }
        }));
        return _failed;
    }

    private async Task RunOne(StudyRun run, CancellationToken cancellationToken)
    {
        string program = Path.GetFileNameWithoutExtension(Environment.ProcessPath ?? "") == "siam"
            ? Environment.ProcessPath! : "dotnet";
        var info = new ProcessStartInfo(program, [
            .. program == "dotnet" ? [Path.Combine(AppContext.BaseDirectory, "siam.dll")] : Array.Empty<string>(), .. arguments,
            "--only", run.Name, "--child"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(info) ?? throw new InvalidOperationException($"{program} did not start.");
        using var stop = cancellationToken.Register(process.StandardInput.Close);     // what a run waits for to save and end
        lock (_talk) screen.Say($"started {run.Name}");
        Task<string> output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        string problem = "";
        using (var log = new StreamWriter(Path.Combine(folder, run.Name + ".log")) { AutoFlush = true })
        {
            while (await process.StandardError.ReadLineAsync(CancellationToken.None) is { } line)
            {
                await log.WriteLineAsync(line);
                if (line.StartsWith("error:", StringComparison.Ordinal)) problem = line;
            }
        }
        await output;
        await process.WaitForExitAsync(CancellationToken.None);
        lock (_talk)
        {
            IReadOnlyList<Score>? scores = process.ExitCode == 0 ? run.ScoresIn(folder, study.Protocols) : null;
            if (scores is not null)
            {
                StudyFolder.WriteTable(study, folder, runs);
                string shown = string.Join(", ",
                    scores.Where(s => s.Encoder == "pretrained").Select(s => $"{s.Title} {s.Shown}"));
                screen.Say($"{run.Name}: {shown} ({++_done} of {runs.Count})");
                if (RunHealth.Read(run.Folder(folder), run.Recipe) is { State: not HealthState.Healthy } health)
                    screen.Warn($"{run.Name}: {health.Verdict(run.Recipe)}");
            }
            else if (!cancellationToken.IsCancellationRequested)
            {
                _failed.Add(run.Name);
                screen.Say($"{run.Name} failed: "
                    + $"{(problem.Length > 0 ? problem["error:".Length..].Trim() : $"it ended with code {process.ExitCode}")}");
            }
        }
    }
}

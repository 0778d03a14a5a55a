using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace SiamSharp.Torture;

/// <summary>Kills commands at random moments, gives the same command again until it is done, and compares what it made with what
/// an undisturbed one made, bit for bit.</summary>
/// <remarks>
/// Most kills are SIGKILL; a third of these strike while a file is being written under its temporary name. The others are SIGINT,
/// SIGTERM and SIGHUP, now and then two in a row. Any other end than that of the signal, done or interrupted counts as a failure.
/// </remarks>
internal static partial class Kills
{
    private const int MostInOneJob = 25;
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(10);

    /// <summary>One command to be killed until it is done.</summary>
    /// <param name="Name">What it is called on the screen.</param>
    /// <param name="Arguments">The command line, given again and again, for results in a folder.</param>
    /// <param name="Files">What must be equal in the end, relative to that folder.</param>
    /// <param name="Temporary">What the names of files that are being written end with.</param>
    private sealed record Job(string Name, Func<string, string[]> Arguments, string[] Files, string Temporary = ".partial");

    internal static int Run(string command, Bounds bounds)
    {
        string siam = Environment.GetEnvironmentVariable("SIAM") ?? Siam();
        string folder = Directory.CreateTempSubdirectory("kills").FullName;
        Job[] jobs = command switch
        {
            "pretrain" => [.. PretrainJobs()],
            "study" => [StudyJob(folder)],
            "embed" => [.. EmbedJobs(siam, folder)],
            _ => [],
        };
        if (jobs.Length == 0)
        {
            Console.Error.WriteLine("kills pretrain|embed|study [--count N] [--seconds S] [--seed N]; "
                + "SIAM=FILE names another command than that of this tree.");
            return 2;
        }
        var clock = Stopwatch.StartNew();
        Random random = Bounds.Draw(bounds.Seed, 0);
        var (kills, finished, failures) = (0, 0, new List<string>());
        for (int j = 0; kills < bounds.Count && (bounds.Seconds == 0 || clock.Elapsed.TotalSeconds < bounds.Seconds); j++)
        {
            Job job = jobs[j % jobs.Length];
            string expected = Path.Combine(folder, $"{job.Name}-whole"), actual = Path.Combine(folder, $"{job.Name}-{j}");
            double seconds = Whole(siam, job, expected);
            string? failure = KillUntilDone(siam, job, actual, seconds, random, Math.Min(MostInOneJob, bounds.Count - kills),
                ref kills) ?? Differences(job, expected, actual);
            if (failure is not null) failures.Add($"{job.Name} in {actual}: {failure}");
            else Directory.Delete(actual, recursive: true);
            finished++;
            Console.WriteLine($"{kills} of {bounds.Count} kills, {finished} done, {failures.Count} wrong, "
                + $"{clock.Elapsed.TotalMinutes:F1} min: {job.Name} {failure ?? "is the same"}");
        }
        Console.WriteLine($"{command}: {kills} kills, {finished} commands went on to their end, {failures.Count} of them wrong; "
            + $"seed {bounds.Seed}, {clock.Elapsed.TotalMinutes:F1} minutes.");
        foreach (string failure in failures) Console.WriteLine(failure);
        if (failures.Count == 0) Directory.Delete(folder, recursive: true);
        else Console.WriteLine($"What they left is in {folder}.");
        return failures.Count == 0 ? 0 : 1;
    }

    private static IEnumerable<Job> PretrainJobs()
    {
        (string Method, string[] Set)[] methods =
        [
            ("simclr", []), ("moco-v2", ["method.queueSize=64"]),
            ("moco-v3", ["method.headHidden=32"]), ("byol", ["method.headHidden=32"]),
            ("simsiam", ["method.projectorOutput=32", "method.predictorHidden=16"]),
            ("swav", ["method.prototypes=30", "method.queueSize=64", "method.queueFromEpoch=1"]),
            ("barlow-twins", ["method.projectorHidden=32", "method.projectorOutput=32"]),
            ("vicreg", ["method.projectorHidden=32", "method.projectorOutput=32"]),
            ("dino", ["method.outputs=64", "method.headHidden=32", "method.headBottleneck=16"]),
            ("msn", ["method.prototypes=32", "method.projectorHidden=32"]),
            ("pirl", ["method.negatives=40"]), ("siamese-pairs", []),
        ];
        foreach (var (number, (method, set)) in methods.Index())
        {
            bool lazily = number % 2 == 1;
            string optimizer = (number % 3) switch { 0 => "adamw", 1 => "sgd", _ => "lars" };
            string[] options =
            [
                $"method={method}", .. set, $"optimizer={optimizer}", "optimizer.warmupEpochs=1", "backbone.width=8",
                "backbone.depths=[1,1]", "training.epochs=3",
                "training.batchSize=16", "training.checkpointSteps=1", "training.logSteps=1", "training.threads=1",
                "data.threads=2", .. lazily ? ["data.memoryGiB=0"] : Array.Empty<string>(),
            ];
            yield return new($"{method}{(lazily ? "-lazily" : "")}", folder =>
                ["pretrain", "--data", "fashion-mnist:sample#..64", "--out", folder,
                    "--resume", .. options.SelectMany(o => new[] { "--set", o })],
                ["encoder.safetensors", "checkpoint.safetensors", "metrics.jsonl", "recipe.json"]);
        }
    }

    /// <summary>To both formats, from files some of which are cut short.</summary>
    private static IEnumerable<Job> EmbedJobs(string siam, string folder)
    {
        string images = Path.Combine(folder, "images"), run = Path.Combine(folder, "run");
        WriteBitmaps(images, count: 3000, brokenEach: 97);
        Whole(siam, new("run", to => ["pretrain", "--data", images + "#..64", "--out", to, "--set", "data.size=28",
            "--set", "data.channels=1", "--set", "backbone.width=8", "--set", "backbone.depths=[1,1]",
            "--set", "training.epochs=1", "--set", "training.batchSize=16", "--set", "training.threads=1"], []), run);
        foreach (var (name, engine, files) in new[] { ("npy", "onnx", new[] { "x.npy", "x.csv", "x.npy.json",
            "x.npy.skipped.jsonl" }), ("parquet", "libtorch", ["x.parquet", "x.parquet.skipped.jsonl"]) })
            yield return new($"embed-{name}",
                to => ["embed", "--run", run, "--data", images, "--out", Path.Combine(to, $"x.{name}"), "--engine", engine],
                files, Temporary: ".writing");
    }

    /// <summary>Bitmaps of 28 x 28 pixels of 24 bits, each another; one in so many ends in the middle of its pixels.</summary>
    private static void WriteBitmaps(string folder, int count, int brokenEach)
    {
        const int side = 28, header = 54, row = side * 3;
        Directory.CreateDirectory(folder);
        for (int i = 0; i < count; i++)
        {
            byte[] file = new byte[header + side * row];
            "BM"u8.CopyTo(file);
            foreach (var (at, value) in new[] { (2, file.Length), (10, header), (14, 40), (18, side), (22, side),
                (26, 1 + (24 << 16)), (34, side * row) })
                BitConverter.TryWriteBytes(file.AsSpan(at), value);
            for (int p = 0; p < side * row; p++) file[header + p] = (byte)(p * (i + 3) / 7 + i);
            File.WriteAllBytes(Path.Combine(folder, $"{i:d5}.bmp"),
                i % brokenEach == 5 ? file[..(header + side * row / 2)] : file);
        }
    }

    private static Job StudyJob(string folder)
    {
        string file = Path.Combine(folder, "study.json");
        File.WriteAllText(file, """
            {
              "pretrain": "fashion-mnist:sample#..64", "test": "fashion-mnist:sample#9900..",
              "seeds": [1, 2], "protocols": ["knn"], "threads": 1,
              "recipe": { "backbone": { "width": 8, "depths": [1, 1] },
                          "training": { "epochs": 2, "batchSize": 16, "checkpointSteps": 1 }, "evaluation": { "k": 5 } },
              "rows": [ { "name": "one" }, { "name": "two", "set": ["optimizer.learningRate=0.002"] } ]
            }
            """);
        return new("study", folder => ["study", file, "--out", folder, "--jobs", "1"], ["table.json", "table.md"]);
    }

    /// <summary>The undisturbed command, once; gives the seconds that it takes.</summary>
    private static double Whole(string siam, Job job, string folder)
    {
        string time = folder + ".seconds";
        if (!File.Exists(time))
        {
            var clock = Stopwatch.StartNew();
            using Started started = Start(siam, job.Arguments(folder));
            if (!started.Process.WaitForExit(s_patience) || started.Process.ExitCode != 0)
                throw new InvalidOperationException($"{job.Name}, undisturbed, "
                    + $"ended with {(started.Process.HasExited ? started.Process.ExitCode : "no end")}: {started.Output}");
            File.WriteAllText(time, clock.Elapsed.TotalSeconds.ToString(CultureInfo.InvariantCulture));
        }
        return double.Parse(File.ReadAllText(time), CultureInfo.InvariantCulture);
    }

    /// <summary>Null once it is done; else what went wrong.</summary>
    private static string? KillUntilDone(
        string siam, Job job, string folder, double seconds, Random random, int most, ref int kills)
    {
        for (int own = 0; ;)
        {
            using Started started = Start(siam, job.Arguments(folder));
            Process process = started.Process;
            if (own < most)
            {
                bool whileWriting = random.Next(3) == 0;
                TimeSpan moment = TimeSpan.FromSeconds(random.NextDouble() * seconds);
                Wait(process, moment, whileWriting ? folder : null, job.Temporary);
                int signal = random.Next(10) switch { < 7 => SIGKILL, 7 => SIGINT, 8 => SIGTERM, _ => SIGHUP };
                if (!process.HasExited)
                {
                    kills++;
                    own++;
                    _ = Send(process.Id, signal);
                    if (signal != SIGKILL && random.Next(3) == 0)
                    {
                        Thread.Sleep(random.Next(300));
                        if (!process.HasExited) _ = Send(process.Id, SIGINT);
                    }
                }
            }
            if (!process.WaitForExit(s_patience))
            {
                _ = Send(process.Id, SIGKILL);
                return $"did not end within {s_patience.TotalMinutes} minutes: {started.Output}";
            }
            process.WaitForExit();
            if (process.ExitCode is not (0 or 130 or 128 + SIGKILL or 128 + SIGINT or 128 + SIGTERM or 128 + SIGHUP))
                return $"ended with {process.ExitCode}: {started.Output}";
            if (!Eventually(() => Children(folder) == 0)) return "processes that it had started went on for a minute";
            if (process.ExitCode == 0) return null;
        }
    }

    /// <summary>Until the moment, and then on until a file is being written where one is to be hit.</summary>
    private static void Wait(Process process, TimeSpan moment, string? folder, string temporary)
    {
        process.WaitForExit(moment);
        if (folder is null) return;
        while (!process.HasExited)
        {
            try
            {
                if (Directory.Exists(folder)
                    && Directory.EnumerateFiles(folder, "*" + temporary, SearchOption.AllDirectories).Any())
                    return;
            }
            catch (IOException)
            {
                // The folder was being made.
            }
            Thread.Yield();
        }
    }

    private static string? Differences(Job job, string expected, string actual)
    {
        string[] different = [.. job.Files.Where(f => !File.Exists(Path.Combine(actual, f))
            || !File.ReadAllBytes(Path.Combine(expected, f)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(actual, f))))];
        string[] left = [.. Directory.EnumerateFiles(actual, "*" + job.Temporary, SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(actual, f))];
        return different.Length + left.Length == 0 ? null
            : $"differs in {string.Join(", ", different)}; left behind: {string.Join(", ", left)}";
    }

    private sealed record Started(Process Process, Func<string> Text) : IDisposable
    {
        public string Output => Text().ReplaceLineEndings(" | ");
        public void Dispose() => Process.Dispose();
    }

    private static Started Start(string siam, string[] arguments)
    {
        var lines = new System.Text.StringBuilder();
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(siam, arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
        };
        void Add(object _, DataReceivedEventArgs e)
        {
            lock (lines) if (e.Data is not null) lines.AppendLine(e.Data);
        }
        process.OutputDataReceived += Add;
        process.ErrorDataReceived += Add;
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new(process, () =>
        {
            lock (lines) return lines.ToString();
        });
    }

    /// <summary>Processes whose command line names the folder.</summary>
    private static int Children(string folder) => Directory.EnumerateDirectories("/proc").Count(process =>
    {
        try
        {
            return int.TryParse(Path.GetFileName(process), out int id) && id != Environment.ProcessId
                && File.ReadAllText(Path.Combine(process, "cmdline")).Contains(folder, StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // it has ended
        }
    });

    private static bool Eventually(Func<bool> condition)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromMinutes(1); Thread.Sleep(50))
            if (condition()) return true;
        return false;
    }

    private static string Siam()
    {
        string? root = AppContext.BaseDirectory;
        while (root is not null && !File.Exists(Path.Combine(root, "SiamSharp.slnx"))) root = Path.GetDirectoryName(root);
        string file = Path.Combine(root ?? ".", "src", "SiamSharp.Cli", "bin", "Release", "net10.0", "linux-x64", "siam");
        return File.Exists(file) ? file
            : throw new FileNotFoundException($"{file} is missing: dotnet build -c Release src/SiamSharp.Cli, or SIAM=FILE.");
    }

    private const int SIGHUP = 1, SIGINT = 2, SIGKILL = 9, SIGTERM = 15;

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Send(int process, int signal);
}

using System.Collections.Concurrent;
using System.Diagnostics;

namespace SiamSharp.Torture;

/// <summary>Damaged files of every format, read in worker processes that are watched.</summary>
internal static class Mutations
{
    private const int Range = 500, SecondsForOne = 10;
    private const string TooSlow = "no answer in 10 s";

    /// <summary>Tries <see cref="Bounds.Count"/> inputs; <c>--from N</c> begins with another trial than 0,
    /// <c>--work DIR</c> keeps files there.</summary>
    public static int Run(Bounds bounds)
    {
        string Option(string name, string otherwise) =>
            bounds.Rest.ToList().IndexOf(name) is >= 0 and var i && i + 1 < bounds.Rest.Count ? bounds.Rest[i + 1] : otherwise;
        string work = Option("--work", Path.Combine(Path.GetTempPath(), "siam-torture")), whole = Path.Combine(work, "specimens"),
            found = Path.Combine(work, "found");
        long from = long.Parse(Option("--from", "0"));
        Directory.CreateDirectory(found);
        if (!File.Exists(Path.Combine(whole, "study.json"))) Specimens.Make(whole);
        var clock = Stopwatch.StartNew();
        long next = from, done = 0, end = from + bounds.Count;
        var broken = new ConcurrentQueue<string>();
        var again = new ConcurrentDictionary<long, bool>();
        var known = new ConcurrentDictionary<string, bool>();
        var lastWord = Stopwatch.StartNew();
        bool Over() => bounds.Seconds > 0 && clock.Elapsed.TotalSeconds > bounds.Seconds;

        Thread[] watchers = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(i => new Thread(() => Watch(i)))];
        foreach (Thread watcher in watchers) watcher.Start();
        foreach (Thread watcher in watchers) watcher.Join();
        foreach (var kind in broken.GroupBy(Kind).OrderByDescending(k => k.Count()))
            Console.WriteLine($"{kind.Count()} x {kind.Key}, first {kind.First().Split(" | ")[0]}");
        Console.WriteLine($"mutations: {done} inputs of {Format.All.Count} formats in {clock.Elapsed.TotalSeconds:0} s, "
            + $"{broken.Count} broken; seed {bounds.Seed}, trials {from} to {from + done - 1}");
        return broken.IsEmpty ? 0 : 1;

        void Watch(int number)
        {
            string folder = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : work,
                $"siam-torture-{Environment.ProcessId}-{number}");
            Copy(whole, folder);
            File.WriteAllBytes(Path.Combine(folder, "progress"), new byte[8]);
            try
            {
                long trial = 0, stop = 0;
                while (true)
                {
                    using Process worker = Start(folder, bounds.Seed);
                    while (true)
                    {
                        if (trial >= stop)
                        {
                            if (Over()) goto ended;
                            trial = Interlocked.Add(ref next, Range) - Range;
                            stop = Math.Min(trial + Range, end);
                            if (trial >= end) goto ended;
                        }
                        long began = trial;
                        string? fault = Answer(worker, folder, trial, stop, out long reached);
                        trial = fault is null ? stop : reached + 1;
                        Interlocked.Add(ref done, trial - began);
                        if (fault is null) continue;
                        if (fault == TooSlow && again.TryAdd(reached, true)) // once more: the machine may have been busy
                        {
                            trial = reached;
                            break;
                        }
                        Note(folder, reached, fault);
                        break; // and a new worker goes on behind it
                    }
                    continue;
                ended:
                    worker.Kill();
                    worker.WaitForExit();
                    return;
                }
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        // Null when the worker did the whole range; otherwise what it died of, and at which trial.
        string? Answer(Process worker, string folder, long trial, long stop, out long reached)
        {
            worker.StandardInput.WriteLine($"{trial} {stop}");
            worker.StandardInput.Flush();
            Task<string?> answer = worker.StandardOutput.ReadLineAsync();
            (reached, long seen) = (trial, -1);
            var since = Stopwatch.StartNew();
            while (true)
            {
                if (answer.Wait(200))
                {
                    string? line = answer.Result;
                    if (line == "done") return null;
                    if (line is null)
                    {
                        worker.WaitForExit();
                        reached = At(folder);
                        if (reached < 0)
                            throw new InvalidOperationException($"A worker ended with {worker.ExitCode} before its first input.");
                        return $"the process ended with {worker.ExitCode}";
                    }
                    string[] parts = line.Split(' ', 3);
                    Note(folder, long.Parse(parts[1]), parts[2]);
                    answer = worker.StandardOutput.ReadLineAsync();
                }
                reached = At(folder);
                if (reached != seen) (seen, since) = (reached, Stopwatch.StartNew());
                worker.Refresh();
                string? fault = since.Elapsed.TotalSeconds > SecondsForOne ? TooSlow
                    : !worker.HasExited && worker.WorkingSet64 > MutationWorker.ResidentBudget
                    ? $"more than {MutationWorker.ResidentBudget >> 20} MiB held" : null;
                if (SpeakNow(lastWord))
                    Console.WriteLine($"{clock.Elapsed.TotalSeconds:0} s: {done} inputs, {broken.Count} broken");
                if (fault is null || reached < 0) continue;
                worker.Kill();
                worker.WaitForExit();
                return fault;
            }
        }

        static bool SpeakNow(Stopwatch word)
        {
            lock (word)
            {
                if (word.Elapsed.TotalSeconds < 30) return false;
                word.Restart();
                return true;
            }
        }

        void Note(string folder, long trial, string fault)
        {
            var (format, name, bytes) = MutationWorker.Input(whole, bounds.Seed, trial);
            string kept = Path.Combine(found, $"{bounds.Seed}-{trial}-{Path.GetFileName(name)}");
            File.WriteAllBytes(kept, bytes);
            File.WriteAllText(kept + ".txt", fault.Replace(" | ", "\n"));
            if (!fault.StartsWith(format.Name, StringComparison.Ordinal)) fault = $"{format.Name} {name}: {fault}";
            broken.Enqueue($"trial {trial} {fault}");
            if (known.TryAdd(Kind($"trial {trial} {fault}"), true))
                Console.WriteLine($"trial {trial}: {fault.Split(" | ")[0]} ({kept})");
        }
    }

    /// <summary>Format, kind of fault and the first place of ours in its trace: the same for faults of one cause.</summary>
    private static string Kind(string fault)
    {
        string[] lines = fault.Split(" | ");
        string what = string.Join(' ', lines[0].Split(' ').Skip(2));
        int colon = what.IndexOf(": ", what.IndexOf(": ", StringComparison.Ordinal) + 2, StringComparison.Ordinal);
        return $"{(colon < 0 ? what : what[..colon])} "
            + lines.FirstOrDefault(line => line.Contains("at SiamSharp.", StringComparison.Ordinal))?.Split(" in ")[0].Trim();
    }

    private static long At(string folder) => BitConverter.ToInt64(File.ReadAllBytes(Path.Combine(folder, "progress")));

    private static Process Start(string folder, ulong seed) => Process.Start(new ProcessStartInfo(Environment.ProcessPath!,
        ["mutations-worker", folder, $"{seed}"])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        Environment = { ["DOTNET_TieredPGO"] = "0", ["OMP_NUM_THREADS"] = "1" },
    })!;

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string place = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            File.Copy(file, place, overwrite: true);
        }
    }
}

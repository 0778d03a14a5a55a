using System.IO.MemoryMappedFiles;

namespace SiamSharp.Torture;

/// <summary>A process that reads damaged files, so that one that dies of them takes nothing with it.</summary>
internal static class MutationWorker
{
    /// <summary>Bytes that one input may make the runtime allocate, and that the process may hold.</summary>
    public const long AllocationBudget = 256L << 20, ResidentBudget = 1L << 30;

    /// <summary>Takes ranges of trials from standard input; says "broken TRIAL TEXT" for each that breaks a rule,
    /// and "done N" for each range.</summary>
    /// <param name="folder">This worker's own copy of the specimens, with the file <c>progress</c> that
    /// names the trial it is at.</param>
    /// <param name="seed">What is drawn.</param>
    public static int Run(string folder, ulong seed)
    {
        using var progress = MemoryMappedFile.CreateFromFile(Path.Combine(folder, "progress"), FileMode.Open);
        using var at = progress.CreateViewAccessor();
        TextWriter answers = Console.Out;
        Console.SetOut(TextWriter.Null);
        at.Write(0, -1L); // what is loaded and compiled once is nobody's time
        foreach (Format format in Format.All)
        {
            foreach (string file in format.Files)
            {
                try
                {
                    format.Read(folder, Path.Combine(folder, file));
                }
                catch (Exception e) when (format.Documented.Contains(e.GetType())) { } // some hold what is to be refused
            }
        }
        while (Console.In.ReadLine()?.Split(' ') is [var first, var end])
        {
            for (long trial = long.Parse(first); trial < long.Parse(end); trial++)
            {
                at.Write(0, trial);
                if (Try(folder, seed, trial) is { } broken)
                    answers.WriteLine($"broken {trial} {broken.ReplaceLineEndings(" | ")}");
            }
            at.Write(0, -1L);
            answers.WriteLine("done");
            answers.Flush();
        }
        return 0;
    }

    private static readonly Dictionary<string, byte[]> s_whole = [];

    /// <summary>One trial; what rule was broken, or null.</summary>
    private static string? Try(string folder, ulong seed, long trial)
    {
        var (format, name, bytes) = Input(folder, seed, trial);
        string file = Path.Combine(folder, name);
        File.WriteAllBytes(file, bytes);
        long before = GC.GetTotalAllocatedBytes();
        string? broken = null;
        try
        {
            format.Read(folder, file);
        }
        catch (Exception e) when (format.Documented.Contains(e.GetType()))
        {
            if (string.IsNullOrWhiteSpace(e.Message) || e.Message.Contains('\0'))
                broken = $"{e.GetType().Name} without a readable message";
        }
        catch (Exception e)
        {
            broken = $"{e}";
        }
        long allocated = GC.GetTotalAllocatedBytes() - before;
        if (broken is null && allocated > AllocationBudget) broken = $"{allocated >> 20} MiB allocated for {bytes.Length} bytes";
        File.WriteAllBytes(file, s_whole[name]);
        return broken is null ? null : $"{format.Name} {name}: {broken}";
    }

    /// <summary>The input of a trial: a function of seed and trial.</summary>
    public static (Format Format, string Name, byte[] Bytes) Input(string folder, ulong seed, long trial)
    {
        Random random = Bounds.Draw(seed, trial);
        Format format = Format.All[(int)(trial % Format.All.Count)];
        string name = format.Files[random.Next(format.Files.Length)], other = format.Files[random.Next(format.Files.Length)];
        byte[] Whole(string file) =>
            s_whole.TryGetValue(file, out byte[]? known) ? known : s_whole[file] = File.ReadAllBytes(Path.Combine(folder, file));
        return (format, name, Mutator.Damage(Whole(name), Whole(other), random));
    }
}

using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace SiamSharp.Native;

/// <summary>Whether libtorch works here.</summary>
/// <param name="Works">True when it could be loaded and has computed.</param>
/// <param name="TorchVersion">libtorch's version; empty when it does not work.</param>
/// <param name="Threads">Threads that one operation uses; 0 when it does not work.</param>
/// <param name="Cuda">Whether a CUDA device can be used.</param>
/// <param name="Problems">Why it does not work and what to do, in plain words; empty when it works.</param>
/// <param name="Notes">What works, but not as it should.</param>
internal sealed record NativeReport(
    bool Works, string TorchVersion, int Threads, bool Cuda, IReadOnlyList<string> Problems, IReadOnlyList<string> Notes);

/// <summary>Finds out why the native libraries do not load; TorchSharp's own message blames a missing
/// package for everything.</summary>
internal static class NativeLibraries
{
    private static readonly string[] s_libstdcxx =
    [
        "/usr/lib/x86_64-linux-gnu/libstdc++.so.6", "/usr/lib/aarch64-linux-gnu/libstdc++.so.6", "/usr/lib64/libstdc++.so.6",
        "/usr/lib/libstdc++.so.6",
    ];

    /// <summary>Tries to load libtorch and looks for the reasons when that fails; never throws.</summary>
    public static NativeReport Inspect()
    {
        try
        {
            InitializeDeviceType(DeviceType.CPU);
            using (var one = ones(1)) _ = one.item<float>();
            Processors.FollowQuota();
            return new(true, __version__, get_num_threads(), cuda.is_available(), [], Notes());
        }
        catch (Exception e)
        {
            List<string> problems = [.. Problems(AppContext.BaseDirectory, Array.Find(s_libstdcxx, File.Exists) ?? "")];
            if (problems.Count == 0) problems.Add($"libtorch could not be loaded: {Innermost(e).Message}");
            return new(false, "", 0, false, problems, []);
        }
    }

    /// <summary>What is wrong with the native libraries in a folder, as far as their files tell.</summary>
    /// <param name="folder">Where the program lies.</param>
    /// <param name="libstdcxx">The system's libstdc++.so.6; empty when there is none or it does not matter.</param>
    internal static IEnumerable<string> Problems(string folder, string libstdcxx)
    {
        var (system, prefix, ending) =
            OperatingSystem.IsWindows() ? ("win", "", "dll")
                : OperatingSystem.IsMacOS() ? ("osx", "lib", "dylib") : ("linux", "lib", "so");
        string architecture = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        foreach (string library in new[] { "c10", "torch_cpu", "LibTorchSharp" })
        {
            string file = $"{prefix}{library}.{ending}";
            string[] places = [Path.Combine(folder, file),
                Path.Combine(folder, "runtimes", $"{system}-{architecture}", "native", file)];
            string? path = Array.Find(places, File.Exists);
            if (path is null)
            {
                yield return $"{file} is not in {folder}. Build for {system}-{architecture}, with a reference to the package "
                    + (library == "LibTorchSharp" ? "TorchSharp." : $"libtorch-cpu-{system}-{architecture}; was the disk full?");
            }
            else if (OperatingSystem.IsLinux())
            {
                if (ElfProblem(path, libstdcxx) is { } problem) yield return problem;
                else if (LoaderProblem(path) is { } message) yield return message;
            }
        }
    }

    private static string? ElfProblem(string path, string libstdcxx)
    {
        string name = Path.GetFileName(path);
        try
        {
            var library = ElfFile.Read(path);
            if (library.Machine != RuntimeInformation.ProcessArchitecture)
            {
                return $"{name} is made for {library.Machine?.ToString() ?? "another processor"}, this process runs on "
                    + $"{RuntimeInformation.ProcessArchitecture}. Delete bin and obj, and build on this machine.";
            }
            if (libstdcxx.Length == 0) return null;
            var required = library.Required.Where(v => v.StartsWith("GLIBCXX_", StringComparison.Ordinal));
            string[] missing = [.. required.Except(ElfFile.Read(libstdcxx).Defined)];
            return missing.Length == 0 ? null
                : $"{name} requires {string.Join(", ", missing)}, which {libstdcxx} does not have: "
                + "the system's C++ library is older. "
                + "Build SiamSharp on this machine, which adapts the file, or install a newer libstdc++ (GCC 13.2 or later).";
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return $"{path} cannot be used: {e.Message}. Delete it and build again.";
        }
    }

    private static string? LoaderProblem(string path)
    {
        if (NativeLibrary.TryLoad(path, out _)) return null;
        try
        {
            NativeLibrary.Load(path);
            return null;
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            bool threading = e.Message.Contains("libgomp", StringComparison.Ordinal);
            string advice = threading ? "Install the package libgomp1 (or libgomp)." : "Install what it names.";
            return $"The system's loader refuses {Path.GetFileName(path)}: {e.Message.ReplaceLineEndings(" ").Trim()} {advice}";
        }
    }

    private static List<string> Notes()
    {
        var notes = new List<string>();
        if (get_num_threads() < Environment.ProcessorCount)
            notes.Add($"libtorch uses {get_num_threads()} of {Environment.ProcessorCount} processors.");
        if (!ConvolutionCheck.PlainLayoutIsRight())
        {
            notes.Add("This libtorch computes wrong gradients for 3 x 3 convolutions with 8, 24 or 40 channels in the usual "
                + "memory layout, and on some processors wrong 1 x 1 convolutions. "
                + "SiamSharp's own backbones avoid both. In a network of your own use 16, 32, 64, ... "
                + "channels for 3 x 3 convolutions, and linear layers over the channels for 1 x 1.");
        }
        return notes;
    }

    private static Exception Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e;
}

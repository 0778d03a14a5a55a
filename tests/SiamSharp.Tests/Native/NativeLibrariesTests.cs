using SiamSharp.Native;
using Xunit;

namespace SiamSharp.Tests.Native;

public sealed class NativeLibrariesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("native").FullName;
    private static readonly string s_library = Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");

    public static bool IsLinux => OperatingSystem.IsLinux();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Inspect_WhereTheTestsRun_Works()
    {
        var report = NativeLibraries.Inspect();
        Assert.True(report.Works);
        Assert.Empty(report.Problems);
        Assert.StartsWith("2.", report.TorchVersion, StringComparison.Ordinal);
        Assert.InRange(report.Threads, 1, Environment.ProcessorCount);
    }

    [Fact]
    public void Problems_EmptyFolder_NamesEachMissingFileAndItsPackage()
    {
        string[] problems = [.. NativeLibraries.Problems(_folder, libstdcxx: "")];
        Assert.Equal(3, problems.Length);
        Assert.All(problems, p => Assert.Contains(_folder, p, StringComparison.Ordinal));
        Assert.Contains("libtorch-cpu-", problems[1], StringComparison.Ordinal);
        Assert.Contains("package TorchSharp", problems[2], StringComparison.Ordinal);
    }

    private string ProblemOf(byte[] library, byte[]? libstdcxx = null)
    {
        File.WriteAllBytes(Path.Combine(_folder, "libLibTorchSharp.so"), library);
        string system = libstdcxx is null ? "" : Path.Combine(_folder, "libstdc++.so.6");
        if (libstdcxx is not null) File.WriteAllBytes(system, libstdcxx);
        return NativeLibraries.Problems(_folder, system).Single(p => p.Contains("LibTorchSharp", StringComparison.Ordinal));
    }

    [Fact(Skip = "only Linux uses ELF", SkipUnless = nameof(IsLinux))]
    public void Problems_OldLibstdcxx_NamesTheMissingVersion()
    {
        // libc10 stands in for a C++ library that defines no GLIBCXX version.
        byte[] stranger = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "libc10.so"));
        string problem = ProblemOf(File.ReadAllBytes(s_library), stranger);
        Assert.Contains("GLIBCXX_3.4.29", problem, StringComparison.Ordinal);
        Assert.Contains("older", problem, StringComparison.Ordinal);
    }

    [Fact(Skip = "only Linux uses ELF", SkipUnless = nameof(IsLinux))]
    public void Problems_OtherProcessor_SaysSo()
    {
        byte[] library = File.ReadAllBytes(s_library);
        library[0x12] = (byte)(library[0x12] ^ 0x3e ^ 0xb7); // x64 and arm64 change places
        Assert.Contains("is made for", ProblemOf(library), StringComparison.Ordinal);
    }

    [Fact(Skip = "only Linux uses ELF", SkipUnless = nameof(IsLinux))]
    public void Problems_DamagedFile_SaysSo()
    {
        Assert.Contains("not a 64-bit ELF file", ProblemOf(new byte[100]), StringComparison.Ordinal);
        Assert.Contains("damaged", ProblemOf(File.ReadAllBytes(s_library)[..5000]), StringComparison.Ordinal);
        Assert.Contains("damaged", ProblemOf([0x7f]), StringComparison.Ordinal);
    }

    [Fact(Skip = "only Linux uses ELF", SkipUnless = nameof(IsLinux))]
    public void Read_WeakVersion_IsNotRequired()
    {
        string path = Path.Combine(_folder, "copy.so");
        byte[] image = File.ReadAllBytes(s_library);
        Assert.Contains("GLIBCXX_3.4.29", ElfFile.Read(s_library).Required);
        SiamSharp.Build.RelaxGlibcxx.MakeWeak(image, "GLIBCXX_3.4.29");
        File.WriteAllBytes(path, image);
        Assert.DoesNotContain("GLIBCXX_3.4.29", ElfFile.Read(path).Required);
    }
}

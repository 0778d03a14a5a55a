using SiamSharp.Build;
using Xunit;

namespace SiamSharp.Tests.Native;

/// <summary>The build step that lets TorchSharp load on systems with an older libstdc++.</summary>
public sealed class RelaxGlibcxxTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("relax").FullName;
    private static readonly string s_library = Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");


    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact(Skip = "only Linux uses ELF", SkipUnless = nameof(IsLinux))]
    public void MakeWeak_PresentVersion_ChangesOneFlagOnlyOnce()
    {
        byte[] before = File.ReadAllBytes(s_library), after = [.. before];
        Assert.True(RelaxGlibcxx.MakeWeak(after, "GLIBCXX_3.4.29"));
        Assert.Equal(1, before.Zip(after).Count(pair => pair.First != pair.Second));

        byte[] again = [.. after];
        Assert.True(RelaxGlibcxx.MakeWeak(again, "GLIBCXX_3.4.29"));
        Assert.Equal(after, again);
    }

    [Fact(Skip = "only Linux uses ELF", SkipUnless = nameof(IsLinux))]
    public void MakeWeak_AbsentVersion_ChangesNothing()
    {
        byte[] before = File.ReadAllBytes(s_library), after = [.. before];
        Assert.False(RelaxGlibcxx.MakeWeak(after, "GLIBCXX_9.9.99"));
        Assert.Equal(before, after);
    }

    [Fact]
    public void MakeWeak_NotElf_ReturnsFalse() => Assert.False(RelaxGlibcxx.MakeWeak(new byte[256], "GLIBCXX_3.4.32"));

    [Fact(Skip = "only Linux uses ELF", SkipUnless = nameof(IsLinux))]
    public void Execute_SystemThatHasTheVersion_WritesNothing()
    {
        string system = Path.Combine(_folder, "libstdc++.so.6"), copy = Path.Combine(_folder, "copy.so");
        File.WriteAllBytes(system, "\0GLIBCXX_3.4.32\0"u8.ToArray());
        var task =
            new RelaxGlibcxx { Source = s_library, Destination = copy, Version = "GLIBCXX_3.4.32", SystemLibrary = system };
        Assert.True(task.Execute());
        Assert.False(task.Relaxed);
        Assert.False(File.Exists(copy));
    }

    [Fact(Skip = "only Linux uses ELF", SkipUnless = nameof(IsLinux))]
    public void Execute_OlderSystem_WritesARelaxedCopyAndLeavesTheSource()
    {
        string copy = Path.Combine(_folder, "copy.so");
        byte[] before = File.ReadAllBytes(s_library);
        var task = new RelaxGlibcxx { Source = s_library, Destination = copy, Version = "GLIBCXX_3.4.29", SystemLibrary = "" };
        Assert.True(task.Execute());
        Assert.True(task.Relaxed);
        Assert.Equal(before, File.ReadAllBytes(s_library));
        Assert.NotEqual(before, File.ReadAllBytes(copy));
    }

    public static bool IsLinux => OperatingSystem.IsLinux();
}

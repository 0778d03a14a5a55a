using SiamSharp.Native;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Native;

public sealed class FreedMemoryTests
{
    [Fact]
    public void Keep_Twice_IsTakenBothTimesOrNever()
    {
        bool taken = FreedMemory.Keep();
        Assert.Equal(taken, FreedMemory.Keep());
        Assert.True(taken || !OperatingSystem.IsLinux() || File.Exists("/lib/ld-musl-x86_64.so.1"));
        using var large = ones(5_000_000);
        Assert.Equal(5_000_000, large.sum().item<float>());
    }
}

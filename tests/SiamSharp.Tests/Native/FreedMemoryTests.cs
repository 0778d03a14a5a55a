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

    [Fact]
    public void Release_AfterManyTensors_GivesTheirMemoryBack()
    {
        if (!FreedMemory.Keep()) Assert.Skip("The C library is not glibc.");
        const int tensors = 48, megabyte = 1 << 20;
        // Other tests allocate meanwhile, so the best of some tries counts.
        long most = Enumerable.Range(0, 5).Max(_ =>
        {
            Tensor[] freed = [.. Enumerable.Range(0, tensors).Select(_ => ones(megabyte / sizeof(float)))];
            foreach (Tensor tensor in freed) tensor.Dispose();
            long kept = Environment.WorkingSet;
            FreedMemory.Release();
            return kept - Environment.WorkingSet;
        });

        Assert.True(most > tensors * megabyte / 2, $"{most} bytes were given back");
    }
}

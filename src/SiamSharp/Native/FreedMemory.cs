using System.Runtime.InteropServices;

namespace SiamSharp.Native;

/// <summary>Lets the process keep the memory of freed tensors for the next ones.</summary>
/// <remarks>
/// A training step allocates and frees the same large tensors again and again. glibc returns each large block to the system
/// at once, and the system clears every page anew, which can take as long as the step itself.
/// Threads other than the main one have heaps of their own, which keep blocks of up to 64 MB only: train on the main thread.
/// Source: mallopt(3), malloc_trim(3). Cost: the process holds on to its peak memory until <see cref="Release"/>.
/// </remarks>
public static partial class FreedMemory
{
    private const int TrimThreshold = -1, TopPad = -2, MapMax = -4, ArenaMax = -8; // M_TRIM_THRESHOLD and so on in malloc.h

    /// <summary>Applies to the whole process from now on; call it once, before the first tensor.</summary>
    /// <returns>False where the C library is not glibc; nothing is changed then.</returns>
    public static bool Keep()
    {
        if (!OperatingSystem.IsLinux()) return false;
        try
        {
            return SetOption(ArenaMax, 1) != 0 && SetOption(MapMax, 0) != 0 && SetOption(TrimThreshold, int.MaxValue) != 0
                && SetOption(TopPad, 64 << 20) != 0;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return false; // musl
        }
    }

    /// <summary>Gives the memory that is free now back to the system; now and then, it keeps fragments from adding up.</summary>
    /// <remarks>Cost: the system clears those pages again when the next step needs them.</remarks>
    /// <returns>Whether any was given back.</returns>
    public static bool Release()
    {
        if (!OperatingSystem.IsLinux()) return false;
        try
        {
            return Trim(0) != 0;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return false; // musl
        }
    }

    [LibraryImport("libc.so.6", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint pad);

    [LibraryImport("libc.so.6", EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);
}

using System.Runtime.InteropServices;
using SiamSharp.Messages;
#pragma warning disable RS0030 // this is what others are told to use

namespace SiamSharp.Files;

/// <summary>Opens files that a user or a list names, and only files: a pipe, a socket or a device would keep the reader
/// waiting, or never end.</summary>
/// <remarks>A symbolic link to a file is a file. Pipes and devices are told apart on Linux only.</remarks>
internal static partial class RegularFile
{
    private const int TypeMask = 0xF000, Regular = 0x8000;

    /// <summary>Opens for reading.</summary>
    /// <exception cref="IOException">It is no file, or cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be read.</exception>
    public static FileStream OpenRead(string path, int bufferSize = 4096)
    {
        Check(path);
        return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize);
    }

    /// <summary>All bytes.</summary>
    /// <exception cref="IOException">As <see cref="OpenRead"/>.</exception>
    public static byte[] ReadAllBytes(string path)
    {
        Check(path);
        return File.ReadAllBytes(path);
    }

    /// <summary>All text: UTF-8, or what a byte order mark says.</summary>
    /// <exception cref="IOException">As <see cref="OpenRead"/>.</exception>
    public static string ReadAllText(string path)
    {
        Check(path);
        return File.ReadAllText(path);
    }

    /// <summary>Lines of text, read as they are asked for.</summary>
    /// <exception cref="IOException">As <see cref="OpenRead"/>.</exception>
    public static IEnumerable<string> ReadLines(string path)
    {
        Check(path);
        return File.ReadLines(path);
    }

    /// <summary>Refuses what is there but is no file.</summary>
    /// <exception cref="IOException">It is a folder, pipe, socket or device, or its name holds a NUL.</exception>
    public static void Check(string path)
    {
        if (path.Contains('\0')) throw new IOException($"'{Shown.Text(path)}' is no name of a file: it holds a NUL character");
        if (OperatingSystem.IsLinux() && TypeOf(path) is > 0 and not Regular and var type)
        {
            string kind = type switch { 0x1000 => "a named pipe", 0xC000 => "a socket", 0x4000 => "a folder", _ => "a device" };
            throw new IOException($"'{Shown.Text(path)}' is {kind}, not a file");
        }
    }

    /// <summary>Whether it is a file as others; true where there is none or that cannot be told.</summary>
    public static bool Is(string path) => !OperatingSystem.IsLinux() || TypeOf(path) is 0 or Regular;

    /// <summary>Bits of the kind of file, links followed; 0 where there is none or it cannot be told.</summary>
    private static int TypeOf(string path)
    {
        // AT_FDCWD, STATX_TYPE, and stx_mode, the same on all processors
        const int currentFolder = -100, typeAsked = 1, modeOffset = 28;
        Span<byte> status = stackalloc byte[256];
        try
        {
            return StatX(currentFolder, path, 0, typeAsked, ref MemoryMarshal.GetReference(status)) == 0
                ? MemoryMarshal.Read<ushort>(status[modeOffset..]) & TypeMask
                : 0;
        }
        catch (EntryPointNotFoundException)
        {
            return 0; // a C library from before 2018
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int StatX(int folder, string path, int flags, uint mask, ref byte status);
}

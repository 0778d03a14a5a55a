using System;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;

namespace SiamSharp.Build;

/// <summary>
/// Writes a copy of an ELF library in which one required symbol version is marked weak, so that the loader of a system
/// with an older libstdc++ accepts it.
/// </summary>
/// <remarks>
/// TorchSharp's libLibTorchSharp.so requires GLIBCXX_3.4.32 (GCC 13.2) for std::ios_base_library_init alone, which nothing
/// calls. A weak requirement (flag 2 in vna_flags of .gnu.version_r, see the ELF gABI supplement on symbol versioning) is
/// one that the loader may find missing. The input is never written to: it may be a link into the package cache.
/// Compiled by MSBuild (RelaxGlibcxx.targets) and by the tests.
/// </remarks>
public sealed class RelaxGlibcxx : Microsoft.Build.Utilities.Task
{
    private const uint SectionTypeVersionNeed = 0x6ffffffe; // SHT_GNU_verneed
    private const ushort WeakFlag = 2;                       // VER_FLG_WEAK

    /// <summary>The library to read.</summary>
    [Required] public string Source { get; set; } = "";

    /// <summary>Where to write the relaxed copy.</summary>
    [Required] public string Destination { get; set; } = "";

    /// <summary>The version to make weak, such as GLIBCXX_3.4.32.</summary>
    [Required] public string Version { get; set; } = "";

    /// <summary>The system's libstdc++.so.6; when it defines <see cref="Version"/> nothing is done.</summary>
    public string SystemLibrary { get; set; } = "";

    /// <summary>True when a relaxed copy stands at <see cref="Destination"/>.</summary>
    [Output] public bool Relaxed { get; set; }

    /// <inheritdoc/>
    public override bool Execute()
    {
        if (File.Exists(SystemLibrary) && Contains(File.ReadAllBytes(SystemLibrary), Version)) return true;

        byte[] image = File.ReadAllBytes(Source);
        if (!MakeWeak(image, Version)) return true;

        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(Destination))!);
        string partial = Destination + ".partial";
        File.WriteAllBytes(partial, image);
        File.Delete(Destination);
        File.Move(partial, Destination);
        Relaxed = true;
        return true;
    }

    /// <summary>Sets the weak flag of <paramref name="version"/> in a 64-bit little-endian ELF image.</summary>
    /// <returns>False when the image is no such ELF file or does not require that version; the image is then unchanged.</returns>
    public static bool MakeWeak(byte[] image, string version)
    {
        bool elf64 = image.Length > 64 && image[0] == 0x7f && image[1] == 'E' && image[2] == 'L' && image[3] == 'F'
            && image[4] == 2 && image[5] == 1;
        if (!elf64) return false;

        bool found = false;
        long sections = BitConverter.ToInt64(image, 0x28);
        int sectionSize = BitConverter.ToUInt16(image, 0x3a), sectionCount = BitConverter.ToUInt16(image, 0x3c);
        for (int s = 0; s < sectionCount; s++)
        {
            int header = (int)sections + s * sectionSize;
            if (BitConverter.ToUInt32(image, header + 4) != SectionTypeVersionNeed) continue;

            int namesHeader = (int)sections + (int)BitConverter.ToUInt32(image, header + 0x28) * sectionSize;
            int names = (int)BitConverter.ToInt64(image, namesHeader + 0x18);
            int need = (int)BitConverter.ToInt64(image, header + 0x18);
            for (int next = -1; next != 0; need += next)
            {
                int entry = need + (int)BitConverter.ToUInt32(image, need + 8);
                for (int count = BitConverter.ToUInt16(image, need + 2); count > 0; count--)
                {
                    if (NameAt(image, names + (int)BitConverter.ToUInt32(image, entry + 8)) == version)
                    {
                        ushort flags = BitConverter.ToUInt16(image, entry + 4);
                        BitConverter.GetBytes((ushort)(flags | WeakFlag)).CopyTo(image, entry + 4);
                        found = true;
                    }
                    entry += (int)BitConverter.ToUInt32(image, entry + 12);
                }
                next = (int)BitConverter.ToUInt32(image, need + 12);
            }
        }
        return found;
    }

    private static string NameAt(byte[] image, int offset)
    {
        int end = Array.IndexOf(image, (byte)0, offset);
        return Encoding.ASCII.GetString(image, offset, end - offset);
    }

    private static bool Contains(byte[] image, string version)
    {
        byte[] wanted = Encoding.ASCII.GetBytes("\0" + version + "\0");
        for (int i = 0; i + wanted.Length <= image.Length; i++)
        {
            int k = 0;
            while (k < wanted.Length && image[i + k] == wanted[k]) k++;
            if (k == wanted.Length) return true;
        }
        return false;
    }
}

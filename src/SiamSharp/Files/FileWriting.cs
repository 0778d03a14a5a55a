using System.Text;

namespace SiamSharp.Files;

/// <summary>Writes files whole or not at all.</summary>
internal static class FileWriting
{
    /// <summary>Writes a text file whole or not at all: a temporary name, flushed, renamed.</summary>
    /// <exception cref="RunException">The disk is full or the folder cannot be written to.</exception>
    public static void WriteText(string path, string text)
    {
        Replacing(path, partial =>
        {
            using var file = new FileStream(partial, FileMode.Create);
            file.Write(Encoding.UTF8.GetBytes(text));
            file.Flush(flushToDisk: true);
        });
    }

    /// <summary>Writes a file whole or not at all, and leaves nothing behind where it fails.</summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes it under the name that it is given.</param>
    /// <exception cref="RunException">The disk is full or the folder cannot be written to.</exception>
    internal static void Replacing(string path, Action<string> write) => Writing(path, () =>
    {
        string partial = path + ".partial";
        try
        {
            write(partial);
            File.Move(partial, path, overwrite: true);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    });

    /// <summary>Writes a file; a full disk or a lost folder is told as such.</summary>
    /// <exception cref="RunException">The disk is full or the folder cannot be written to.</exception>
    internal static void Writing(string path, Action write)
    {
        try
        {
            write();
        }
        // .NET calls a file larger than the file system or a limit allows a wrong argument.
        catch (Exception e)
            when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException { ParamName: "value" })
        {
            throw RunException.CannotWrite(path, e);
        }
    }
}

namespace SiamSharp.Data;

/// <summary>Writes files whole or not at all.</summary>
internal static class WholeFile
{
    /// <summary>Writes under a temporary name, NAME.partial, flushes to the disk and renames; where that fails, nothing of it is left.</summary>
    /// <param name="path">The file; one that is there is replaced.</param>
    /// <param name="write">Gets the stream, empty, which can be read and sought too.</param>
    /// <exception cref="IOException">The disk is full, or the folder cannot be written to.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be written to.</exception>
    public static void Write(string path, Action<FileStream> write) => WriteAsync(path, file =>
    {
        write(file);
        return Task.CompletedTask;
    }).GetAwaiter().GetResult();

    /// <summary>The same for what is written asynchronously.</summary>
    /// <inheritdoc cref="Write"/>
    public static async Task WriteAsync(string path, Func<FileStream, Task> write)
    {
        string partial = path + ".partial";
        try
        {
            await using (var file = new FileStream(partial, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16))
            {
                await write(file);
                file.Flush(flushToDisk: true);
            }
            File.Move(partial, path, overwrite: true);
        }
        catch
        {
            Remove(partial);
            throw;
        }
    }

    private static void Remove(string partial)
    {
        try
        {
            File.Delete(partial);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { } // what went wrong before is what is to be told
    }
}

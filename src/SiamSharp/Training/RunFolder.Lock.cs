using SiamSharp.Files;

namespace SiamSharp.Training;

// Who may write: whether there is a folder, and whether a process trains in it.
public sealed partial class RunFolder
{
    /// <summary>Makes the folder and proves that it can be written to.</summary>
    /// <exception cref="RunException">It cannot.</exception>
    public void Create()
    {
        try
        {
            Directory.CreateDirectory(Path);
            string probe = In(".writable");
            File.WriteAllText(probe, "");
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunException($"The run folder {Path} cannot be written "
                + "to" + (e is PathTooLongException || e.Message.Contains("too long", StringComparison.Ordinal)
                    ? ". Give --out a shorter name: one name has 255 bytes at most."
                    : e is DirectoryNotFoundException or FileNotFoundException ? ". Give --out a folder that you may write to."
                    : $" ({e.Message.TrimEnd('.')}). Give --out a folder that you may write to."));
        }
    }

    /// <summary>Whether a process trains in it now.</summary>
    internal bool IsTraining
    {
        get
        {
            try
            {
                using var free = new FileStream(In(".lock"), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
                return false;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return e.HResult is Busy or BusyOnWindows;
            }
        }
    }

    /// <summary>Keeps every other process out of the folder until the result is disposed or this process
    /// ends, however it ends.</summary>
    /// <remarks>
    /// The file stays: were it deleted at the end, a process that waits with the old file and one that makes
    /// a new one would both get in.
    /// </remarks>
    /// <exception cref="RunException">Another process trains in it, or the folder cannot be written to.</exception>
    internal IDisposable Lock()
    {
        try
        {
            return new FileStream(In(".lock"), FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 0);
        }
        catch (IOException e) when (e.HResult is Busy or BusyOnWindows)
        {
            throw new RunException($"Another process is training in {Path}. Wait until it has ended, or choose another --out.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw RunException.CannotWrite(In(".lock"), e);
        }
    }

    private const int Busy = 11, BusyOnWindows = unchecked((int)0x80070020); // EWOULDBLOCK, ERROR_SHARING_VIOLATION

    /// <summary>Refuses a folder in which another process trains.</summary>
    /// <exception cref="RunException">One does.</exception>
    internal void CheckFree()
    {
        if (File.Exists(In(".lock"))) Lock().Dispose();
    }

    private bool IsFree()
    {
        try
        {
            CheckFree();
            return true;
        }
        catch (RunException)
        {
            return false;
        }
    }
}

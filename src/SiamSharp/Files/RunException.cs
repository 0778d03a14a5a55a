using SiamSharp.Messages;

namespace SiamSharp.Files;

/// <summary>A run that cannot start or go on; the message says what to do. What was saved before stays as it was.</summary>
/// <param name="message">Rule, what was found, and the fix.</param>
public sealed class RunException(string message) : Exception(Shown.Lines(message))
{
    internal static RunException CannotWrite(string path, Exception cause) =>
        new($"{path} could not be written ({cause.Message.TrimEnd('.')}). " + cause switch
        {
            _ when Directory.Exists(path) => "There is a folder of that name: move it away, then give the command again. "
                + "What had been saved before is intact.",
            DirectoryNotFoundException => "Its folder is gone: was it moved or deleted? "
                + "Where it is there again with what it held, the command goes on with --resume.",
            UnauthorizedAccessException => "Give yourself the right to write there, or work on a copy of the folder that is "
                + "yours. What had been saved before is intact.",
            _ => "Free some space. A run that had begun then goes on with the same command and --resume; any other command is "
                + "given again. What had been saved before is intact.",
        });
}

using SiamSharp.Data;

namespace SiamSharp.Training;

/// <summary>A run that cannot start or go on; the message says what to do. What was saved before stays as it was.</summary>
/// <param name="message">Rule, what was found, and the fix.</param>
public sealed class RunException(string message) : Exception(Shown.Lines(message))
{
    internal static RunException CannotWrite(string path, Exception cause) => new(
        $"{path} could not be written ({cause.Message.TrimEnd('.')}). Free some space, then give the command again; a run that was started goes on "
        + "with --resume, and what had been saved before is intact.");
}

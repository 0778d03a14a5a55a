using SiamSharp.Messages;

namespace SiamSharp.Files;

/// <summary>A safetensors file that does not follow the format.</summary>
/// <param name="path">The file.</param>
/// <param name="offset">The byte from which on it is wrong.</param>
/// <param name="reason">The rule that it breaks and the value found.</param>
/// <param name="inner">What the reason was found by, if anything.</param>
public sealed class SafeTensorsException(string path, long offset, string reason, Exception? inner = null)
    : Exception(Shown.Text(
        offset < 0 ? $"{path} {reason}" : $"{path} is not a valid safetensors file: {reason} (at byte {offset})"), inner)
{
    /// <summary>The file.</summary>
    public string Path { get; } = path;

    /// <summary>The byte from which on it is wrong; -1 where only the whole file is known to be wrong.</summary>
    public long Offset { get; } = offset;

    /// <summary>The rule that it breaks and the value found.</summary>
    public string Reason { get; } = reason;
}

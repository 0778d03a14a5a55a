using SiamSharp.Messages;

namespace SiamSharp.Files;

/// <summary>A file that torch.save has not written, or that holds more than tensors and containers.</summary>
/// <param name="path">The file.</param>
/// <param name="reason">What is wrong with it.</param>
/// <param name="inner">What the reason was found by, if anything.</param>
public sealed class PyTorchFileException(string path, string reason, Exception? inner = null)
    : Exception(Shown.Text($"{path} cannot be read as a PyTorch state dict: {reason}."), inner)
{
    /// <summary>The file.</summary>
    public string Path { get; } = path;

    /// <summary>What is wrong with it.</summary>
    public string Reason { get; } = reason;
}

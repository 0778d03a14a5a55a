using SiamSharp.Messages;

namespace SiamSharp.Embeddings;

/// <summary>A file of embeddings that cannot be read, written or used.</summary>
/// <param name="path">The file.</param>
/// <param name="reason">What is wrong with it, and what to do.</param>
/// <param name="inner">What the reason was found by, if anything.</param>
/// <param name="use">What it was to be.</param>
public sealed class EmbeddingFileException(string path, string reason, Exception? inner = null, string use = "read as embeddings")
    : Exception(Shown.Text($"{path} cannot be {use}: {reason}{(reason.EndsWith('?') ? "" : ".")}"), inner)
{
    /// <summary>The file.</summary>
    public string Path { get; } = path;
}

using SiamSharp.Data;

namespace SiamSharp.Embeddings;

/// <summary>How far a source is embedded.</summary>
/// <param name="Done">Images embedded or found unreadable.</param>
/// <param name="Total">Images in the source.</param>
/// <param name="Resumed">Of them done by an earlier call.</param>
public readonly record struct EmbedProgress(int Done, int Total, int Resumed);

/// <summary>What was embedded.</summary>
/// <param name="Count">Vectors written.</param>
/// <param name="Width">D.</param>
/// <param name="Resumed">Images that an earlier call had done.</param>
/// <param name="Skipped">Images that cannot be read.</param>
/// <param name="BegunAnew">Which things were others when an earlier call was stopped, whose work was of no use therefore; null
/// where there was none or it was gone on with.</param>
public sealed record EmbedResult(int Count, int Width, int Resumed, IReadOnlyList<SkippedFile> Skipped, string? BegunAnew)
{
    /// <summary>What the user should know of the images that this call decoded: see <see cref="ImageDataset.Notes"/>.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

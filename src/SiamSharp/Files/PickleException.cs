namespace SiamSharp.Files;

/// <summary>A pickle that is damaged, or holds tensors of a kind that is not known.</summary>
internal sealed class PickleException(int position, string problem) : Exception(problem)
{
    /// <summary>Byte of the pickle at which reading stopped.</summary>
    public int Position { get; } = position;
}

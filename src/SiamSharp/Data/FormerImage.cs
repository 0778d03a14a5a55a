namespace SiamSharp.Data;

/// <summary>An image that a run began with.</summary>
/// <param name="Hash">Of its decoded pixels.</param>
/// <param name="Place">Its index in the source then.</param>
/// <param name="Label">Then; -1 = none.</param>
/// <param name="Path">Where it came from.</param>
internal sealed record FormerImage(UInt128 Hash, int Place, int Label, string Path);

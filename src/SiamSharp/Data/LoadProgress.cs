namespace SiamSharp.Data;

/// <summary>How far a set is read.</summary>
/// <param name="Done">Images decoded or found unreadable so far.</param>
/// <param name="Total">Images in the source.</param>
/// <param name="Unreadable">Images found unreadable so far.</param>
public readonly record struct LoadProgress(int Done, int Total, int Unreadable);

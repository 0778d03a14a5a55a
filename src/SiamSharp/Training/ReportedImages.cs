using System.Text.Json;
using SiamSharp.Data;
using SiamSharp.Options;

namespace SiamSharp.Training;

/// <summary>What a report says of the images that a run learned from: <c>images.json</c> in its folder, since a later report is
/// made without them.</summary>
/// <param name="Name">As the user named them.</param>
/// <param name="Count">Readable images.</param>
/// <param name="Skipped">Files that could not be read.</param>
/// <param name="Channels">C.</param>
internal sealed record ReportedImages(string Name, int Count, int Skipped, int Channels)
{
    internal static void Keep(RunFolder folder, ImageDataset images) => SealedFile.Write(
        folder.ImageCountsPath, new ReportedImages(images.Name, images.Count, images.Skipped.Count, images.Channels));

    /// <summary>What was kept; null for runs of earlier versions and damaged files, whose reports say less.</summary>
    internal static ReportedImages? Read(RunFolder folder)
    {
        try
        {
            return File.Exists(folder.ImageCountsPath) ? SealedFile.Read<ReportedImages>(folder.ImageCountsPath) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

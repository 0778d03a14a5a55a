using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Messages;

namespace SiamSharp.Cli.Commands;

/// <summary>Where images lie, so that nothing is written among them.</summary>
internal static class ImagePlaces
{
    private const int PicturesOfAFolder = 3;

    /// <summary>Refuses a place within a folder of images, or beside images that are not ours: what is written there would count
    /// as one of them, or get lost among them.</summary>
    internal static void CheckOutside(string given, string folder, IEnumerable<string?> sources, IReadOnlyList<string> images)
    {
        string real = RealPath.Of(folder);
        foreach (string source in sources.OfType<string>())
            if (FoldersOf(source).FirstOrDefault(listed => RealPath.IsWithin(real, RealPath.Of(listed))) is { } found)
                throw new RunException($"--out {given} lies within the folder of images, {found}, so that what is written would "
                    + "count as images or lie among them. Choose a place outside.");
        if (FoldersOf(images).FirstOrDefault(f => RealPath.IsWithin(real, RealPath.Of(f))) is { } among)
            throw new RunException($"--out {given} lies among the images of the index, in {among}, "
                + "and would be one of them the next time. Choose a place outside.");
        for (string? parent = real;
            parent is not null && parent != Path.GetPathRoot(parent); parent = Path.GetDirectoryName(parent))
            if (Directory.Exists(parent) && PicturesIn(parent) is int pictures and > 0)
                throw new RunException($"--out {given} lies in a folder of images: "
                    + $"{parent} holds {Plural.Of(pictures, "image")}. Choose a place outside.");
    }

    internal static bool IsOutside(string given, string folder, IEnumerable<string?> sources, IReadOnlyList<string> images)
    {
        try
        {
            CheckOutside(given, folder, sources, images);
            return true;
        }
        catch (RunException)
        {
            return false;
        }
    }

    /// <summary>The folders of images in a folder, where these are two or more and no fewer than its
    /// others; otherwise none.</summary>
    internal static string[] FoldersOfPicturesIn(string folder)
    {
        try
        {
            string[] inside = [.. Directory.EnumerateDirectories(folder).Where(f => !Path.GetFileName(f).StartsWith('.'))
                .Order(StringComparer.Ordinal)];
            string[] ofPictures = [.. inside.Where(f => PicturesIn(f) > 0)];
            return ofPictures.Length >= 2 && 2 * ofPictures.Length >= inside.Length ? ofPictures : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>How many images a folder holds where it is a folder of images: three or more that are not ours,
    /// and no fewer than other files. Otherwise 0.</summary>
    private static int PicturesIn(string folder)
    {
        try
        {
            string[] names = [.. Directory.EnumerateFiles(folder).Where(f => !Path.GetFileName(f).StartsWith('.'))];
            string[] images = [.. names.Where(ImageFormats.HasImageEnding)];
            if (images.Length < PicturesOfAFolder || 2 * images.Length < names.Length) return 0;
            int foreign = images.Count(image =>
                !(image.EndsWith(".png", StringComparison.OrdinalIgnoreCase) && Outputs.IsOurs(OutputKind.Sheet, image)));
            return foreign >= PicturesOfAFolder ? foreign : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0; // what cannot be listed cannot be written to either, which is found next
        }
    }

    /// <summary>The folders that a source lists, or that hold the images of a manifest.</summary>
    internal static string[] FoldersOf(string source)
    {
        source = WithoutPart(source);
        if (source.StartsWith("cifar10:", StringComparison.Ordinal))
            source = source["cifar10:".Length..].Replace(":test", "", StringComparison.Ordinal)
                .Replace(":train", "", StringComparison.Ordinal);
        if (Directory.Exists(source)) return [source];
        if (source.LastIndexOf('@') is > 0 and var at && Directory.Exists(source[..at])) return [source[..at]];
        if (!IsManifest(source)) return [];
        try
        {
            string start = Path.GetDirectoryName(Path.GetFullPath(source))!;
            return [.. Manifest.Read(source, []).Select(e => Path.GetDirectoryName(Path.Combine(start, e.Path)))
                .OfType<string>().Distinct()];
        }
        catch (DataSourceException)
        {
            return []; // told when the source is opened
        }
    }

    /// <summary>The folders of images, and the one that all these lie in, unless commands are run there.</summary>
    private static string[] FoldersOf(IReadOnlyList<string> images)
    {
        string[] folders = [.. images.Select(path => Path.GetDirectoryName(path) ?? "").Where(f => f.Length > 0).Distinct()];
        if (folders.Length < 2) return folders;
        string common = Path.GetFullPath(folders[0]);
        foreach (string folder in folders)
            while (!RealPath.IsWithin(Path.GetFullPath(folder), common) && Path.GetDirectoryName(common) is { } parent)
                common = parent;
        return RealPath.IsWithin(Environment.CurrentDirectory, common) ? folders : [.. folders, common];
    }

    /// <summary>The files that a source is, or that give it labels.</summary>
    internal static IEnumerable<string?> FilesOf(string? source)
    {
        if (string.IsNullOrEmpty(source)) return [];
        source = WithoutPart(source);
        return source.LastIndexOf('@') is > 0 and var at && Directory.Exists(source[..at])
            ? [source[(at + 1)..], Path.Combine(source[..at], source[(at + 1)..])] : [source];
    }

    private static string WithoutPart(string source)
    {
        while (!Path.Exists(source) && source.LastIndexOf('#') is > 0 and var mark) source = source[..mark];
        return source;
    }

    private static bool IsManifest(string path) =>
        System.IO.File.Exists(path) && Path.GetExtension(path).ToLowerInvariant() is ".csv" or ".jsonl";
}

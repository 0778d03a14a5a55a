using SiamSharp.Messages;
using SiamSharp.Options;

namespace SiamSharp.Data;

/// <summary>Lists the images of a folder.</summary>
/// <remarks>
/// Names that start with a dot and <c>__MACOSX</c> are left out. Symbolic links are followed, but never into a folder that is
/// being listed already. The order is that of the relative paths, ordinal, with <c>/</c> between names.
/// </remarks>
internal static class ImageFolder
{
    private static readonly string[] Parts = ["train", "training", "val", "valid", "validation", "test", "testing"];

    /// <summary>
    /// Opens a folder: where it has sub-folders with images, the name of the first-level one is an image's label.
    /// </summary>
    /// <remarks>
    /// Where each class would hold a single image the sub-folders are no classes: the folder is taken as unlabelled, with a note.
    /// Images beside the sub-folders have no label.
    /// </remarks>
    /// <exception cref="DataSourceException">There is no image in it.</exception>
    public static IImageSource Open(string name, string folder, DataOptions options)
    {
        var notes = new List<string>();
        var listed = List(folder, notes);
        var (places, labels) = RepeatedImages.Once(name, [.. listed.Select(i => i.Path)], [.. listed.Select(i => i.File)],
            [.. listed.Select(i => i.Path.IndexOf('/') is > 0 and var end ? i.Path[..end] : null)], notes);
        string[] files = [.. places.Select(place => listed[place].Path)];
        if (labels.OfType<string>().Any()) notes.AddRange(EmptyFolders(name, folder, [.. labels.OfType<string>()]));
        var classes = labels.OfType<string>().CountBy(l => l).ToArray();
        if (classes.Length > 0 && classes.All(c => c.Value == 1))
        {
            notes.Add($"Each of the {classes.Length} sub-folders of '{name}' holds a single image, so they are not taken "
                + $"as classes: the folder is unlabelled. Labels can be given with {name}@labels.csv.");
            labels = new string?[files.Length];
        }
        else if (classes.Length > 0 && classes.All(c => Parts.Contains(c.Key.ToLowerInvariant())))
            notes.Add($"The sub-folders of '{name}' ({string.Join(", ", classes.Select(c => c.Key))}) look like parts of a "
                + "data set rather than classes: name one of them to have its own sub-folders as classes.");
        if (classes.Any(c => c.Key is "bin" or "obj") && Directory.EnumerateFiles(folder, "*.*proj").Any())
            notes.Add($"'{name}' is the folder of a program, and bin and obj hold copies of its files: "
                + "name the folder of the images in "
                + "it" + (classes.FirstOrDefault(c => c.Key is not ("bin" or "obj")).Key is { } images
                    ? $", such as {Path.Combine(name, images)}" : "") + ".");
        return new FileSource(name, [.. files.Select(f => Path.Combine(folder, f))], labels, options, notes);
    }

    /// <summary>Whether a folder holds a run, whose pictures are none to learn from.</summary>
    public static bool IsOfARun(string folder) =>
        File.Exists(Path.Combine(folder, "recipe.json")) && File.Exists(Path.Combine(folder, "metrics.jsonl"));

    /// <summary>A note on sub-folders that no image is found in, and on hidden ones that hold some.</summary>
    private static IEnumerable<string> EmptyFolders(string name, string folder, HashSet<string> classes)
    {
        DirectoryInfo[] others = [.. new DirectoryInfo(folder).EnumerateDirectories().Where(d => !classes.Contains(d.Name))
            .OrderBy(d => d.Name, StringComparer.Ordinal)];
        string[] hidden =
            [.. others.Where(d => d.Name.StartsWith('.') && !s_never.Contains(d.Name) && HoldsImages(d)).Select(d => d.Name)];
        string[] empty =
            [.. others.Where(d => !d.Name.StartsWith('.') && d.Name != "__MACOSX" && !IsMisnamed(d)).Select(d => d.Name)];
        if (hidden.Length > 0)
            yield return $"{Named(hidden)} of '{name}' begin{(hidden.Length == 1 ? "s" : "")} with a dot, as hidden ones do, and "
                + $"{(hidden.Length == 1 ? "is" : "are")} left out, with the images in {(hidden.Length == 1 ? "it" : "them")}: "
                + $"to have {(hidden.Length == 1 ? "it" : "them")} as "
                + $"{(hidden.Length == 1 ? "a class" : "classes")}, take the dot off.";
        if (empty.Length > 0)
            yield return $"{Named(empty)} of '{name}' hold{(empty.Length == 1 ? "s" : "")} no image that is read, "
                + $"and {(empty.Length == 1 ? "is no class" : "are no classes")}.";

        static string Named(string[] names) => $"The sub-folder{(names.Length == 1 ? "" : "s")} "
            + $"{string.Join(", ", names.Take(3).Select(n => $"'{n}'"))}"
            + (names.Length > 3 ? $" and {names.Length - 3} more" : "");
    }

    // copies, and what was thrown away
    private static readonly string[] s_never = [".cache", ".git", ".ipynb_checkpoints", ".thumbnails", ".Trash"];

    private static bool HoldsImages(DirectoryInfo folder)
    {
        try
        {
            return folder.EnumerateFiles().Take(LookedInto).Any(file => ImageFormats.HasImageEnding(file.Name));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private const int LookedInto = 100; // files of other endings that are opened to see what they are

    private static string WhyNot(Exception e) =>
        e is UnauthorizedAccessException
            ? "you have no right to read it. Where it is yours, chmod u+rx gives it; "
                + "else its owner must give it, such as with chmod o+rx." : e.Message;

    /// <summary>Whether a name is not UTF-8, so that what it names cannot be opened under it.</summary>
    private static bool IsMisnamed(FileSystemInfo entry) =>
        entry.Name.Contains('\uFFFD') && entry is { Exists: false, LinkTarget: null };

    /// <summary>Relative paths of all images, with <c>/</c> between names, in ordinal order,
    /// and the files that they lead to.</summary>
    /// <param name="folder">Listed with its sub-folders.</param>
    /// <param name="notes">Told of sub-folders that cannot be listed, and of images in formats that are not read.</param>
    /// <exception cref="DataSourceException">There is none, or the folder cannot be listed.</exception>
    public static (string Path, string File)[] List(string folder, List<string> notes)
    {
        var (images, others, unread) =
            (new List<(string Path, string File)>(), 0, new SortedDictionary<string, int>(StringComparer.Ordinal));
        var (strange, packed) = (new List<string>(), new List<string>());
        try
        {
            Walk(new DirectoryInfo(folder), "", []);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataSourceException($"'{folder}' cannot be listed: {WhyNot(e)}");
        }
        string? misnamed = strange.Order(StringComparer.Ordinal).FirstOrDefault(p =>
            ImageFormats.OfContent(Path.Combine(folder, p)) is not null);
        string? format = misnamed is null ? null : ImageFormats.OfContent(Path.Combine(folder, misnamed));
        if (images.Count == 0)
            throw new DataSourceException($"'{folder}' must hold images, but "
                + (others == 0 && images.Count + unread.Count == 0 ? "is empty: no file ends"
                    : others == 0 ? "holds no file that ends"
                    : others == 1 ? "its one file does not end" : $"none of its {Plural.Of(others, "file")} ends")
                + " "
                + "in "
                + $"{string.Join(", ", ImageFormats.Endings)} (sub-folders included)"
                + (unread.Count > 0 ? $"; there are {string.Join(", ", unread.Select(u => $"{u.Value} {u.Key}"))}" : "")
                + (format is not null ? $". '{misnamed}' is a {format} image by its content: "
                    + $"rename such files so that they end in .{format.ToLowerInvariant()}."
                    : packed.Count > 0 ? $". '{packed.Min(StringComparer.Ordinal)}' is packed: unpack it first."
                    : others == 0 ? ". Name a folder of images." : ". Name a folder of images, or convert them."));
        if (format is not null)
            notes.Add($"'{misnamed}' of '{folder}' is a {format} image by its content but does not end like one, "
                + $"and is left out, as are others like it: rename it so that it ends in .{format.ToLowerInvariant()}.");
        if (unread.Count > 0)
            notes.Add(
                (unread.Values.Sum() is > 1 and var many ? $"{many} files of '{folder}' look like images of kinds that are"
                    : $"1 file of '{folder}' looks like an image of a kind that is") + " "
                    + "not read "
                    + $"({string.Join(", ", unread.Select(u => $"{u.Key}: {u.Value}"))}) "
                    + $"and {(unread.Values.Sum() > 1 ? "are" : "is")} left out: "
                    + $"convert {(unread.Values.Sum() > 1 ? "them" : "it")} to PNG or TIFF.");
        images.Sort((a, b) => StringComparer.Ordinal.Compare(a.Path, b.Path));
        return [.. images];

        void Walk(DirectoryInfo directory, string prefix, string[] parents)
        {
            string real = directory.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? directory.FullName;
            if (parents.Contains(real)) return;
            if (prefix.Length > 0 && IsOfARun(real))
            {
                notes.Add(
                    $"'{prefix.TrimEnd('/')}' of '{folder}' is the folder of a run, and is left out with the pictures in it.");
                return;
            }
            foreach (var entry in Entries(directory, prefix))
            {
                if (entry.Name.StartsWith('.') || entry.Name == "__MACOSX") continue;
                string path = prefix + entry.Name;
                if (IsMisnamed(entry))
                {
                    // Among the images it becomes one that cannot be read, with the reason.
                    if (ImageFormats.HasImageEnding(entry.Name)) images.Add((path, path));
                    else
                        notes.Add($"'{path}' of '{folder}' is left out: its name is not UTF-8. "
                            + "Rename it, with mv or for many with convmv.");
                }
                else if (entry.Attributes.HasFlag(FileAttributes.Directory))
                    Walk(entry.LinkTarget is null ? new DirectoryInfo(Path.Combine(real, entry.Name)) : (DirectoryInfo)entry,
                        path + "/", [.. parents, real]);
                else if (ImageFormats.HasImageEnding(entry.Name))
                    images.Add((path, entry.LinkTarget is null ? Path.Combine(real, entry.Name)
                        : RepeatedImages.FileOf(entry.FullName)));
                else
                {
                    others++;
                    string ending = entry.Extension.ToLowerInvariant();
                    if (ImageFormats.OtherEndings.Contains(ending)) unread[ending] = unread.GetValueOrDefault(ending) + 1;
                    else if (RepeatedImages.LeadsNowhere(entry.FullName) is { } target)
                        notes.Add($"'{path}' of '{folder}' is a link to {target}, which does not exist, and is left out.");
                    else if (ImageFormats.IsPacked(path)) packed.Add(path);
                    else if (strange.Count < LookedInto) strange.Add(path);
                }
            }
        }

        FileSystemInfo[] Entries(DirectoryInfo directory, string prefix)
        {
            try
            {
                return directory.GetFileSystemInfos();
            }
            catch (Exception e) when (prefix.Length > 0 && e is IOException or UnauthorizedAccessException)
            {
                notes.Add($"The sub-folder '{prefix.TrimEnd('/')}' of '{folder}' cannot be listed and is left out: {WhyNot(e)}");
                return [];
            }
        }
    }
}

/// <summary>A folder of images, whose sub-folders are the labels.</summary>
[Kind("folder")]
internal sealed class FolderFormat : SourceFormat
{
    /// <inheritdoc/>
    public override string Form => "a folder";

    /// <inheritdoc/>
    public override bool Takes(string name) => Directory.Exists(name);

    /// <inheritdoc/>
    public override IImageSource Open(string name, DataOptions options) => !ImageFolder.IsOfARun(name)
        ? ImageFolder.Open(name, name, options)
        : throw new DataSourceException(
            $"'{name}' is the folder of a run, not of images: its recipe.json is there. Give the folder of the images.");
}

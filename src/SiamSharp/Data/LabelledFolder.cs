using SiamSharp.Messages;
using SiamSharp.Options;

namespace SiamSharp.Data;

/// <summary>A folder of images whose labels stand in a file: <c>FOLDER@labels.csv</c>.</summary>
internal static class LabelledFolder
{
    /// <summary>Opens the images of a folder with the labels that a <c>.csv</c> or <c>.jsonl</c> file gives to them.</summary>
    /// <remarks>
    /// A name in the file is a path relative to the folder, or a mere file name where only one image is called so, both with or
    /// without the ending; an accent may be part of a letter or follow it. Images that the file does not name have no label;
    /// names without an image are counted in a note.
    /// </remarks>
    /// <exception cref="DataSourceException">No image, an unreadable file, or a file that names none of the images.</exception>
    public static IImageSource Open(string name, string folder, string labelFile, DataOptions options)
    {
        var notes = new List<string>();
        var listed = ImageFolder.List(folder, notes);
        string[] files = [.. listed.Select(l => l.Path)];
        var byName = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < files.Length; i++)
        {
            string file = files[i][(files[i].LastIndexOf('/') + 1)..];
            foreach (string key in new HashSet<string>
            {
                CanonicalName.Of(file), CanonicalName.Of(Path.GetFileNameWithoutExtension(file))
            })
                if (!byName.TryAdd(key, i)) byName[key] = -1; // ambiguous
        }
        foreach (var path in files.Index().Where(f => f.Item.Contains('/'))
            .GroupBy(f => CanonicalName.Of(f.Item[..^Path.GetExtension(f.Item).Length])))
            byName[path.Key] = path.Count() == 1 ? path.First().Index : -1;
        foreach (var path in files.Index().GroupBy(f => CanonicalName.Of(f.Item)))
            byName[path.Key] = path.Count() == 1 ? path.First().Index : -1;
        // where names differ in their encoding alone
        var exact = files.Index().ToDictionary(f => f.Item, f => f.Index, StringComparer.Ordinal);

        string?[] labels = new string?[files.Length];
        string[] namedAs = new string[files.Length];
        var missing = new List<string>();
        var entries = Manifest.Read(labelFile, notes);
        foreach (var (path, label) in entries)
        {
            string key = path.Replace('\\', '/');
            if (key.StartsWith("./", StringComparison.Ordinal)) key = key[2..];
            if (!exact.TryGetValue(key, out int i)) i = byName.GetValueOrDefault(CanonicalName.Of(key), -1);
            if (i < 0) missing.Add(path);
            else if (labels[i] is { } earlier && label is not null && earlier != label)
                throw new DataSourceException($"'{labelFile}' gives two labels to an image of '{folder}': "
                    + $"'{Shown.Text(namedAs[i])}' is '{Shown.Text(earlier)}'"
                    + (namedAs[i] == path ? "" : $", and '{Shown.Text(path)}', the same image,")
                    + $" and '{Shown.Text(label)}'. An image has one label: leave one of the two rows out.");
            else if (label is not null) (labels[i], namedAs[i]) = (label, path);
        }
        if (missing.Count == entries.Count && missing[0].IndexOfAny(['\t', ';']) >= 0)
            throw new DataSourceException(
                $"'{labelFile}' must have commas between its fields, but has lines such as '{missing[0]}': save it with commas.");
        if (missing.Count == entries.Count)
            throw new DataSourceException(
                $"'{labelFile}' must name images of '{folder}', but names none of its {files.Length}: it names "
                + $"'{missing[0]}', while the folder holds '{files[0]}'. Write the paths in it from the folder on.");
        if (missing.Count > 0)
            notes.Add($"{missing.Count} of the {entries.Count} names in '{labelFile}' are no image "
                + $"in '{folder}', such as '{missing[0]}'.");
        if (entries.TrueForAll(e => e.Label is null))
            throw new DataSourceException($"'{labelFile}' must give a label to the images it names, but gives none: "
                + "name the column of the labels 'label' or 'class'.");
        var (places, once) = RepeatedImages.Once(name, files, [.. listed.Select(l => l.File)], labels, notes);
        return new FileSource(name, [.. places.Select(place => Path.Combine(folder, files[place]))], once, options, notes);
    }
}

/// <summary><c>FOLDER@labels.csv</c>: a folder of images whose labels stand in a file.</summary>
[Kind("labelled-folder")]
internal sealed class LabelledFolderFormat : SourceFormat
{
    /// <inheritdoc/>
    public override string Form => "FOLDER@labels.csv";

    /// <inheritdoc/>
    public override bool Takes(string name) =>
        !Path.Exists(name) && name.LastIndexOf('@') is > 0 and var at && Directory.Exists(name[..at]);

    /// <inheritdoc/>
    public override IImageSource Open(string name, DataOptions options)
    {
        string folder = name[..name.LastIndexOf('@')], labels = name[(folder.Length + 1)..];
        if (labels.Length == 0)
            throw new DataSourceException(
                $"'{name}' names no file of labels behind @. Write {folder}@labels.csv, or {folder} alone.");
        string inside = Path.Combine(folder, labels);
        if (Directory.Exists(labels) || Directory.Exists(inside))
            throw new DataSourceException($"'{name}': behind @ comes a file of labels, and '{labels}' is a folder. "
                + "Write FOLDER@labels.csv; where the folders are the classes, the folder alone.");
        string file = File.Exists(labels) ? labels : inside;
        if (!File.Exists(file))
            throw new DataSourceException(
                $"'{name}': the file of labels must exist, but neither '{labels}' nor '{inside}' does.{Nearest.Path(labels)}");
        return LabelledFolder.Open(name, folder, file, options);
    }
}

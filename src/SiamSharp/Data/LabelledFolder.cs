namespace SiamSharp.Data;

/// <summary>A folder of images whose labels stand in a file: <c>FOLDER@labels.csv</c>.</summary>
internal static class LabelledFolder
{
    /// <summary>Opens the images of a folder with the labels that a <c>.csv</c> or <c>.jsonl</c> file gives to them.</summary>
    /// <remarks>
    /// A name in the file is a path relative to the folder, or a mere file name where only one image is called so, with or
    /// without its ending. Images that the file does not name have no label; names without an image are counted in a note.
    /// </remarks>
    /// <exception cref="DataSourceException">No image, an unreadable file, or a file that names none of the images.</exception>
    public static IImageSource Open(string name, string folder, string labelFile, DataOptions options)
    {
        var notes = new List<string>();
        string[] files = ImageFolder.List(folder, notes);
        var byName = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < files.Length; i++)
        {
            string file = files[i][(files[i].LastIndexOf('/') + 1)..];
            foreach (string key in new HashSet<string> { file, Path.GetFileNameWithoutExtension(file) })
                if (!byName.TryAdd(key, i)) byName[key] = -1; // ambiguous
        }
        foreach (var (i, file) in files.Index()) byName[file] = i;

        string?[] labels = new string?[files.Length];
        var missing = new List<string>();
        var entries = Manifest.Read(labelFile, notes);
        foreach (var (path, label) in entries)
        {
            string key = path.Replace('\\', '/');
            if (key.StartsWith("./", StringComparison.Ordinal)) key = key[2..];
            if (byName.GetValueOrDefault(key, -1) is >= 0 and var i) labels[i] = label;
            else missing.Add(path);
        }
        if (missing.Count == entries.Count)
            throw new DataSourceException(
                $"'{labelFile}' must name images of '{folder}', but names none of its {files.Length}: it names "
                + $"'{missing[0]}', while the folder holds '{files[0]}'.");
        if (missing.Count > 0)
            notes.Add($"{missing.Count} of the {entries.Count} names in '{labelFile}' are no image in '{folder}', such as '{missing[0]}'.");
        if (entries.TrueForAll(e => e.Label is null))
            throw new DataSourceException($"'{labelFile}' must give a label to the images it names, but gives none: name the column of the labels 'label' or 'class'.");
        return new FileSource(name, [.. files.Select(f => Path.Combine(folder, f))], labels, options, notes);
    }
}

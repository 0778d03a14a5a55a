using Parquet;
using SiamSharp.Data;
using SiamSharp.Embeddings;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Reporting;
using SiamSharp.Training;

namespace SiamSharp.Cli.Commands;

/// <summary>What a command writes, and how a file of the same kind is known that an earlier command wrote.</summary>
/// <param name="Name">In a sentence, such as <c>a sheet of pictures</c>.</param>
/// <param name="Endings">What its name may end in.</param>
/// <param name="IsOurs">Whether a file is one, and may be replaced.</param>
internal sealed record OutputKind(string Name, string[] Endings, Func<string, bool> IsOurs)
{
    internal static readonly OutputKind
        Sheet = new("a sheet of pictures", [".png"], SheetDrawing.IsSheet),
        Index = new("a file of vectors", [".parquet", ".npy"], IsIndex),
        Classifier = new("a classifier", [".safetensors"], path => HasFormat(path, "siamsharp-classifier-")),
        Encoder = new("an encoder", [".safetensors"], path => HasFormat(path, "siamsharp-encoder-")),
        Answers = new("answers of `siam classify predict`", [".csv", ".json"], IsAnswers),
        Onnx =
        new("a model of `siam export onnx`", [".onnx"], path => Start(path, 64).Contains("SiamSharp", StringComparison.Ordinal));

    private static bool HasFormat(string path, string format) =>
        SafeTensorsHeader.Read(path).Metadata.GetValueOrDefault("format", "").StartsWith(format, StringComparison.Ordinal);

    private static bool IsIndex(string path)
    {
        if (path.EndsWith(".npy", StringComparison.OrdinalIgnoreCase))
            return Start(path, 128).Contains("'descr': '<f4'", StringComparison.Ordinal)
                && File.Exists(EmbeddingFile.NamesOf(path)) && Start(EmbeddingFile.NamesOf(path), 10) == "path,label";
        string[] columns = ColumnsOf(path).GetAwaiter().GetResult();
        return columns.Contains("path") && columns.Any(c => c.StartsWith("vector/", StringComparison.Ordinal));
    }

    private static async Task<string[]> ColumnsOf(string path)
    {
        await using FileStream file = RegularFile.OpenRead(path);
        await using ParquetReader reader = await ParquetReader.CreateAsync(file);
        return [.. reader.Schema.GetDataFields().Select(f => f.Path.ToString())];
    }

    private static bool IsAnswers(string path) => path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase)
        ? Start(path, 200).StartsWith("path,class,accepted,probability", StringComparison.Ordinal)
        : Start(path, 100_000) is var text
            && (text.Trim() == "[]" || (text.StartsWith('[') && text.Contains("\"accepted\"", StringComparison.Ordinal)
                && text.Contains("\"probabilities\"", StringComparison.Ordinal)));

    private static string Start(string path, int length)
    {
        byte[] bytes = new byte[length];
        using FileStream file = RegularFile.OpenRead(path);
        return System.Text.Encoding.Latin1.GetString(bytes, 0, file.ReadAtLeast(bytes, length, throwOnEndOfStream: false))
            .TrimStart('\uFEFF');
    }
}

/// <summary>Decides for every command whether it may write where --out says: never among images, never over anything that is not
/// an earlier output of the same kind.</summary>
internal static class Outputs
{
    private const int PicturesOfAFolder = 3;

    private static readonly StringComparison s_comparison =
        OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;

    /// <summary>The whole path of a file to write, whose folder is made where it is missing.</summary>
    /// <param name="given">As given by the user.</param>
    /// <param name="kind">What is written.</param>
    /// <param name="sources">Of images, as given by the user.</param>
    /// <param name="inputs">Other files that the command reads; null where one was not given.</param>
    /// <param name="images">Paths of single images, such as those that an index holds.</param>
    /// <exception cref="OptionsException">The name is none for such a file.</exception>
    /// <exception cref="RunException">It may not be written.</exception>
    internal static string File(
        string given, OutputKind kind, IEnumerable<string?> sources, IEnumerable<string?> inputs,
        IReadOnlyList<string>? images = null)
    {
        CheckName(given);
        string endings = string.Join(" or ", kind.Endings), path = Path.GetFullPath(given);
        if (Directory.Exists(path))
        {
            string inside = $"{Path.TrimEndingDirectorySeparator(given)}/NAME{kind.Endings[0]}";
            throw Wrong($"{given} is a folder, but a file is wanted: "
                + $"--out {Shell(IsOutside(inside, path, sources, images ?? []) ? inside : $"NAME{kind.Endings[0]}")}");
        }
        if (!kind.Endings.Contains(Path.GetExtension(path).ToLowerInvariant()))
            throw Wrong($"\"{given}\" must end in {endings}, which is what is written");
        string?[] read = [.. inputs, .. sources.SelectMany(FilesOf)];
        string[] written = kind == OutputKind.Index && Path.GetExtension(path) == ".npy"
            ? [path, EmbeddingFile.NamesOf(path)] : [path];
        foreach (string file in written)
            if (read.OfType<string>().Where(System.IO.File.Exists)
                .FirstOrDefault(input => Real(input).Equals(Real(file), s_comparison)) is { } same)
                throw new RunException($"--out {given} would write over {same}, which the command reads. Choose another name.");
        CheckOutside(given, Path.GetDirectoryName(path)!, sources, images ?? []);
        CheckParents(path);
        if (LostTarget(path) is { } lost)
            throw Wrong($"{given} is a link to {lost}, which does not exist. Remove the link, or choose another name");
        if (System.IO.File.Exists(path))
        {
            if (IsOfARun(path))
                throw new RunException(
                    $"--out {given} is a file of the run in {Path.GetDirectoryName(path)}. Choose a name outside of it.");
            if (!IsOurs(kind, path))
                throw new RunException($"--out {given} exists and is another kind of file than {kind.Name}, "
                    + "so it is not replaced. Choose another name, or remove it first.");
        }
        Probe(path, given);
        return path;
    }

    /// <summary>Refuses a folder that is another's: one of images, of files, of a run where a study is to be written or
    /// the other way round.</summary>
    /// <param name="given">As given by the user.</param>
    /// <param name="study">Whether a study is to be written, not a run.</param>
    /// <param name="sources">Of images, as given by the user.</param>
    /// <param name="own">Names of the runs that a study makes in it.</param>
    /// <returns>The whole path. It is not made yet.</returns>
    internal static string Folder(string given, bool study, IEnumerable<string?> sources, IReadOnlyCollection<string>? own = null)
    {
        CheckName(given);
        string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(given));
        if (!Path.Exists(path) && s_endingsOfFiles.Contains(Path.GetExtension(path).ToLowerInvariant()))
            throw Wrong($"{given} is named like a file, but the folder of a {(study ? "study" : "run")} is wanted: "
                + $"write {Shell(given[..^Path.GetExtension(path).Length])}"
                + (path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase)
                    ? ", and afterwards siam export onnx --run DIR --out FILE.onnx" : ""));
        if (LostTarget(path) is { } lost)
            throw Wrong($"{given} is a link to {lost}, which does not exist. "
                + $"Make that folder, or choose another name{Another(given, study ? "-study" : "-run", study, sources)}");
        if (System.IO.File.Exists(path))
            throw Wrong($"{given} is a file, but the folder of a {(study ? "study" : "run")} is wanted. "
                + $"Choose another name{Another(given, study ? "-study" : "-run", study, sources)}");
        CheckOutside(given, path, sources, []);
        CheckParents(path);
        if (!Directory.Exists(path)) return path;
        if (!IsRun(path) && FoldersOfPicturesIn(path) is { Length: > 0 } classes)
            throw new RunException($"--out {given} holds folders of images "
                + $"({string.Join(", ", classes.Take(PicturesOfAFolder).Select(Path.GetFileName))}), and what is written would "
                + "lie among them. Choose a new folder.");
        bool hasRun = IsRun(path), hasStudy = System.IO.File.Exists(Path.Combine(path, "study.json"));
        if (!hasRun && !hasStudy
            && sources.OfType<string>().SelectMany(FoldersOf).FirstOrDefault(listed => IsWithin(Real(listed), Real(path)))
                is { } within)
            throw new RunException($"--out {given} holds the folder of the images, {within}, and what is written would lie "
                + $"beside it. Choose a new folder{Another(given, "/run", study, sources)}.");
        if (!hasRun && !hasStudy && Directory.EnumerateDirectories(path).Where(IsRun).Select(Path.GetFileName)
            .Where(name => own?.Contains(name!) != true).Order().ToArray() is { Length: > 0 } others)
            throw new RunException($"--out {given} holds runs "
                + $"({string.Join(", ", others.Take(PicturesOfAFolder))}{(others.Length > PicturesOfAFolder ? ", ..." : "")}), "
                + $"and would become one itself. Give a folder of its own{Another(given, "/run", study, sources)}.");
        if (study && hasRun)
            throw new RunException($"--out {given} holds a run, whose report a study would replace. "
                + $"Choose another folder{Another(given, "-study", study, sources)}.");
        if (!study && hasStudy)
            throw new RunException($"--out {given} holds a study, whose report a run would replace. "
                + $"Choose another folder{Another(given, "-run", study, sources)}.");
        if (!hasRun && !hasStudy && s_namesOfRuns.Concat(s_namesOfStudies).Where(name => name is not ("skipped.jsonl" or ".lock"))
            .FirstOrDefault(name => System.IO.File.Exists(Path.Combine(path, name))) is { } other)
            throw new RunException($"--out {given} holds a file {other} that is of no {(study ? "study" : "run")}, "
                + $"and it would be replaced. Choose a new folder{Another(given, "/run", study, sources)}.");
        return path;
    }

    /// <summary>A folder that may be written, as the end of a sentence: the given one with an ending, in its place or, where
    /// images lie there, in the working directory or beside them; empty where none may.</summary>
    private static string Another(string given, string ending, bool study, IEnumerable<string?> sources)
    {
        string plain = Path.TrimEndingDirectorySeparator(given), name = Path.GetFileName(plain) + ending.Replace('/', '-');
        IEnumerable<string> beside = sources.OfType<string>().SelectMany(FoldersOf).Select(folder =>
            Path.GetDirectoryName(Path.GetFullPath(folder))).OfType<string>().Select(parent => Path.Combine(parent, name));
        foreach (string candidate in beside.Prepend(name).Prepend(plain + ending))
        {
            if (Path.Exists(candidate)) continue;
            try
            {
                Folder(candidate, study, sources);
                return $", such as --out {Shell(candidate)}";
            }
            catch (Exception e) when (e is RunException or OptionsException)
            {
                // the next one
            }
        }
        return "";
    }

    private static bool IsOutside(string given, string folder, IEnumerable<string?> sources, IReadOnlyList<string> images)
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

    private static readonly string[]
        s_endingsOfFiles = [".onnx", ".safetensors", ".pth", ".pt", ".parquet", ".npy", ".csv", ".json",
            ".jsonl", ".html", ".png", ".zip"],
        s_namesOfRuns =
        ["recipe.json", "metrics.jsonl", "checkpoint.safetensors", "checkpoint.previous.safetensors", "encoder.safetensors",
            "evaluation.json", "draws.json", "skipped.jsonl", "report.html", "gallery.html", "views.png", "loss.png", ".lock"],
        s_namesOfStudies = ["study.json", "table.md", "table.json", "plot.png", "report.html"];

    /// <summary>Whether a folder holds a run, whichever of its files are lost.</summary>
    private static bool IsRun(string folder) => new RunFolder(folder) is var run && ((run.HasRun && run.IsOurs)
        || (System.IO.File.Exists(run.EncoderPath) && IsOurs(OutputKind.Encoder, run.EncoderPath)));

    private static bool IsOfARun(string path) => IsRun(Path.GetDirectoryName(path)!)
        && s_namesOfRuns.Contains(Path.GetFileName(path));

    private static bool IsOurs(OutputKind kind, string path)
    {
        try
        {
            return kind.IsOurs(path);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return false; // whatever it is, it is no whole file of that kind
        }
    }

    /// <summary>Refuses a place within a folder of images, or beside images that are not ours: what is written there would count
    /// as one of them, or get lost among them.</summary>
    private static void CheckOutside(string given, string folder, IEnumerable<string?> sources, IReadOnlyList<string> images)
    {
        string real = Real(folder);
        foreach (string source in sources.OfType<string>())
            if (FoldersOf(source).FirstOrDefault(listed => IsWithin(real, Real(listed))) is { } found)
                throw new RunException($"--out {given} lies within the folder of images, {found}, so that what is written would "
                    + "count as images or lie among them. Choose a place outside.");
        if (FoldersOf(images).FirstOrDefault(f => IsWithin(real, Real(f))) is { } among)
            throw new RunException($"--out {given} lies among the images of the index, in {among}, "
                + "and would be one of them the next time. Choose a place outside.");
        for (string? parent = real;
            parent is not null && parent != Path.GetPathRoot(parent); parent = Path.GetDirectoryName(parent))
            if (Directory.Exists(parent) && PicturesIn(parent) is int pictures and > 0)
                throw new RunException($"--out {given} lies in a folder of images: "
                    + $"{parent} holds {Plural.Of(pictures, "image")}. Choose a place outside.");
    }

    /// <summary>The folders of images in a folder, where these are two or more and no fewer than its
    /// others; otherwise none.</summary>
    private static string[] FoldersOfPicturesIn(string folder)
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
                !(image.EndsWith(".png", StringComparison.OrdinalIgnoreCase) && IsOurs(OutputKind.Sheet, image)));
            return foreign >= PicturesOfAFolder ? foreign : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0; // what cannot be listed cannot be written to either, which is found next
        }
    }

    /// <summary>The folders that a source lists, or that hold the images of a manifest.</summary>
    private static string[] FoldersOf(string source)
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
            while (!IsWithin(Path.GetFullPath(folder), common) && Path.GetDirectoryName(common) is { } parent) common = parent;
        return IsWithin(Environment.CurrentDirectory, common) ? folders : [.. folders, common];
    }

    /// <summary>The files that a source is, or that give it labels.</summary>
    private static IEnumerable<string?> FilesOf(string? source)
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

    private static void CheckName(string given)
    {
        if (string.IsNullOrWhiteSpace(given)) throw Wrong("is empty; a variable that is not set? Name what is to be written");
        if (!OperatingSystem.IsWindows() && given.Contains('\\') && !Path.Exists(given))
            throw Wrong($"\"{given}\" would be one name with a \\ in it."
                + (given is [_, ':', ..] && Nearest.Path(given) is { Length: > 0 } hint ? hint.TrimEnd('.')
                    : $" Here / stands between folders: write {given.Replace('\\', '/')}"));
        if (Nearest.UnreplacedVariable(given) is { } variable && !Path.Exists(given))
            throw Wrong($"\"{given}\" would be a name as it stands.{variable}");
        if (given.StartsWith('~')) throw Wrong($"\"{given}\" would be a folder called ~.{Nearest.Path(given)}");
    }

    private static void CheckParents(string path)
    {
        for (string? parent = Path.GetDirectoryName(path);
            parent is not null && !Directory.Exists(parent); parent = Path.GetDirectoryName(parent))
            if (LostTarget(parent) is { } lost)
                throw Wrong($"{parent} is a link to {lost}, which does not exist. Make that folder, or choose another place");
            else if (System.IO.File.Exists(parent))
                throw Wrong($"{parent} is a file, so nothing can be written below it. Choose another place");
    }

    /// <summary>What a link names that leads to nothing; null for anything else.</summary>
    private static string? LostTarget(string path)
    {
        if (new FileInfo(path).LinkTarget is not { } target) return null;
        string real = Real(path);
        return Directory.Exists(real) || (System.IO.File.Exists(real) && new FileInfo(real).LinkTarget is null) ? null : target;
    }

    /// <summary>Finds out now, and not after hours, whether the file can be written.</summary>
    private static void Probe(string path, string given)
    {
        string folder = Path.GetDirectoryName(path)!,
            probe = Path.Combine(folder, $".{Path.GetFileName(path)}.{Environment.ProcessId}");
        try
        {
            Directory.CreateDirectory(folder);
            System.IO.File.WriteAllText(probe, "");
            System.IO.File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string why = e is UnauthorizedAccessException ? $"you may not write to the folder {folder}"
                : e.Message.Replace(probe, path, StringComparison.Ordinal).TrimEnd('.');
            // by its own name, not by that of the probe
            throw new RunException($"--out {given} cannot be written: {why}. Choose a folder that you may write to.");
        }
    }

    private static bool IsWithin(string path, string folder) =>
        path.Equals(folder, s_comparison)
            || path.StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, s_comparison);

    /// <summary>A whole path in which every link that exists is followed.</summary>
    private static string Real(string path, int links = 0)
    {
        string whole = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)), current = Path.GetPathRoot(whole)!;
        foreach (string name in whole[current.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            string next = Path.Combine(current, name);
            current = links < 40 && new FileInfo(next).LinkTarget is { } target
                ? Real(Path.Combine(current, target), links + 1) : next;
        }
        return current;
    }

    /// <summary>Whether standard output is redirected into a file; false where that cannot be told.</summary>
    internal static bool IsStandardOutput(string file)
    {
        try
        {
            return OperatingSystem.IsLinux()
                && System.IO.File.ResolveLinkTarget("/proc/self/fd/1", returnFinalTarget: false)?.FullName == Real(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string Shell(string path) => Messages.Shell.Word(path);

    private static OptionsException Wrong(string problem) => new([new Fault("--out", problem)]);
}

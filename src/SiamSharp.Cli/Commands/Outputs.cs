using SiamSharp.Embeddings;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Training;

namespace SiamSharp.Cli.Commands;

/// <summary>Decides for every command whether it may write where --out says: never among images, never over anything that is not
/// an earlier output of the same kind.</summary>
internal static class Outputs
{
    private const int NamesShown = 3;

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
                + "--out "
                + Shell(ImagePlaces.IsOutside(inside, path, sources, images ?? []) ? inside : $"NAME{kind.Endings[0]}"));
        }
        if (!kind.Endings.Contains(Path.GetExtension(path).ToLowerInvariant()))
            throw Wrong($"\"{given}\" must end in {endings}, which is what is written");
        string?[] read = [.. inputs, .. sources.SelectMany(ImagePlaces.FilesOf)];
        string[] written = kind == OutputKind.Index && Path.GetExtension(path) == ".npy"
            ? [path, EmbeddingFile.NamesOf(path)] : [path];
        foreach (string file in written)
            if (read.OfType<string>().Where(System.IO.File.Exists)
                .FirstOrDefault(input => RealPath.Of(input).Equals(RealPath.Of(file), RealPath.Comparison)) is { } same)
                throw new RunException($"--out {given} would write over {same}, which the command reads. Choose another name.");
        ImagePlaces.CheckOutside(given, Path.GetDirectoryName(path)!, sources, images ?? []);
        CheckParents(path);
        if (RealPath.LostTarget(path) is { } lost)
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
        if (RealPath.LostTarget(path) is { } lost)
            throw Wrong($"{given} is a link to {lost}, which does not exist. "
                + $"Make that folder, or choose another name{Another(given, study ? "-study" : "-run", study, sources)}");
        if (System.IO.File.Exists(path))
            throw Wrong($"{given} is a file, but the folder of a {(study ? "study" : "run")} is wanted. "
                + $"Choose another name{Another(given, study ? "-study" : "-run", study, sources)}");
        ImagePlaces.CheckOutside(given, path, sources, []);
        CheckParents(path);
        if (!Directory.Exists(path)) return path;
        if (!IsRun(path) && ImagePlaces.FoldersOfPicturesIn(path) is { Length: > 0 } classes)
            throw new RunException($"--out {given} holds folders of images "
                + $"({string.Join(", ", classes.Take(NamesShown).Select(Path.GetFileName))}), "
                + "and what is written would lie among them. Choose a new folder.");
        bool hasRun = IsRun(path), hasStudy = System.IO.File.Exists(Path.Combine(path, "study.json"));
        if (!hasRun && !hasStudy
            && sources.OfType<string>().SelectMany(ImagePlaces.FoldersOf)
                .FirstOrDefault(listed => RealPath.IsWithin(RealPath.Of(listed), RealPath.Of(path))) is { } within)
            throw new RunException($"--out {given} holds the folder of the images, {within}, and what is written would lie "
                + $"beside it. Choose a new folder{Another(given, "/run", study, sources)}.");
        if (!hasRun && !hasStudy && Directory.EnumerateDirectories(path).Where(IsRun).Select(Path.GetFileName)
            .Where(name => own?.Contains(name!) != true).Order().ToArray() is { Length: > 0 } others)
            throw new RunException($"--out {given} holds runs "
                + $"({string.Join(", ", others.Take(NamesShown))}{(others.Length > NamesShown ? ", ..." : "")}), "
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
        IEnumerable<string> beside = sources.OfType<string>().SelectMany(ImagePlaces.FoldersOf).Select(folder =>
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

    internal static bool IsOurs(OutputKind kind, string path)
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
            if (RealPath.LostTarget(parent) is { } lost)
                throw Wrong($"{parent} is a link to {lost}, which does not exist. Make that folder, or choose another place");
            else if (System.IO.File.Exists(parent))
                throw Wrong($"{parent} is a file, so nothing can be written below it. Choose another place");
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

    /// <summary>Whether standard output is redirected into a file; false where that cannot be told.</summary>
    internal static bool IsStandardOutput(string file)
    {
        try
        {
            return OperatingSystem.IsLinux()
                && System.IO.File.ResolveLinkTarget("/proc/self/fd/1", returnFinalTarget: false)?.FullName == RealPath.Of(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string Shell(string path) => Messages.Shell.Word(path);

    private static OptionsException Wrong(string problem) => new([new Fault("--out", problem)]);
}

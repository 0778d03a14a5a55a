using System.Text.RegularExpressions;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;

namespace SiamSharp.Data;

/// <summary>Opens what the user names as a source of images.</summary>
public static partial class ImageSources
{
    private static string Forms => string.Join(", ", Kinds.All<SourceFormat>().Select(format => format.Form))
        + "; behind it #FIRST..END takes a part, #train four fifths of each class and #test the rest";

    /// <summary>Opens a source: lists it, reads its labels, decodes nothing yet.</summary>
    /// <param name="source">
    /// A folder (sub-folder names are the labels), one image file, <c>FOLDER@labels.csv</c>, a manifest <c>.csv</c> or
    /// <c>.jsonl</c>, <c>.npy</c> of shape (N, H, W) or (N, C, H, W), <c>*-images-idx3-ubyte[.gz]</c>,
    /// <c>fashion-mnist[:train|:test|:sample]</c>, <c>cifar10:DIR[:test]</c>. Behind any of them <c>#FIRST..END</c> takes the
    /// images FIRST to END - 1 in the order of the source; either may be left out. <c>#train</c> takes four fifths of each class,
    /// drawn always in the same way, and <c>#test</c> the rest.
    /// </param>
    /// <param name="options">How images are decoded; the defaults when not given.</param>
    /// <exception cref="DataSourceException">There is no such source, or no image in it.</exception>
    public static IImageSource Open(string source, DataOptions? options = null)
    {
        options ??= new();
        OptionsJson.Check(options, "data");
        if (string.IsNullOrWhiteSpace(source))
            throw new DataSourceException($"The source of images is empty; a variable that is not set? A source is {Forms}.");
        // /dev/shm is a folder as any other
        if (source is "-" or "/dev/stdin" || source.StartsWith("/dev/fd/", StringComparison.Ordinal))
            throw new DataSourceException(
                $"'{source}' is no file, and images are not read from standard input. Give the path of a folder or a file.");
        if (Nearest.Address(source) is { } address && !Path.Exists(source) && SourceFormat.Of(source) is null)
            throw new DataSourceException(
                $"'{source}' cannot be read. {address}{(ImageFormats.IsPacked(source) ? " Unpack what is packed." : "")}");
        if (!Path.Exists(source)
            && source.Split([',', ';', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                is { Length: > 1 } several && several.All(IsSource))
            throw new DataSourceException($"'{source}' names {several.Length} sources where one is taken. "
                + $"{(several.All(s => s.Contains('#')) ? "A part is one range, #FIRST..END." : OneSource)}");
        if (source.StartsWith('@') && !Path.Exists(source))
            throw new DataSourceException($"'{source}' begins with @, behind which a list of labels stands: "
                + $"write FOLDER{source}, or give a list of images as it is, {source[1..]}.");
        if (SubsetName().Match(source) is { Success: true } part && !Path.Exists(source)) return OpenPart(source, part, options);
        if (ShareName().Match(source) is { Success: true } share && !Path.Exists(source))
            return OpenShare(source, share, options);
        if (!Path.Exists(source) && source.LastIndexOf('#') is > 0 and var early
            && source.IndexOf('@', early) is > 0 and var late)
            throw new DataSourceException($"'{source}': the list of labels comes ahead of the part. "
                + $"Write {source[..early]}{source[late..]}{source[early..late]}");
        if (source.LastIndexOf('#') is > 0 and var mark && !Path.Exists(source))
            throw new DataSourceException($"'{source}' names no part that is known: behind # write FIRST..END, "
                + $"such as {source[..mark]}#..10 for the first ten, or train or test"
                + (Nearest.To(source[(mark + 1)..], ["train", "test"]) is { } near ? $"; did you mean {source[..mark]}#{near}?"
                    : source[(mark + 1)..].Any(c => c is ',' or '_' or ' ') ? "; numbers have no separators."
                    : source.EndsWith('%') ? "; #train takes four fifths of each class, and there are no other shares."
                    : source[mark + 1] == '-' ? "; numbers count from the start, from 0 on." : "."));
        if (SourceFormat.Of(source) is { } format) return format.Open(source, options);
        if (RepeatedImages.LeadsNowhere(source) is { } target)
            throw new DataSourceException($"'{source}' is a link to {target}, which does not exist.");
        if (File.Exists(source)) throw NotRead(source);
        throw Missing(source);
    }

    /// <summary>How several folders become one source.</summary>
    internal const string OneSource =
        "Several folders are one source when they lie in one folder, or when their files are the lines of a manifest.csv.";

    private static bool IsSource(string name) =>
        name.Split('#')[0] is var whole && (Path.Exists(whole) || SourceFormat.Of(whole) is not null);

    [GeneratedRegex(@"^(?<whole>.+)#(?<first>[0-9]*)\.\.(?<end>[0-9]*)$")]
    private static partial Regex SubsetName();

    [GeneratedRegex("^(?<whole>.+)#(?<part>train|test)$")]
    private static partial Regex ShareName();

    private static SubsetSource OpenShare(string source, Match share, DataOptions options)
    {
        IImageSource whole = Open(share.Groups["whole"].Value, options);
        if (whole.Count < 2) throw new DataSourceException($"'{source}': one image cannot be divided into train and test.");
        var (train, test) = whole.Split(Math.Clamp((int)Math.Round(0.8 * whole.Count), 1, whole.Count - 1), seed: 1);
        SubsetSource part = share.Groups["part"].Value == "train" ? train : test;
        return new SubsetSource(part, [.. Enumerable.Range(0, part.Count)], source);
    }

    private static SubsetSource OpenPart(string source, Match part, DataOptions options)
    {
        IImageSource whole = Open(part.Groups["whole"].Value, options);
        long first = Number("first", 0), end = Number("end", whole.Count);
        if (first >= end || end > whole.Count)
            throw new DataSourceException($"'{source}' names no part of its {Plural.Of(whole.Count, "image")}: "
                + $"write #FIRST..END with 0 <= FIRST < END <= {whole.Count}.");
        return new SubsetSource(whole, [.. Enumerable.Range((int)first, (int)(end - first))], source);

        long Number(string group, long otherwise) => part.Groups[group].Value is { Length: > 0 } digits
            ? long.TryParse(digits, out long number) ? number : long.MaxValue
            : otherwise;
    }

    /// <summary>What to say of a file that no format takes.</summary>
    private static DataSourceException NotRead(string source) => new(Path.GetExtension(source).ToLowerInvariant() switch
    {
        ".parquet" => $"'{source}' is no source of images: files that end in .parquet hold vectors. "
            + "Give the images that they were made of.",
        ".txt" or ".tsv" or ".json" or ".xlsx" or ".xls" =>
            $"'{source}' is not read. A list of images ends in .csv, with a first line "
                + "path,label, or in .jsonl, with lines such as {\"path\": \"a.jpg\", \"label\": \"cat\"}: save it so.",
        _ when IdxFiles.ImagesOf(source) is { } images =>
            $"'{source}' is the IDX file of the labels. Give that of the images, {images}: the labels are found beside it.",
        ".npz" => $"'{source}' is an archive of numpy. Save the array in it alone: "
            + $"numpy.save('images.npy', numpy.load('{source}')['arr_0']), and give --data images.npy.",
        _ when ImageFormats.IsPacked(source) =>
            $"'{source}' is packed. Unpack it first, and give the folder or file that comes out of it.",
        _ when ImageFormats.OfContent(source) is { } format =>
            $"'{source}' is a {format} image by its content, but does not end like one. "
                + $"Rename it so that it ends in .{format.ToLowerInvariant()}.",
        _ when !RegularFile.Is(source) => $"'{source}' is a pipe or a device, not a file. A source is {Forms}.",
        _ => $"'{source}' is a file of a kind that is not read. A source is {Forms}.",
    });

    private static DataSourceException Missing(string source)
    {
        string? parent = Path.GetFullPath(source);
        while (parent is not null && !Directory.Exists(parent)) parent = Path.GetDirectoryName(parent);
        if (source.IndexOfAny(['*', '?']) is >= 0 and var wild)
        {
            string folder = Path.GetDirectoryName(source[..wild]) is { Length: > 0 } named ? named : source[0] == '/' ? "/" : ".";
            return new($"'{source}' has a wildcard, and none is read. Give the folder, whose images are all taken, "
                + $"also those of its sub-folders: {folder}");
        }
        if (source.IndexOf('@') is > 0 and var at && File.Exists(source[..at]) && Directory.Exists(source[(at + 1)..]))
            return new(IsManifest(source[..at])
                ? $"'{source}': the paths in that list start at the list itself. Give {source[..at]} alone."
                : $"'{source}' is the wrong way round: the folder comes first. Write {source[(at + 1)..]}@{source[..at]}");
        if (source.LastIndexOf('@') is > 0 and var behind && File.Exists(source[..behind]))
            return new($"'{source}': a list of labels goes with a folder only. "
                + $"The labels of {Path.GetFileName(source[..behind])} lie beside it: "
                + (source[..behind].EndsWith(".npy", StringComparison.OrdinalIgnoreCase)
                    ? $"{Path.GetFileNameWithoutExtension(source[..behind])}.labels.npy"
                    : "*-labels-idx1-ubyte for *-images-idx3-ubyte") + ".");
        if (source.Split(':') is [{ } kind, _, { } share] && kind is "fashion-mnist" or "cifar10" && share is "train" or "test")
            return new($"'{source}' has one part too many: behind a source # takes a share, "
                + $"as in {source[..source.LastIndexOf(':')]}#{share}.");
        string hint = Hint(source);
        return new DataSourceException($"'{source}' does not exist; "
            + $"the nearest folder that does is '{parent}'.{(hint.Length > 0 ? hint : $" A source is {Forms}.")}");
    }

    private static bool IsManifest(string file)
    {
        try
        {
            return Manifest.Open(file, file, new DataOptions()).Count > 0;
        }
        catch (DataSourceException)
        {
            return false;
        }
    }

    private static string Hint(string source) => Nearest.To(source.Split(':')[0], ["fashion-mnist", "cifar10"]) is { } name
        ? $" Did you mean {name}{(source.IndexOf(':') is >= 0 and var at ? source[at..] : name == "cifar10" ? ":DIR" : "")}?"
        : Nearest.Path(source.LastIndexOf('#') is > 0 and var mark ? source[..mark] : source);
}

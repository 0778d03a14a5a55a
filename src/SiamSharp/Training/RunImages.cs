using System.Text;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Messages;
using static TorchSharp.torch;

namespace SiamSharp.Training;

/// <summary>Which images a run began with: hash, place in the source, label and path of each, in images.safetensors.</summary>
/// <remarks>
/// A run that is resumed goes on with these, so that order, batches and draws stay what they were: an image that has gone since
/// is left out of its batches, as one that becomes unreadable during the run, and one that has come since is not used.
/// </remarks>
internal static class RunImages
{
    private const string Format = "siamsharp-images-1";

    /// <summary>Notes the images of a set.</summary>
    internal static void Write(RunFolder folder, ImageDataset data)
    {
        using var scope = NewDisposeScope();
        int[] all = [.. Enumerable.Range(0, data.Count)];
        var tensors = new Dictionary<string, Tensor>
        {
            ["hash"] = tensor([.. all.SelectMany(i =>
                new[] { (long)(ulong)(data.HashOf(i) >> 64), (long)(ulong)data.HashOf(i) })], [data.Count, 2]),
            ["place"] = tensor([.. all.Select(i => (long)data.SourceIndexOf(i))]),
            ["path"] = tensor(Encoding.UTF8.GetBytes(string.Join('\0', all.Select(data.PathOf)))),
        };
        if (data.Labels is not null) tensors["label"] = tensor([.. data.Labels.Select(l => (long)l)]);
        FileWriting.Writing(folder.ImagesPath, () => SafeTensors.Write(folder.ImagesPath, tensors,
            new Dictionary<string, string> { ["format"] = Format, ["dataHash"] = data.DataHash, ["name"] = data.Name }));
    }

    /// <summary>What the user called the images; null where that is not known, as in runs of earlier versions.</summary>
    internal static string? NameIn(RunFolder folder)
    {
        try
        {
            return File.Exists(folder.ImagesPath)
                && SafeTensorsHeader.Read(folder.ImagesPath).Metadata.GetValueOrDefault("name") is { Length: > 0 } name
                ? name : null;
        }
        catch (Exception e) when (e is SafeTensorsException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The set that the run began with, made of what is there of it now.</summary>
    /// <param name="folder">The run's.</param>
    /// <param name="now">The images that are there.</param>
    /// <param name="saved">What the run's checkpoint says.</param>
    /// <param name="labelled">Whether the run learns from labels.</param>
    /// <param name="notes">Told what has gone and what is not used.</param>
    /// <exception cref="RunException">These are other images.</exception>
    internal static ImageDataset AtStart(
        RunFolder folder, ImageDataset now, SavedRun saved, bool labelled, IProgress<string>? notes)
    {
        if (now.DataHash == saved.DataHash) return now;
        if (Read(folder, saved.DataHash) is not { } images)
            throw Others($"there are {now.Count} now, and there were {saved.Images?.ToString() ?? "others"} when it began"
                + (saved.Images == now.Count ? ", but not the same" : ""));

        // Equal images in the order of the set, so that each is taken once.
        Dictionary<UInt128, Queue<int>> there = Enumerable.Range(0, now.Count).GroupBy(now.HashOf)
            .ToDictionary(g => g.Key, g => new Queue<int>(g));
        int?[] places = [.. images.Select(image =>
            there.TryGetValue(image.Hash, out var same) && same.TryDequeue(out int place) ? place : (int?)null)];
        int gone = places.Count(p => p is null), added = now.Count - (images.Length - gone);
        if (2 * gone > images.Length) throw Others($"of {images.Length} that it began with {images.Length - gone} are there");
        if (gone == 0 && added == 0) throw Others("the images are the same, but their labels or their order are not");
        if (labelled && now.Labels is not null
            && places.Index().Any(p => p.Item is int place && now.Labels[place] != images[p.Index].Label))
            throw Others("the labels of some images are others");
        string first = string.Join(", ", images.Where((_, i) => places[i] is null).Take(3).Select(image => image.Path));
        if (gone > 0)
            notes?.Report($"{gone} of the {images.Length} images that the run began with {(gone == 1 ? "is" : "are")} not there "
                + $"any more, or another now, and left out: {first}{(gone > 3 ? ", ..." : "")}. "
                + "Steps that are still to come go on without, as if the file had become unreadable during the run.");
        if (added > 0)
            notes?.Report($"{Plural.Of(added, "image")} came since the run began and {(added == 1 ? "is" : "are")} not used: "
                + "it goes on with those it began with.");
        return now.AsItWas(images, places, saved.DataHash);

        RunException Others(string how) =>
            new($"The images are not those of the run in {folder.Path}: {how}. Give the same "
                + $"--data{(Read(folder) is { Length: > 0 } known ? $", with images such as {known[0].Path}" : "")}, "
                + "or start anew in another folder.");
    }

    /// <summary>How many of the images differ from one another; null where it is not known.</summary>
    internal static int? Different(RunFolder folder) => Read(folder)?.DistinctBy(image => image.Hash).Count();

    /// <summary>Null where the file is missing, damaged or, with a hash given, of other images.</summary>
    private static FormerImage[]? Read(RunFolder folder, string? dataHash = null)
    {
        if (!File.Exists(folder.ImagesPath)) return null;
        try
        {
            using SafeTensorsFile file = SafeTensors.Read(folder.ImagesPath);
            if (file.Metadata.GetValueOrDefault("format") != Format
                || (dataHash is not null && file.Metadata.GetValueOrDefault("dataHash") != dataHash))
                return null;
            long[] places = Numbers("place"), labels = file.Tensors.ContainsKey("label") ? Numbers("label") : [];
            long[] hashes = Numbers("hash");
            string[] paths = Encoding.UTF8.GetString(file.Tensors["path"].data<byte>().ToArray()).Split('\0');
            return [.. places.Index().Select(p => new FormerImage(
                new UInt128((ulong)hashes[2 * p.Index], (ulong)hashes[2 * p.Index + 1]), (int)p.Item,
                labels.Length > 0 ? (int)labels[p.Index] : -1, paths[p.Index]))];

            long[] Numbers(string name) => file.Tensors[name].data<long>().ToArray();
        }
        catch (SafeTensorsException)
        {
            return null;
        }
    }
}

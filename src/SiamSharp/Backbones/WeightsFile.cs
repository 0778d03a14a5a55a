using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;
using static TorchSharp.torch;

namespace SiamSharp.Backbones;

/// <summary>Weights from elsewhere into a backbone: safetensors or PyTorch's own files, with the names of
/// torchvision or timm.</summary>
/// <remarks>
/// The network is looked for under every prefix that the names in the file share (<c>module.</c>, <c>state_dict.backbone.</c>,
/// ...), with torchvision's names and with timm's (ResNet's are the same; ConvNeXt, ViT), and taken from where most of its keys
/// are. Classifiers are passed over, and so is what lies outside of the prefix. A ViT's position embeddings are interpolated to
/// the size of its images. Source of timm's names: huggingface/pytorch-image-models, models/convnext.py and
/// models/vision_transformer.py.
/// </remarks>
public static partial class WeightsFile
{
    /// <summary>Reads the tensors of a file, in whichever format it is.</summary>
    /// <param name="path">A safetensors file, or what torch.save has written.</param>
    /// <returns>Tensors on the CPU by name; owned by the caller.</returns>
    /// <exception cref="SafeTensorsException">It seems to be a safetensors file, but breaks a rule.</exception>
    /// <exception cref="PyTorchFileException">It seems to be PyTorch's, but is damaged or holds more than
    /// tensors and containers.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static IReadOnlyDictionary<string, Tensor> Read(string path)
    {
        Span<byte> start = stackalloc byte[9];
        using (var stream = RegularFile.OpenRead(path)) stream.ReadAtLeast(start, 9, throwOnEndOfStream: false);
        bool isPyTorch = start.StartsWith("PK"u8) || start is [0x80, <= 5, ..];
        bool saysSo = !path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) && start is not [.., 0, (byte)'{'];
        return isPyTorch || saysSo ? PyTorchFile.Read(path) : SafeTensors.Read(path).Tensors;
    }

    /// <summary>Gives a backbone the weights of a file; it is not changed when they do not fit.</summary>
    /// <param name="backbone">The network to fill.</param>
    /// <param name="path">The file; <c>FILE#PREFIX</c> takes the network under that prefix.</param>
    /// <exception cref="StateDictMismatchException">The weights are those of another network;
    /// all differences are listed.</exception>
    /// <exception cref="ArgumentException">The file holds the network more than once, and no prefix is given;
    /// or numbers that are not finite.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="SafeTensorsException">As <see cref="Read"/>.</exception>
    /// <exception cref="PyTorchFileException">As <see cref="Read"/>.</exception>
    public static void Load(Backbone backbone, string path)
    {
        var (file, prefix) = Split(path);
        var tensors = Read(file);
        try
        {
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            var weights = Find(backbone, tensors, prefix, file);
            if (StateDict.FirstNotFinite(weights) is { } fault)
                throw new ArgumentException(
                    $"{file} cannot be used: {fault}. Take weights that were saved before their training went wrong.");
            if (backbone is VisionTransformer transformer) transformer.FitPositions(weights);
            try
            {
                StateDict.Load(backbone, weights);
            }
            catch (StateDictMismatchException e) when (Advice(file, backbone, weights, e) is { } advice)
            {
                throw new StateDictMismatchException(e.Missing, e.Unexpected, e.Misshaped, advice);
            }
        }
        finally
        {
            foreach (Tensor tensor in tensors.Values) tensor.Dispose();
        }
    }

    /// <summary>What makes the network fit: the options that an encoder of this library was made with, or the channels of the
    /// first layer; null where neither is known.</summary>
    private static string? Advice(
        string file, Backbone backbone, Dictionary<string, Tensor> weights, StateDictMismatchException mismatch)
    {
        string? first =
            s_firstConvolutions.FirstOrDefault(key => backbone.state_dict().ContainsKey(key) && weights.ContainsKey(key));
        if (mismatch is { Missing: [], Misshaped: [_] }
            && first is not null && backbone.state_dict()[first].shape is { Length: 4 } wanted
            && weights[first].shape is { Length: 4 } found && wanted[1] != found[1])
            return $"They were made for images of {Plural.Of(found[1], "channel")}, and these have {wanted[1]}: "
                + (found[1] is 1 or 3 ? $"--set data.channels={found[1]} makes the images {(found[1] == 1 ? "grey" : "RGB")}."
                    : "give images of that kind, or other weights.");
        var settings = new List<string>();
        if (file.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase)
            && SafeTensorsHeader.Read(file).Metadata is var metadata && metadata.TryGetValue("backbone", out string? made))
        {
            JsonObject usual = OptionsJson.Write(new BackboneOptions());
            settings.AddRange(from option in OptionsJson.Parse(made, file)
                              where option.Key == "name" || !JsonNode.DeepEquals(option.Value, usual[option.Key])
                              select $"backbone.{option.Key}="
                                  + (option.Value is JsonValue text && text.TryGetValue(out string? word) ? word
                                      : option.Value?.ToJsonString()));
            if (metadata.TryGetValue("channels", out string? channels)) settings.Add($"data.channels={channels}");
            return $"They were written by siam and fit {string.Join(' ', settings.Select(s => $"--set {Shell.Word(s)}"))}.";
        }
        if (mismatch is { Misshaped: [], Unexpected: [], Missing: { Count: > 0 } missing }
            && missing.All(key => s_statistics.Any(end => key.EndsWith(end, StringComparison.Ordinal))))
            return "The file lacks the means and variances of the batch normalisations: "
                + "save model.state_dict(), which has them, and not the parameters alone.";
        if (mismatch.Unexpected.Count > 0 && !weights.Keys.Any(key =>
            !key.EndsWith("num_batches_tracked", StringComparison.Ordinal) && backbone.state_dict().ContainsKey(key)))
            return "None of their names is one of torchvision's or timm's: "
                + "take the weights of this network from one of these, or rename them.";
        if (ResNet.NameOf(weights) is { } name && weights.TryGetValue("conv1.weight", out Tensor? stem))
            return $"They are those of {name} as published, which --backbone {name} of `siam embed` takes; "
                + $"in a recipe they need backbone.name={name}, backbone.width=0, "
                + $"backbone.depths=[] and backbone.stem={(stem.shape[^1] == 7 ? "imagenet" : "small or half")}.";
        return null;
    }

    private static readonly string[] s_statistics = ["running_mean", "running_var", "num_batches_tracked"];

    private static readonly string[] s_firstConvolutions = ["conv1.weight", "stem.0.weight",
        "features.0.0.weight", "conv_proj.weight"];

    /// <summary>FILE or FILE#PREFIX; a file whose name holds a # is taken as it is.</summary>
    internal static (string File, string? Prefix) Split(string path)
    {
        int mark = path.LastIndexOf('#');
        return mark < 0 || File.Exists(path) ? (path, null) : (path[..mark], path[(mark + 1)..]);
    }

    /// <summary>The weights of a backbone by its own keys, from where in the file most of them are.</summary>
    private static Dictionary<string, Tensor> Find(
        Backbone backbone, IReadOnlyDictionary<string, Tensor> tensors, string? prefix, string path)
    {
        var own = backbone.state_dict();
        if (prefix is { Length: > 0 }
            && !tensors.Keys.Any(name => name.StartsWith(prefix.TrimEnd('.') + ".", StringComparison.Ordinal)))
            throw new ArgumentException($"{path} has nothing under \"{prefix}\". {PlacesIn(tensors.Keys)}");
        string[] names = [.. tensors.Keys.Order(StringComparer.Ordinal)];
        string[] candidates = prefix is null ? [.. Prefixes(names)]
            : [prefix.Length == 0 || prefix.EndsWith('.') ? prefix : prefix + "."];
        Dictionary<string, Tensor> best = [];
        var places = new List<string>();
        int most = -1;
        foreach (string candidate in candidates.DefaultIfEmpty(""))
        {
            var weights = TorchvisionNames.Of(Under(candidate), backbone);
            int found = own.Keys.Count(weights.ContainsKey);
            if (found < most) continue;
            if (found > most)
            {
                places.Clear();
                (best, most) = (weights, found);
            }
            places.Add(candidate);
        }
        if (tensors.Count > 0
            && names.All(name => TorchvisionNames.Heads.Any(head => name.StartsWith(head, StringComparison.Ordinal))))
            throw new ArgumentException($"{path} holds a classifier alone "
                + $"({string.Join(", ", names.Take(3))}{(names.Length > 3 ? ", ..." : "")}), not the network ahead of it. "
                + "Give a file of the whole network, as torch.save(model.state_dict(), FILE) writes it.");
        // Where less than half of it is there, the file is another network's, and what differs is the better answer.
        if (places.Count > 1 && 2 * most > own.Count)
        {
            throw new ArgumentException($"{path} holds the network {places.Count} times, "
                + $"under {string.Join(" and ", places.Select(place => $"\"{place}\""))}: "
                + $"name one, such as {path}#{places[0].TrimEnd('.')}");
        }
        // Files from before PyTorch 0.4.1 lack these counters, which only a momentum of null would use.
        foreach (var (key, tensor) in own.Where(t => t.Key.EndsWith(".num_batches_tracked", StringComparison.Ordinal)))
            best.TryAdd(key, tensor);
        return best;

        // The names with a prefix lie side by side, so that all candidates together cost no more than the letters of all names.
        IEnumerable<KeyValuePair<string, Tensor>> Under(string candidate)
        {
            int start = Array.BinarySearch(names, candidate, StringComparer.Ordinal);
            for (int i = start < 0 ? ~start : start;
                i < names.Length && names[i].StartsWith(candidate, StringComparison.Ordinal); i++)
                yield return new(names[i][candidate.Length..], tensors[names[i]]);
        }
    }

    /// <summary>Where the networks of a file lie, or else what it holds.</summary>
    private static string PlacesIn(IEnumerable<string> keys)
    {
        string[] names = [.. keys.Order(StringComparer.Ordinal)];
        string[] all = [.. Prefixes(names)];
        string[] places = [.. all.Where(place => !all.Any(outer => outer.Length < place.Length
            && place.StartsWith(outer, StringComparison.Ordinal))).Select(place => place.TrimEnd('.'))];
        if (places.Contains("")) return "A network lies at its top: give the file without a prefix.";
        return places.Length > 0
            ? $"Networks lie under {string.Join(", ", places.Take(8).Select(place => $"\"{place}\""))}."
            : "Its names begin with "
                + string.Join(", ",
                    names.Select(name => name.Split('.')[0]).Distinct().Take(8).Select(name => $"\"{name}\"")) + ".";
    }

    /// <summary>All beginnings of names behind which a network may lie.</summary>
    private static IEnumerable<string> Prefixes(string[] names) =>
        names.SelectMany(name => s_firstLayers.Where(first =>
            name == first || name.EndsWith("." + first, StringComparison.Ordinal)).Select(first => name[..^first.Length]))
            .Concat(names.Select(name => NumberedBlock().Match(name)).Where(block => block.Success)
                .Select(block => block.Groups[1].Value))
            .Distinct();

    // One of these is in every backbone, by torchvision's name or timm's.
    private static readonly string[] s_firstLayers = ["conv1.weight", "stem.0.weight",
        "features.0.0.weight", "class_token", "cls_token"];

    [GeneratedRegex(@"^((?:.*\.)?)\d{1,2}\.0\.conv1\.weight$")] private static partial Regex NumberedBlock();
}

using static TorchSharp.torch;

namespace SiamSharp.Files;

/// <summary>Named tensors into the parameters and buffers of a network.</summary>
public static class StateDict
{
    /// <summary>Copies every tensor into the parameter or buffer of its name; nothing is changed when any does not fit.</summary>
    /// <param name="module">The network to fill.</param>
    /// <param name="tensors">One tensor for each key of the network's state dict, of equal shape;
    /// converted to the target's dtype.</param>
    /// <exception cref="StateDictMismatchException">Keys are missing or unexpected, or shapes differ;
    /// all of them are listed.</exception>
    public static void Load(nn.Module module, IReadOnlyDictionary<string, Tensor> tensors) => Load(module.state_dict(), tensors);

    /// <summary>Copies every tensor into the target of its name; nothing is changed when any does not fit.</summary>
    /// <param name="targets">Tensors to fill.</param>
    /// <param name="tensors">One tensor for each key of the targets, of equal shape; converted to the target's dtype.</param>
    /// <exception cref="StateDictMismatchException">Keys are missing or unexpected, or shapes differ;
    /// all of them are listed.</exception>
    public static void Load(IReadOnlyDictionary<string, Tensor> targets, IReadOnlyDictionary<string, Tensor> tensors)
    {
        string[] missing = [.. targets.Keys.Where(key => !tensors.ContainsKey(key))];
        string[] unexpected = [.. tensors.Keys.Where(key => !targets.ContainsKey(key))];
        string[] misshaped =
        [
            .. targets.Where(t =>
                tensors.TryGetValue(t.Key, out var source) && !t.Value.shape.AsSpan().SequenceEqual(source.shape))
                .Select(t => $"{t.Key} [{string.Join(", ", tensors[t.Key].shape)}], not [{string.Join(", ", t.Value.shape)}]"),
        ];
        if (missing.Length + unexpected.Length + misshaped.Length > 0)
            throw new StateDictMismatchException(missing, unexpected, misshaped);

        using var _ = no_grad();
        foreach (var (key, target) in targets) target.copy_(tensors[key]);
    }

    /// <summary>What is wrong with the first tensor, by name, that holds a number that is not finite;
    /// null where all are.</summary>
    internal static string? FirstNotFinite(IReadOnlyDictionary<string, Tensor> tensors)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        foreach (var (name, tensor) in tensors.Where(t => t.Value.is_floating_point())
            .OrderBy(t => t.Key, StringComparer.Ordinal))
        {
            long bad = tensor.isfinite().logical_not().sum().item<long>();
            if (bad > 0) return $"{bad} of the {tensor.numel()} numbers of \"{name}\" are NaN or infinite";
        }
        return null;
    }
}

/// <summary>Weights that belong to another network.</summary>
/// <param name="missing">Keys of the network for which there is no tensor.</param>
/// <param name="unexpected">Keys for which the network has no place.</param>
/// <param name="misshaped">Keys with the shape found and the shape needed.</param>
/// <param name="advice">What to do, in whole sentences; null where that is not known.</param>
public sealed class StateDictMismatchException(
    IReadOnlyList<string> missing, IReadOnlyList<string> unexpected, IReadOnlyList<string> misshaped, string? advice = null)
    : Exception($"The weights do not fit the network. {advice ?? "Choose the options that the weights were made with."}"
        + Line("Missing", missing) + Line("Unexpected", unexpected) + Line("Of another shape", misshaped))
{
    /// <summary>Keys of the network for which there is no tensor.</summary>
    public IReadOnlyList<string> Missing { get; } = missing;

    /// <summary>Keys for which the network has no place.</summary>
    public IReadOnlyList<string> Unexpected { get; } = unexpected;

    /// <summary>Keys with the shape found and the shape needed.</summary>
    public IReadOnlyList<string> Misshaped { get; } = misshaped;

    private const int Named = 5; // the properties have all

    private static string Line(string title, IReadOnlyList<string> keys) =>
        keys.Count == 0 ? ""
            : $"{Environment.NewLine}{title} ({keys.Count}): "
                + $"{string.Join(", ", keys.Take(Named))}{(keys.Count > Named ? ", ..." : "")}";
}

using System.IO.Hashing;
using System.Text.Json;
using SiamSharp.Backbones;
using SiamSharp.Files;
using SiamSharp.Options;
using SiamSharp.Recipes;

namespace SiamSharp.Training;

/// <summary>
/// The weights that a run began from, as <c>start.json</c> in its folder keeps them: they can then be found again from elsewhere,
/// and no other file is taken for them.
/// </summary>
/// <param name="Weights">As the recipe names them.</param>
/// <param name="File">The whole path of the file.</param>
/// <param name="Prefix">The prefix behind the file's name, or null.</param>
/// <param name="Hash">XxHash128 of the file, 32 hexadecimal digits.</param>
internal sealed record FirstWeights(string Weights, string File, string? Prefix, string Hash)
{
    /// <summary>Keeps what a run begins from; nothing where its weights are drawn.</summary>
    /// <exception cref="RunException">The folder cannot be written to.</exception>
    internal static void Keep(RunFolder folder, Recipe recipe)
    {
        if (recipe.Backbone.Weights.Length == 0) return;
        var (file, prefix) = WeightsFile.Split(recipe.Backbone.Weights);
        if (!System.IO.File.Exists(file)) return; // told when the network is built
        SealedFile.Write(folder.StartPath,
            new FirstWeights(recipe.Backbone.Weights, Path.GetFullPath(file), prefix, HashOf(file)));
    }

    /// <summary>Where the weights are now, as an option of the backbone.</summary>
    /// <param name="folder">Of the run.</param>
    /// <param name="recipe">Of the run; its weights may be named by another path than when it began.</param>
    /// <exception cref="RunException">They are not there, or another file is in their place.</exception>
    internal static string Find(RunFolder folder, Recipe recipe)
    {
        FirstWeights? kept = Read(folder);
        var (named, prefix) = WeightsFile.Split(recipe.Backbone.Weights);
        string[] places = [.. new[] { named, kept?.File }.OfType<string>().Select(Path.GetFullPath).Distinct()],
            there = [.. places.Where(System.IO.File.Exists)];
        const string mend =
            "Name its place with --set backbone.weights=FILE, or leave that row out with --set evaluation.baselines=false.";
        if (there.Length == 0)
            throw new RunException($"The run started from the weights in {recipe.Backbone.Weights}, which the row of its start "
                + $"needs, but there is no {string.Join(" and no ", places)}. {mend}");
        string? found = kept is null ? there[0] : there.FirstOrDefault(file => HashOf(file) == kept.Hash);
        if (found is null)
            throw new RunException($"The run started from other weights than those in {there[0]}: their hash was {kept!.Hash}, "
                + $"and is {HashOf(there[0])}. {mend}");
        return (prefix ?? kept?.Prefix) is { } under ? $"{found}#{under}" : found;
    }

    /// <summary>What was kept; null where the weights were drawn.</summary>
    /// <exception cref="RunException">start.json cannot be read.</exception>
    internal static FirstWeights? Read(RunFolder folder)
    {
        if (!System.IO.File.Exists(folder.StartPath)) return null; // a run of an earlier version
        try
        {
            return SealedFile.Read<FirstWeights>(folder.StartPath) is { File: not null, Hash: not null } start
                ? start
                : throw new JsonException();
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new RunException(
                $"{folder.StartPath} cannot be read ({(e is JsonException ? "it is damaged" : e.Message.TrimEnd('.'))}). "
                    + "Delete it: the weights that the run started from are then taken as they are.");
        }
    }

    private static string HashOf(string file)
    {
        var hash = new XxHash128();
        using FileStream stream = RegularFile.OpenRead(file);
        hash.Append(stream);
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }
}

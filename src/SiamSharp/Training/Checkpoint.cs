using SiamSharp.Data;
using SiamSharp.Interop;
using SiamSharp.Methods;
using SiamSharp.Native;
using SiamSharp.Optim;
using SiamSharp.Recipes;
using TorchSharp;
using static TorchSharp.torch;

namespace SiamSharp.Training;

/// <summary>Everything a run needs to go on bit by bit, in one safetensors file.</summary>
/// <remarks>
/// <c>method.*</c> are parameters and buffers of backbone, heads and target network; <c>optimizer.*</c> its state; the metadata
/// holds recipe, step, length of metrics.jsonl and the hash of the data. Views, masks and order need no state: they are
/// functions of (seed, epoch, sample, view).
/// </remarks>
internal sealed class Checkpoint(
    RunFolder folder, Recipe recipe, ImageDataset data, SiameseMethod method, Optimizer optimizer)
{
    private const string Format = "siamsharp-checkpoint-1";

    internal bool Exists => File.Exists(folder.Checkpoint);

    /// <summary>Bytes of metrics.jsonl that belong to the state loaded; 0 before.</summary>
    internal long MetricsLength { get; private set; }

    /// <summary>Whether every number to be saved is finite; one pass over the state.</summary>
    internal bool IsFinite()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        Tensor[] numbers = [.. State().Values.Where(t => t.is_floating_point())];
        return double.IsFinite(TorchOperators.GlobalNorm(numbers).ToDouble());
    }

    internal void Save(long step, MetricsLog metrics)
    {
        metrics.Flush();
        RunFolder.Writing(folder.Checkpoint, () => SafeTensors.Write(folder.Checkpoint, State(), new Dictionary<string, string>
        {
            ["format"] = Format,
            ["recipe"] = OptionsJson.Write(recipe).ToJsonString(),
            ["step"] = $"{step}",
            ["metricsLength"] = $"{metrics.Length}",
            ["dataHash"] = data.DataHash,
            ["images"] = $"{data.Count}",
        }));
    }

    /// <summary>Loads the last state saved.</summary>
    /// <returns>Steps done.</returns>
    /// <exception cref="RunException">The file is no checkpoint of this run, or the data changed.</exception>
    internal long Load()
    {
        using SafeTensorsFile file = SafeTensors.Read(folder.Checkpoint);
        if (file.Metadata.GetValueOrDefault("format") != Format)
            throw new RunException($"{folder.Checkpoint} is no checkpoint that this version can read. Start anew in another folder.");
        if (file.Metadata["dataHash"] != data.DataHash)
            throw new RunException($"The images are not those of the run in {folder.Path}: there are {data.Count} now, and there were "
                + $"{file.Metadata.GetValueOrDefault("images", "others")} when it began{(file.Metadata.GetValueOrDefault("images") == $"{data.Count}" ? ", but not the same" : "")}. "
                + "Give the same --data, without files that came or went since, or start anew in another folder.");

        StateDict.Load(State(), file.Tensors);
        MetricsLength = long.Parse(file.Metadata["metricsLength"]);
        return long.Parse(file.Metadata["step"]);
    }

    private Dictionary<string, Tensor> State()
    {
        var state = method.state_dict().ToDictionary(p => "method." + p.Key, p => p.Value);
        foreach (var (name, value) in optimizer.State) state["optimizer." + name] = value;
        return state;
    }
}

using System.Globalization;
using SiamSharp.Files;
using SiamSharp.Methods;
using SiamSharp.Native;
using SiamSharp.Optim;
using SiamSharp.Options;
using SiamSharp.Recipes;
using TorchSharp;
using static TorchSharp.torch;

namespace SiamSharp.Training;

/// <summary>Everything a run needs to go on bit by bit, in one safetensors file; the one before it stays.</summary>
/// <remarks>
/// <c>method.*</c> are parameters and buffers of backbone, heads and target network; <c>optimizer.*</c> its state; the
/// metadata holds what <see cref="SavedRun"/> reads. Views, masks and order need no state: they are functions of
/// (seed, epoch, sample, view).
/// </remarks>
internal sealed class Checkpoint(RunFolder folder, SiameseMethod method, Optimizer optimizer)
{
    internal const string Format = "siamsharp-checkpoint-1";

    private (Tensor Live, Tensor Kept)[] _kept = [];

    internal bool Exists => File.Exists(folder.CheckpointPath);

    /// <summary>Steps that the last checkpoint holds; 0 without one.</summary>
    internal long Saved { get; private set; }

    /// <summary>Whether every number to be saved is finite; one pass over the state.</summary>
    internal bool IsFinite()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        Tensor[] numbers = [.. State().Values.Where(t => t.is_floating_point())];
        return double.IsFinite(TorchOperators.GlobalNorm(numbers).ToDouble());
    }

    /// <summary>Writes the state as the last checkpoint; what was the last becomes the one before.</summary>
    /// <exception cref="RunException">The disk is full or the folder cannot be written to;
    /// both checkpoints are as they were.</exception>
    internal void Save(long step, MetricsLog metrics, Recipe recipe, RunStart start)
    {
        metrics.Flush();
        var metadata = new Dictionary<string, string>
        {
            ["format"] = Format,
            ["recipe"] = OptionsJson.Write(recipe).ToJsonString(),
            ["step"] = $"{step}",
            ["metricsLength"] = $"{metrics.Length}",
            ["metricsHash"] = metrics.Hash,
            ["dataHash"] = start.DataHash,
            ["images"] = $"{start.Images}",
            ["preprocessing"] = OptionsJson.Write(start.Preprocessing).ToJsonString(),
        };
        if (start.LengthAtStart is double length) metadata["lengthAtStart"] = length.ToString("R", CultureInfo.InvariantCulture);
        FileWriting.Writing(folder.CheckpointPath, () =>
        {
            SafeTensors.Write(folder.NextCheckpointPath, State(), metadata);
            if (File.Exists(folder.CheckpointPath))
                File.Move(folder.CheckpointPath, folder.PreviousCheckpointPath, overwrite: true);
            File.Move(folder.NextCheckpointPath, folder.CheckpointPath);
        });
        Saved = step;
    }

    /// <summary>Takes over the state of a checkpoint; the one before the last becomes the last.</summary>
    /// <exception cref="RunException">It is of another network.</exception>
    internal void Load(SavedRun saved)
    {
        using (SafeTensorsFile file = SafeTensors.Read(saved.Path))
        {
            try
            {
                StateDict.Load(State(), file.Tensors);
            }
            catch (StateDictMismatchException other)
            {
                string[] differing = [.. other.Missing.Concat(other.Unexpected).Concat(other.Misshaped)];
                throw new RunException($"{saved.Path} does not fit {method.GetName()} as this version of SiamSharp builds it: "
                    + $"{differing.Length} of its tensors differ, such as "
                    + $"{differing[0]}. Finish the run with the version that began it, or start anew in another folder.");
            }
        }
        // A damaged last one must not take the place of the good one before it at the next save.
        if (saved.Instead is not null)
            FileWriting.Writing(folder.CheckpointPath, () => File.Move(saved.Path, folder.CheckpointPath, overwrite: true));
        Saved = saved.Step;
    }

    /// <summary>Keeps a copy of what a step changes before its optimiser does, the statistics of normalisations, so that a step
    /// can be given up in its middle; it belongs to the step's dispose scope.</summary>
    /// <remarks>
    /// Cost: the method's state once more in memory, and a copy of it. The optimiser's is changed at the end of a step only.
    /// </remarks>
    internal void Keep() => _kept = [.. method.state_dict().Values.Select(live => (live, live.detach().clone()))];

    /// <summary>Goes back to what was kept.</summary>
    internal void GoBack()
    {
        using var noGradient = no_grad();
        foreach (var (live, kept) in _kept) live.copy_(kept);
    }

    /// <summary>Everything that is saved, by name; not copies.</summary>
    internal Dictionary<string, Tensor> State()
    {
        var state = method.state_dict().ToDictionary(p => "method." + p.Key, p => p.Value);
        foreach (var (name, value) in optimizer.State) state["optimizer." + name] = value;
        return state;
    }
}

/// <summary>What is known of a run from its beginning and cannot be found out again later.</summary>
/// <param name="DataHash">Of the images that it began with.</param>
/// <param name="Images">How many these are.</param>
/// <param name="Preprocessing">Measured on them.</param>
/// <param name="LengthAtStart">The length of the encoder's first weights; null where a version that did not
/// keep it began the run.</param>
internal sealed record RunStart(string DataHash, int Images, Views.Preprocessing Preprocessing, double? LengthAtStart);

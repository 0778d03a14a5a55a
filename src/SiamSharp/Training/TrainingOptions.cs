using System.ComponentModel.DataAnnotations;
using TorchSharp;

namespace SiamSharp.Training;

/// <summary>How long to train, in what batches, from what seed.</summary>
public sealed record TrainingOptions
{
    /// <summary>Passes over the images.</summary>
    [Range(1, 100_000)] public int Epochs { get; init; } = 100;

    /// <summary>Images per step; each gives several views.</summary>
    [Range(2, 65_536)] public int BatchSize { get; init; } = 256;

    /// <summary>Decides initial weights, order, views and masks.</summary>
    [Range(0, int.MaxValue)] public int Seed { get; init; } = 1;

    /// <summary>Threads for the network; 0 = one per processor. Results repeat bit by bit for the same number of threads.</summary>
    [Range(0, 1024)] public int Threads { get; init; }

    /// <summary>Steps between two checkpoints; one is also written after each epoch. 0 = after each epoch only.</summary>
    [Range(0, int.MaxValue)] public int CheckpointSteps { get; init; } = 200;

    /// <summary>Steps between two lines of metrics.jsonl.</summary>
    [Range(1, int.MaxValue)] public int LogSteps { get; init; } = 5;

    /// <summary>Tells libtorch how many threads to use, for training and for judging alike: their number decides the last digits.</summary>
    internal void UseThreads() => torch.set_num_threads(Threads > 0 ? Threads : Environment.ProcessorCount);
}

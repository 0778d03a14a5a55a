using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using SiamSharp.Files;
using SiamSharp.Native;
using TorchSharp;

namespace SiamSharp.Recipes;

/// <summary>How long to train, in what batches, from what seed.</summary>
public sealed record TrainingOptions
{
    /// <summary>How many times the network sees all images.</summary>
    [Range(1, 100_000)] public int Epochs { get; init; } = 100;

    /// <summary>Images in each step. Each of them gives several views.</summary>
    [Range(2, 65_536)] public int BatchSize { get; init; } = 256;

    /// <summary>Decides everything random: initial weights, order of the images, views and masks.</summary>
    [Range(0, int.MaxValue)] public int Seed { get; init; } = 1;

    /// <summary>
    /// Where the network runs, in training and when it is judged: cpu, or cuda for an NVIDIA GPU. Views are always made, and
    /// classifiers fitted, on the processor.
    /// </summary>
    public TrainingDevice Device { get; init; }

    /// <summary>
    /// Threads for the network; 0 = one per processor. On the processor, results repeat bit by bit with the same number of
    /// threads.
    /// </summary>
    [Range(0, 1024)] public int Threads { get; init; }

    /// <summary>Steps between two checkpoints. One is also written after each epoch; 0 = only then.</summary>
    [Range(0, int.MaxValue)] public int CheckpointSteps { get; init; } = 200;

    /// <summary>Steps between two lines of metrics.jsonl, which holds the course of the loss.</summary>
    [Range(1, int.MaxValue)] public int LogSteps { get; init; } = 5;

    /// <summary>The device that <see cref="Device"/> names.</summary>
    /// <exception cref="RunException">It is not there.</exception>
    public torch.Device FindDevice()
    {
        if (Device == TrainingDevice.Cpu) return torch.CPU;
        return torch.cuda.is_available()
            ? torch.CUDA
            : throw new RunException("training.device is cuda, but libtorch finds no CUDA device: "
                + "it takes an NVIDIA GPU with its driver and the package "
                + "libtorch-cuda-12.8-linux-x64 (or -win-x64) in place of libtorch-cpu-... (`siam` itself: "
                + "build with -p:TorchBackend=cuda12.8). Or --set training.device=cpu.");
    }

    /// <summary>Tells libtorch how many threads to use, for training and for judging alike:
    /// their number decides the last digits.</summary>
    internal void UseThreads() => Processors.Use(Threads > 0 ? Threads : Environment.ProcessorCount);
}

/// <summary>Where a network runs.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TrainingDevice>))]
public enum TrainingDevice
{
    /// <summary>The processor: the same seed gives the same bits.</summary>
    [JsonStringEnumMemberName("cpu")] Cpu,

    /// <summary>
    /// The first NVIDIA GPU that the process sees (the variable CUDA_VISIBLE_DEVICES chooses). As in PyTorch, convolutions round
    /// their inputs to TF32 and sums are taken in any order: runs of one seed differ in their last digits.
    /// </summary>
    [JsonStringEnumMemberName("cuda")] Cuda,
}

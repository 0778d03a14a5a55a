using System.Globalization;

namespace SiamSharp.Training;

/// <summary>How far a run has come.</summary>
/// <param name="Step">Steps done, 0 to <paramref name="Steps"/>.</param>
/// <param name="Steps">Steps of the whole run.</param>
/// <param name="Epoch">Epochs finished.</param>
/// <param name="Loss">Loss of the last step; NaN before the first.</param>
/// <param name="ImagesPerSecond">Images (not views) per second since the last report, exponentially smoothed.</param>
/// <param name="Left">Time left at this pace.</param>
public sealed record TrainingProgress(long Step, long Steps, int Epoch, double Loss, double ImagesPerSecond, TimeSpan Left)
{
    /// <summary>Steps that the last checkpoint holds: those after it are lost where the process ends at once.</summary>
    public long Saved { get; init; }

    /// <summary>While the images are measured ahead of the first step: the share of them that is done,
    /// 0 to 1; else null.</summary>
    public double? Measured { get; init; }
}

/// <summary>How a run ended.</summary>
/// <param name="Finished">False when it was interrupted; everything is saved and <c>--resume</c> goes on.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Steps">Steps of the whole run.</param>
/// <param name="Loss">Loss of the last step; null when no step was taken, because the run was complete already.</param>
/// <param name="Timing">Where the time went.</param>
/// <param name="EncoderPath">Where the encoder is once the run is finished.</param>
public sealed record PretrainingResult(bool Finished, long Step, long Steps, double? Loss, StepTiming Timing, string EncoderPath)
{
    /// <summary>What was done, in one or two sentences: steps, loss, the verdict on the run's health,
    /// where the encoder is.</summary>
    public override string ToString() => (Finished
        ? string.Create(CultureInfo.InvariantCulture,
            $"Trained for {Steps:N0} steps{(Loss is double loss ? $", to a loss of {loss:F3}" : "")}. ")
        : string.Create(CultureInfo.InvariantCulture,
            $"Stopped after step {Step:N0} of {Steps:N0}; everything is saved, and resume: true goes on. "))
        + (Health is null ? "" : Health + " ") + (Finished ? $"The encoder is {EncoderPath}." : "");

    /// <summary>Whether the run has learned or collapsed, in plain words; null where that is not known.</summary>
    public string? Health { get; init; }
}

/// <summary>Where the time of the steps went, in seconds over all steps of this process.</summary>
/// <param name="Steps">Steps measured; the first, which also warms up, is left out.</param>
/// <param name="Waiting">Waiting for the loader.</param>
/// <param name="Views">Views and masks.</param>
/// <param name="Network">Backbone, projector and loss, forward and backward.</param>
/// <param name="Optimizer">Clipping, optimiser, target network.</param>
/// <param name="Logging">Metrics and progress.</param>
/// <param name="Checkpoint">Writing checkpoints.</param>
public sealed record StepTiming(
    long Steps, double Waiting, double Views, double Network, double Optimizer, double Logging, double Checkpoint)
{
    /// <summary>All of it.</summary>
    public double Total => Waiting + Views + Network + Optimizer + Logging + Checkpoint;
}

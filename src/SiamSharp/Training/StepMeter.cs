namespace SiamSharp.Training;

internal enum StepPhase { Waiting, Views, Loss, Gradient, Optimizer, Logging, Checkpoint }

/// <summary>Adds up where the time of the steps goes and reports progress.</summary>
/// <remarks>The first step of the process is left out: it compiles, allocates and warms caches.</remarks>
internal sealed class StepMeter(
    TimeProvider time, IProgress<TrainingProgress>? progress, long steps, int stepsPerEpoch, int batchSize, long firstStep)
{
    private const double Smoothing = 0.1; // share of the newest step in the speed shown
    private const double LongSeconds = 1;

    private readonly double[] _seconds = new double[Enum.GetValues<StepPhase>().Length];
    private long _mark = time.GetTimestamp(), _lastReport = time.GetTimestamp(), _measured = -1;
    private double _secondsPerStep = double.NaN, _lastSeconds = double.NaN;

    /// <summary>Whether steps take so long that nobody wants to wait for the end of one; so the first may, too.</summary>
    internal bool IsLong => !(_lastSeconds < LongSeconds);

    /// <summary>Ends a phase: the time since the last mark was its.</summary>
    internal void Mark(StepPhase phase)
    {
        long now = time.GetTimestamp();
        if (_measured >= 0) _seconds[(int)phase] += time.GetElapsedTime(_mark, now).TotalSeconds;
        _mark = now;
    }

    /// <summary>Ends a step.</summary>
    internal void Report(long step, double loss, long saved)
    {
        _measured++;
        long now = time.GetTimestamp();
        double seconds = time.GetElapsedTime(_lastReport, now).TotalSeconds;
        (_lastReport, _lastSeconds) = (now, seconds);
        if (step - firstStep > 1)
            _secondsPerStep = double.IsNaN(_secondsPerStep) ? seconds : (1 - Smoothing) * _secondsPerStep + Smoothing * seconds;
        double pace = double.IsNaN(_secondsPerStep) ? seconds : _secondsPerStep;
        progress?.Report(new TrainingProgress(
            step, steps, (int)(step / stepsPerEpoch), loss, batchSize / pace, TimeSpan.FromSeconds(pace * (steps - step)))
        { Saved = saved });
    }

    internal StepTiming Timing => new(Math.Max(0, _measured), this[StepPhase.Waiting], this[StepPhase.Views],
        this[StepPhase.Loss] + this[StepPhase.Gradient],
        this[StepPhase.Optimizer], this[StepPhase.Logging], this[StepPhase.Checkpoint]);

    private double this[StepPhase phase] => _seconds[(int)phase];
}

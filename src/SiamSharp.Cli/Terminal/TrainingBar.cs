using System.Diagnostics;
using SiamSharp.Training;
using Spectre.Console;

namespace SiamSharp.Cli.Terminal;

/// <summary>Progress of pretraining: a bar on a terminal, a line now and then elsewhere.</summary>
internal static class TrainingBar
{
    private const int LinesWithoutTerminal = 20;
    private const string Measuring = "mean and deviation of the images";
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(2); // what is done sooner needs no lines

    /// <param name="screen">Where it is shown.</param>
    /// <param name="work">What trains.</param>
    /// <param name="afterwards">A sentence on how to go on after an interruption.</param>
    internal static T Show<T>(
        Screen screen, Func<IProgress<TrainingProgress>, T> work, string afterwards = "Go on with --resume.")
    {
        var before = screen.Interruption;
        var latest = new Latest();
        screen.Interruption = () => latest.Interruption(afterwards);
        try
        {
            return ShowBar(screen, progress => work(latest.Before(progress)));
        }
        finally
        {
            screen.Interruption = before;
        }
    }

    private static T ShowBar<T>(Screen screen, Func<IProgress<TrainingProgress>, T> work)
    {
        if (!screen.Messages.Profile.Capabilities.Interactive) return work(new Lines(screen));
        return screen.Messages.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn { Width = 24 }, new PercentageColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask("pretraining");
                return work(new Bar(task));
            });
    }

    private static string Describe(TrainingProgress p) =>
        $"loss {p.Loss:F3}  {p.ImagesPerSecond:F0} images/s  {Span(p.Left)} left";

    private static string Span(TimeSpan t) =>
        t.TotalHours >= 1 ? $"{(int)t.TotalHours} h {t.Minutes:00} min" : $"{(int)t.TotalMinutes}:{t.Seconds:00}";

    /// <summary>Remembers how far the run has come, for who interrupts it.</summary>
    private sealed class Latest : IProgress<TrainingProgress>
    {
        private IProgress<TrainingProgress>? _next;
        private TrainingProgress? _last;

        public Latest Before(IProgress<TrainingProgress> next)
        {
            _next = next;
            return this;
        }

        public void Report(TrainingProgress value)
        {
            _last = value;
            _next?.Report(value);
        }

        public (string First, string Second) Interruption(string afterwards)
        {
            if (_last is null or { Measured: not null })
                return ("Stopping before the first step; Ctrl+C again = stop now. Nothing is lost.",
                    "Stopped before the first step: nothing is lost.");
            long lost = (_last?.Step ?? 0) - (_last?.Saved ?? 0) + 1; // with the step that is being made
            return ("Saving after this step; "
                + $"Ctrl+C again = stop now, {(lost == 1 ? "this step is lost" : $"up to {lost} steps are lost")}.",
                "Stopped without saving: "
                    + (lost == 1 ? "the step that was being made is lost"
                        : $"up to {lost} steps since the last checkpoint are lost") + ". "
                    + $"{afterwards}");
        }
    }

    private sealed class Bar(ProgressTask task) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Measured is double share)
            {
                (task.MaxValue, task.Value, task.Description) = (1, share, Measuring);
                return;
            }
            task.MaxValue = value.Steps;
            task.Value = value.Step;
            task.Description = $"epoch {value.Epoch}  {Describe(value)}";
        }
    }

    private sealed class Lines(Screen screen) : IProgress<TrainingProgress>
    {
        private long _measuredSaid;
        private readonly long _start = Stopwatch.GetTimestamp();

        public void Report(TrainingProgress value)
        {
            if (value.Measured is double share)
            {
                long tenth = (long)(10 * share);
                if (tenth == _measuredSaid || Stopwatch.GetElapsedTime(_start) < s_silence) return;
                _measuredSaid = tenth;
                screen.Say($"{Measuring}: {10 * tenth} %");
                return;
            }
            if (value.Step * LinesWithoutTerminal / value.Steps > (value.Step - 1) * LinesWithoutTerminal / value.Steps)
                screen.Say($"step {value.Step}/{value.Steps}  epoch {value.Epoch}  {Describe(value)}");
        }
    }
}

using SiamSharp.Training;
using Spectre.Console;

namespace SiamSharp.Cli.Terminal;

/// <summary>Progress of pretraining: a bar on a terminal, a line now and then elsewhere.</summary>
internal static class TrainingBar
{
    private const int LinesWithoutTerminal = 20;

    internal static T Show<T>(Screen screen, Func<IProgress<TrainingProgress>, T> work)
    {
        if (!screen.Messages.Profile.Capabilities.Interactive) return work(new Lines(screen));
        return screen.Messages.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 24 }, new PercentageColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask("pretraining");
                return work(new Bar(task));
            });
    }

    private static string Describe(TrainingProgress p) =>
        $"loss {p.Loss:F3}  {p.ImagesPerSecond:F0} images/s  {Span(p.Left)} left";

    private static string Span(TimeSpan t) => t.TotalHours >= 1 ? $"{(int)t.TotalHours} h {t.Minutes:00} min" : $"{(int)t.TotalMinutes}:{t.Seconds:00}";

    private sealed class Bar(ProgressTask task) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            task.MaxValue = value.Steps;
            task.Value = value.Step;
            task.Description = $"epoch {value.Epoch}  {Describe(value)}";
        }
    }

    private sealed class Lines(Screen screen) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Step * LinesWithoutTerminal / value.Steps > (value.Step - 1) * LinesWithoutTerminal / value.Steps)
                screen.Say($"step {value.Step}/{value.Steps}  epoch {value.Epoch}  {Describe(value)}");
        }
    }
}

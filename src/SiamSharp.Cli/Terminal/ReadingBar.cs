using SiamSharp.Data;
using Spectre.Console;

namespace SiamSharp.Cli.Terminal;

/// <summary>Progress of reading images: a bar on a terminal, nothing elsewhere.</summary>
internal static class ReadingBar
{
    internal static T Show<T>(Screen screen, Func<IProgress<LoadProgress>?, T> work)
    {
        if (!screen.Messages.Profile.Capabilities.Interactive) return work(null);
        return screen.Messages.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn { Width = 24 }, new PercentageColumn())
            .Start(context => work(new Bar(context.AddTask("reading images"))));
    }

    private sealed class Bar(ProgressTask task) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value)
        {
            task.MaxValue = value.Total;
            task.Value = Math.Max(task.Value, value.Done); // reports come from several threads
            task.Description = $"reading images  {value.Done:N0} of {value.Total:N0}";
        }
    }
}

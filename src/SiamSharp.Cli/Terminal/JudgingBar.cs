using SiamSharp.Evaluation;
using Spectre.Console;

namespace SiamSharp.Cli.Terminal;

/// <summary>Progress of judging: a bar on a terminal, a line for each piece of work elsewhere.</summary>
internal static class JudgingBar
{
    internal static T Show<T>(Screen screen, Func<IProgress<EvaluationProgress>, T> work)
    {
        if (!screen.Messages.Profile.Capabilities.Interactive) return work(new Lines(screen));
        return screen.Messages.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn { Width = 24 }, new PercentageColumn())
            .Start(context => work(new Bar(context.AddTask("judging"))));
    }

    private sealed class Bar(ProgressTask task) : IProgress<EvaluationProgress>
    {
        public void Report(EvaluationProgress value)
        {
            task.Value = value.Share * task.MaxValue;
            task.Description = Markup.Escape(value.What);
        }
    }

    internal sealed class Lines(Screen screen) : IProgress<EvaluationProgress>
    {
        private string _last = "";

        public void Report(EvaluationProgress value)
        {
            if (value.What == _last) return;
            screen.Say($"judging {_last = value.What}");
        }
    }
}

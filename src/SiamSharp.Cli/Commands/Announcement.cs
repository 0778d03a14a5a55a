using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Training;

namespace SiamSharp.Cli.Commands;

/// <summary>Says before the first step what will be run, how long it takes about, and what takes less.</summary>
internal static class Announcement
{
    private static readonly TimeSpan s_long = TimeSpan.FromMinutes(20), s_short = TimeSpan.FromMinutes(10);

    /// <summary>Says it.</summary>
    /// <param name="screen">Where.</param>
    /// <param name="recipe">What will be run.</param>
    /// <param name="data">The images.</param>
    /// <param name="smaller">Makes the recipe of a small network, to be measured where the run is long;
    /// null where there is nothing smaller to recommend.</param>
    /// <param name="cancellationToken">Stops measuring.</param>
    internal static void Show(
        Screen screen, Recipe recipe, ImageDataset data, Func<Recipe>? smaller, CancellationToken cancellationToken)
    {
        long steps = (long)recipe.Training.Epochs * (data.Count / recipe.Training.BatchSize);
        screen.Say($"{OptionsJson.KindOf(recipe.Method)} with {recipe.Backbone.Describe(data.Channels, data.Size)}, on "
            + $"{Plural.Of(data.Count, "image")} of {data.Size} x {data.Size} pixels and {Plural.Of(data.Channels, "channel")}, "
            + $"views '{recipe.Views.Preset}': {Plural.Of(recipe.Training.Epochs, "epoch")} of batch "
            + $"{recipe.Training.BatchSize}, {Plural.Of(steps, "step")}.");
        StepTime pace = StepTime.Measure(recipe, data, cancellationToken: cancellationToken);
        TimeSpan whole = pace.Of(recipe, data.Count);
        string shorter = "";
        if (whole > s_long)
        {
            int epochs = (int)Math.Max(1, recipe.Training.Epochs * (s_short / whole));
            if (epochs < recipe.Training.Epochs)
                shorter = $" Shorter: --set training.epochs={epochs}, "
                    + $"{About(pace.Of(recipe with { Training = recipe.Training with { Epochs = epochs } }, data.Count))}";
            if (smaller?.Invoke() is { } small)
                shorter += $"{(shorter.Length > 0 ? ";" : " Shorter:")} --recipe simclr, a small network, "
                    + $"{About(StepTime.Measure(small, data, cancellationToken: cancellationToken).Of(small, data.Count))}";
            if (shorter.Length > 0) shorter += ".";
        }
        screen.Say($"It takes {About(whole)} on this machine (by a step of {Plural.Of(pace.Batch, "image")}).{shorter}");
    }

    /// <summary>About 35 minutes, about 3 hours.</summary>
    internal static string About(TimeSpan time) => time switch
    {
        { TotalSeconds: < 45 } => "less than a minute",
        { TotalMinutes: < 90 } => $"about {Plural.Of(Math.Max(1, (long)Math.Round(time.TotalMinutes)), "minute")}",
        { TotalHours: < 48 } => $"about {Plural.Of((long)Math.Round(time.TotalHours), "hour")}",
        _ => $"about {Plural.Of((long)Math.Round(time.TotalDays), "day")}",
    };
}

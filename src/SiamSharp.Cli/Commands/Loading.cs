using System.Text.Json.Nodes;
using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Messages;
using SiamSharp.Recipes;
using SiamSharp.Training;

namespace SiamSharp.Cli.Commands;

/// <summary>Decodes a source with a word about what could not be read.</summary>
internal static class Loading
{
    private const int NamedOnScreen = 3;

    /// <summary>Resolves the recipe for a source, over that of a run to go on with,
    /// and opens it with that recipe's options.</summary>
    internal static (Recipe Recipe, IImageSource Source) Open(
        string name, string? recipeName, IReadOnlyList<string> assignments, JsonObject? stored = null)
    {
        IImageSource? source = null;
        Recipe recipe = RecipeFiles.Resolve(recipeName, assignments,
            options => source = ImageSources.Open(name, options), stored);
        return (recipe, source!);
    }

    /// <summary>Loads a dataset; says what its source noticed and what could not be read, which goes to the run's
    /// skipped.jsonl too.</summary>
    internal static ImageDataset Load(
        Screen screen, IImageSource source, DataOptions options, RunFolder? folder, CancellationToken cancellationToken)
    {
        ImageDataset data;
        try
        {
            data = ReadingBar.Show(screen, progress => ImageDataset.Load(source, options, progress, cancellationToken));
        }
        catch (DataSourceException)
        {
            foreach (string note in source.Notes) screen.Warn(note);
            throw;
        }
        if (folder is not null) SkippedFile.Write(folder.SkippedPath, data.Skipped);
        if (data.Skipped.Count > 0)
        {
            screen.Warn($"{data.Skipped.Count:N0} of {Plural.Of(source.Count, "file")} in {source.Name} cannot be read and "
                + $"{(data.Skipped.Count == 1 ? "is" : "are")} left "
                + "out" + (folder is null ? ""
                    : $"; {(data.Skipped.Count == 1 ? "it is" : "all of them are")} listed in {folder.SkippedPath}") + ". "
                + $"Nothing needs to be done if you do not miss {(data.Skipped.Count == 1 ? "it" : "them")}:");
            foreach (SkippedFile file in data.Skipped.Take(NamedOnScreen)) screen.Say($"  {file.Path}: {file.Reason}");
            if (data.Skipped.Count > NamedOnScreen) screen.Say($"  and {data.Skipped.Count - NamedOnScreen} more");
        }
        foreach (string note in data.Notes) screen.Warn(note);
        folder?.WriteNotes(data.Notes);
        return data;
    }

    /// <summary>Says what has become unreadable while the run went on.</summary>
    internal static void ShowLost(Screen screen, ImageDataset data, int skippedAtStart, RunFolder folder)
    {
        if (data.Skipped.Count == skippedAtStart) return;
        SkippedFile.Write(folder.SkippedPath, data.Skipped);
        screen.Warn($"{Plural.Of(data.Skipped.Count - skippedAtStart, "file")} could not be read as the run began with "
            + $"{(data.Skipped.Count - skippedAtStart == 1 ? "it" : "them")}, and the steps went on without; "
            + $"listed last in {folder.SkippedPath}, with the reason.");
    }
}

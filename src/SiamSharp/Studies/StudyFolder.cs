using System.Text.Json;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Training;

namespace SiamSharp.Studies;

/// <summary>The folder of a study: a folder for each run, <c>study.json</c>, <c>table.md</c>,
/// <c>table.json</c>, <c>plot.png</c>.</summary>
internal static class StudyFolder
{
    /// <summary>Refuses images on which a row cannot be trained, and weights that are not there, before any run begins.</summary>
    /// <param name="runs">Those that have not begun.</param>
    /// <param name="images">The images to pretrain on.</param>
    /// <exception cref="RunException">There are too few for a step, its weights are not there, or the method learns from labels
    /// that they lack; all such rows are named.</exception>
    internal static void CheckImages(IReadOnlyList<StudyRun> runs, IImageSource images)
    {
        string[] problems = [.. from run in runs.DistinctBy(run => run.Row)
                                let problem = Problem(run.Recipe)
                                where problem is not null
                                select $"Row \"{run.Row}\": {problem}"];
        if (problems.Length > 0) throw new RunException(string.Join(" ", problems));

        string? Problem(Recipe recipe)
        {
            try
            {
                Pretraining.CheckSource(recipe, images);
                return Pretraining.TooFew(recipe, images.Name, images.Count,
                    batch => $"\"set\": [\"training.batchSize={batch}\"] in that row");
            }
            catch (Exception e) when (e is RunException or OptionsException)
            {
                return e.Message;
            }
        }
    }

    /// <summary>Makes the folder; refuses one whose runs are of other images or recipes.</summary>
    /// <param name="study">The study.</param>
    /// <param name="folder">Its folder, new or of the same study.</param>
    /// <param name="runs">Its runs.</param>
    /// <exception cref="RunException">The folder holds another study, or cannot be written to.</exception>
    public static void Prepare(Study study, string folder, IReadOnlyList<StudyRun> runs)
    {
        OptionsJson.Check(study);
        string file = Path.Combine(folder, "study.json");
        new RunFolder(folder).Create();
        if (File.Exists(file))
        {
            Study stored = OptionsJson.Read<Study>(OptionsJson.Parse(RegularFile.ReadAllText(file), file), file);
            (string Name, string Was, string Is)[] sources = [("pretrain", stored.Pretrain, study.Pretrain),
                ("train", stored.Train, study.Train), ("test", stored.Test, study.Test)];
            string[] changed = [.. sources.Where(s => s.Was != s.Is).Select(s => $"{s.Name} was \"{s.Was}\" and is \"{s.Is}\"")];
            if (changed.Length > 0)
                throw new RunException($"{folder} holds a study on other images ({string.Join("; ", changed)}): "
                    + "their scores do not belong in one table. Choose another --out.");
        }
        foreach (StudyRun run in runs) Pretraining.CheckSame(run.Recipe, run.Folder(folder));
        FileWriting.WriteText(file, OptionsJson.Write(study).ToJsonString(OptionsJson.Serializer) + "\n");
    }

    /// <summary>Writes table and plot of the runs that are done.</summary>
    /// <param name="study">The study.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="runs">Its runs, done or not.</param>
    public static StudyTable WriteTable(Study study, string folder, IReadOnlyList<StudyRun> runs)
    {
        var table = StudyTable.Of(study, [.. runs.Select(r => (r, Scores: r.ScoresIn(folder, study.Protocols)))
            .Where(r => r.Scores is not null).Select(r => (r.r, r.Scores!))]);
        FileWriting.WriteText(Path.Combine(folder, "table.md"), table.ToMarkdown());
        FileWriting.WriteText(Path.Combine(folder, "table.json"), JsonSerializer.Serialize(table, OptionsJson.Serializer) + "\n");
        if (table.Columns.Count > 0) StudyPlot.Write(table, Path.Combine(folder, "plot.png"));
        return table;
    }
}

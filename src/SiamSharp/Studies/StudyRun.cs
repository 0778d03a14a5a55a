using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Reporting;
using SiamSharp.Training;

namespace SiamSharp.Studies;

/// <summary>One run of a study.</summary>
/// <param name="Row">Name of its row.</param>
/// <param name="Seed">Its seed.</param>
/// <param name="Recipe">Its complete recipe.</param>
internal sealed record StudyRun(string Row, int Seed, Recipe Recipe)
{
    /// <summary>Name of its folder within the study's.</summary>
    public string Name => $"{StudyRow.Slug(Row)}-{Seed}";

    /// <summary>Its folder.</summary>
    /// <param name="study">The study's folder.</param>
    public RunFolder Folder(string study) => new(Path.Combine(study, Name));

    /// <summary>The scores of a run that is done; null while something is missing.</summary>
    /// <param name="study">The study's folder.</param>
    /// <param name="protocols">What it is to be judged by.</param>
    public IReadOnlyList<Score>? ScoresIn(string study, IReadOnlyList<Protocol> protocols)
    {
        if (!File.Exists(ScoresFile(study))) return null;
        if (Score.Read(ScoresFile(study)) is not { } scores) return null; // damaged: the run is judged again
        bool done = RunEvaluation.Encoders(Recipe).All(encoder => protocols.Where(p => Evaluator.Applies(p, encoder))
            .SelectMany(p => Evaluator.Wanted(p, Recipe.Evaluation))
            .All(wanted => scores.Any(s => s.Encoder == encoder && wanted(s))));
        return done ? scores : null;
    }

    /// <summary>The scores of the study alone; evaluation.json has those on other images too,
    /// where someone has judged the run again.</summary>
    private string ScoresFile(string study) => Path.Combine(Folder(study).Path, ScoresName);

    internal const string ScoresName = "study-scores.json";

    /// <summary>Pretrains and judges; goes on where it was stopped.</summary>
    /// <param name="study">The study.</param>
    /// <param name="folder">The study's folder.</param>
    /// <param name="progress">Told after each step.</param>
    /// <param name="notes">Told what is worth knowing of a run that goes on; see <see cref="Pretraining"/>.</param>
    /// <param name="judging">Told how far judging is.</param>
    /// <param name="cancellationToken">Saves and ends.</param>
    /// <returns>False when it was interrupted.</returns>
    public bool Execute(Study study, string folder, IProgress<TrainingProgress>? progress = null, IProgress<string>? notes = null,
        IProgress<EvaluationProgress>? judging = null, CancellationToken cancellationToken = default)
    {
        OptionsJson.Check(study);
        OptionsJson.Check(Recipe);
        RunFolder run = Folder(folder);
        Pretraining.CheckSame(Recipe, run);
        ImageDataset images = Load(study.Pretrain);
        if (!Pretraining.Run(Recipe, images, run, resume: true, progress, notes: notes,
            cancellationToken: cancellationToken).Finished)
            return false;
        SkippedFile.Write(run.SkippedPath, images.Skipped);
        ImageDataset train = study.Train.Length == 0 ? images : Load(study.Train), test = Load(study.Test);
        IReadOnlyList<Score> scores = RunEvaluation.Evaluate(run, Recipe, study.Protocols, train, test, judging,
            cancellationToken: cancellationToken);
        run.AddScores(scores);
        RunReport.Write(run, images);
        RunFolder.WriteScores(ScoresFile(folder), scores);
        return true;

        ImageDataset Load(string source) =>
            ImageDataset.Load(ImageSources.Open(source, Recipe.Data), Recipe.Data, cancellationToken: cancellationToken);
    }
}

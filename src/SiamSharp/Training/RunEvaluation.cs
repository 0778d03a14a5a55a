using System.Text.Json;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Recipes;
using static TorchSharp.torch;

namespace SiamSharp.Training;

/// <summary>Judges the encoder of a run, and next to it two baselines measured the same way.</summary>
public static class RunEvaluation
{
    /// <summary>
    /// Scores standardised pixels and the encoder that the run started from, unless <see cref="EvaluationOptions.Baselines"/> is
    /// off, and the pretrained encoder.
    /// </summary>
    /// <remarks><see cref="RunFolder.AddScores"/> keeps the scores with the run.</remarks>
    /// <param name="folder">A finished run.</param>
    /// <param name="recipe">The run's recipe, evaluation options possibly overridden.</param>
    /// <param name="protocols">In the order wanted.</param>
    /// <param name="train">Labelled images for the classifiers.</param>
    /// <param name="test">Labelled images to judge.</param>
    /// <param name="progress">Told what is being done, and how far it is.</param>
    /// <param name="confusions">Given what was taken for what, by each representation and protocol that classifies
    /// with all its labels.</param>
    /// <param name="cancellationToken">Stops between two batches or iterations.</param>
    /// <exception cref="DataSourceException">The images do not fit the encoder, the protocols or each other;
    /// all there is to mend is listed.</exception>
    /// <exception cref="RunException">The run has not finished, or the weights that it started from are not at hand.</exception>
    public static IReadOnlyList<Score> Evaluate(
        RunFolder folder, Recipe recipe, IReadOnlyList<Protocol> protocols, ImageDataset train, ImageDataset test,
        IProgress<EvaluationProgress>? progress = null, ICollection<Confusion>? confusions = null,
        CancellationToken cancellationToken = default)
    {
        OptionsJson.Check(recipe);
        EvaluationSet known = EvaluationSet.Of(train), judged = EvaluationSet.Of(test);
        int overlap = Overlap(train, test);
        Device device = recipe.Training.FindDevice();
        using Encoder pretrained = folder.LoadEncoder();
        ThrowAny([.. EvaluationSet.Faults(known, judged, protocols, recipe.Evaluation, pretrained.Channels),
            .. overlap == test.Count && train.Name != test.Name
                ? [EvaluationSet.EveryTestImage(test.Name, train.Name)] : Array.Empty<string>()]);
        // says what is missing before anything is computed
        if (protocols.Contains(Protocol.FewShot)) FewShotDraws.For(train, recipe.Evaluation);
        string[] encoders = Encoders(recipe);
        Recipe start = encoders.Contains("start")
            ? recipe with { Backbone = recipe.Backbone with { Weights = FirstWeights.Find(folder, recipe) } } : recipe;
        recipe.Training.UseThreads();
        var evaluator = new Evaluator(recipe.Evaluation, recipe.Training.Seed);
        int batch = recipe.Evaluation.BatchSize;
        string hash = $"{train.DataHash}/{test.DataHash}";
        string[] notes = [.. EvaluationSet.Notes(known, judged), .. DataNotes(train), .. DataNotes(test)];
        string[] ofTuning = [.. notes, .. known.RaisedShares(recipe.Evaluation.FineTune.Fractions)];
        string[] classes = [.. known.Classes.Select(c => c.Name)];
        int unseen = judged.Classes.Where(c => !classes.Contains(c.Name)).Sum(c => c.Images);

        var scores = new List<Score>();
        foreach (string name in encoders)
        {
            Protocol[] apply = [.. protocols.Where(p => Evaluator.Applies(p, name))];
            using Encoder? encoder = name == "pixels" ? null : Fresh(name);
            Func<Tensor, Tensor> represent = encoder is null ? Features.Pixels(train) : encoder.Encode;
            using Features? x = apply.All(Evaluator.Trains) ? null : Of(train, "training images"),
                y = x is null ? null : Of(test, "test images");
            foreach (Protocol protocol in apply)
            {
                progress?.Report(new($"{Score.NameOf(name)}: {JsonSerializer.Serialize(protocol).Trim('"')}", 0));
                IReadOnlyList<Score> found = protocol switch
                {
                    Protocol.Corruption => evaluator.Corrupt(name, represent, x!, test, hash, progress, cancellationToken),
                    _ when Evaluator.Trains(protocol) => evaluator.Train(protocol, name, () => Fresh(name), train, test, hash,
                        confusions, progress, cancellationToken),
                    _ => evaluator.Evaluate(protocol, name, x!, y!, hash, confusions, cancellationToken),
                };
                string[] told = protocol == Protocol.FineTune ? ofTuning : notes;
                scores.AddRange(found.Select(s => s with
                {
                    EncoderHash = name == "pretrained" ? pretrained.ContentHash() : null,
                    Start = name == "start" ? recipe.Backbone.Weights : null,
                    TestInTrain = overlap,
                    TestUnseen = unseen,
                    Train = train.Name,
                    Test = test.Name,
                    Notes = told.Length > 0 ? told : null,
                }));
            }

            Features Of(ImageDataset data, string what)
            {
                EvaluationPart part = new EvaluationPart(progress, $"{Score.NameOf(name)}: {what}");
                return encoder is null ? Features.OfPixels(data, train, batch, part, cancellationToken)
                    : Features.Of(encoder, data, batch, part, cancellationToken);
            }
        }
        return scores;

        Encoder Fresh(string name) => (name == "pretrained" ? folder.LoadEncoder()
            : pretrained.Untrained(start.Backbone, (ulong)start.Training.Seed)).To(device);
    }

    /// <summary>Refuses what cannot be judged, before an image is decoded.</summary>
    /// <param name="folder">Of the run.</param>
    /// <param name="recipe">The run's recipe, evaluation options possibly overridden.</param>
    /// <param name="protocols">How it is to be judged.</param>
    /// <param name="train">Labelled images for the classifiers.</param>
    /// <param name="test">Labelled images to judge.</param>
    /// <exception cref="DataSourceException">Something is wrong; all there is to mend is listed.</exception>
    /// <exception cref="RunException">That the run has not finished, its device or its first weights are not there,
    /// is all that is wrong.</exception>
    public static void Check(
        RunFolder folder, Recipe recipe, IReadOnlyList<Protocol> protocols, IImageSource train, IImageSource test)
    {
        var faults = new List<RunException>();
        int channels = 0;
        Try(() => recipe.Training.FindDevice());
        Try(() =>
        {
            using Encoder encoder = folder.LoadEncoder();
            channels = encoder.Channels;
        });
        if (Encoders(recipe).Contains("start")) Try(() => FirstWeights.Find(folder, recipe));
        string[] others = [.. EvaluationSet.Faults(EvaluationSet.Of(train, recipe.Data), EvaluationSet.Of(test, recipe.Data),
            protocols, recipe.Evaluation, channels)];
        if (faults.Count == 1 && others.Length == 0) throw faults[0];
        ThrowAny([.. faults.Select(f => f.Message), .. others]);

        void Try(Action check)
        {
            try
            {
                check();
            }
            catch (RunException e)
            {
                faults.Add(e);
            }
        }
    }

    /// <summary>Refuses images that cannot be judged with, before a run that would be judged with them begins.</summary>
    /// <param name="options">How it is to be judged.</param>
    /// <param name="protocols">By what.</param>
    /// <param name="data">How images are decoded.</param>
    /// <param name="train">Labelled images for the classifiers.</param>
    /// <param name="test">Labelled images to judge.</param>
    /// <exception cref="DataSourceException">Something is wrong; all there is to mend is listed.</exception>
    public static void CheckImages(
        EvaluationOptions options, IReadOnlyList<Protocol> protocols, DataOptions data, IImageSource train, IImageSource test) =>
        ThrowAny([.. EvaluationSet.Faults(EvaluationSet.Of(train, data), EvaluationSet.Of(test, data), protocols, options, 0)]);

    /// <summary>What a person should know about scores on these images: one sentence each, often none.
    /// <see cref="Score.Notes"/> holds those on the images too.</summary>
    /// <param name="train">Labelled images for the classifiers.</param>
    /// <param name="test">Labelled images to judge.</param>
    /// <param name="protocols">How they are judged.</param>
    /// <param name="recipe">The run's recipe, evaluation options possibly overridden.</param>
    public static IReadOnlyList<string> Notes(
        ImageDataset train, ImageDataset test, IReadOnlyList<Protocol> protocols, Recipe recipe)
    {
        EvaluationSet known = EvaluationSet.Of(train);
        string? advice = protocols.Contains(Protocol.Knn) ? EvaluationSet.VoteOfAll(recipe.Evaluation.K, known.Labelled) : null;
        return [.. NotesOf(Overlap(train, test), known, EvaluationSet.Of(test)), .. advice is null ? [] : new[] { advice },
            .. protocols.Contains(Protocol.FineTune) ? known.RaisedShares(recipe.Evaluation.FineTune.Fractions) : []];
    }

    private static IEnumerable<string> NotesOf(int overlap, EvaluationSet train, EvaluationSet test) =>
    [
        .. overlap == 0 ? [] : new[] { EvaluationSet.Overlapping(overlap, test.Count) },
        .. EvaluationSet.Notes(train, test),
    ];

    /// <summary>What is judged by these options, in order.</summary>
    internal static string[] Encoders(Recipe recipe) =>
        recipe.Evaluation.Baselines
            ? ["pixels", recipe.Backbone.Weights.Length > 0 ? "start" : "untrained", "pretrained"] : ["pretrained"];

    /// <summary>What was left out of the images, and what is blank among them.</summary>
    private static IEnumerable<string> DataNotes(ImageDataset data)
    {
        int lost = data.Skipped.Count;
        if (lost > 0)
            yield return $"{lost:N0} of {Plural.Of(lost + data.Count, "file")} in {data.Name} cannot be read and "
                + $"{(lost == 1 ? "is" : "are")} left out.";
        if (data.BlankCount > 0)
            yield return $"{data.BlankCount:N0} of {Plural.Of(data.Count, "image")} in {data.Name} "
                + $"{(data.BlankCount == 1 ? "is" : "are")} blank, of one colour only.";
    }

    private static int Overlap(ImageDataset train, ImageDataset test)
    {
        var known = Enumerable.Range(0, train.Count).Select(train.HashOf).ToHashSet();
        return Enumerable.Range(0, test.Count).Count(i => known.Contains(test.HashOf(i)));
    }

    private static void ThrowAny(string[] faults)
    {
        if (faults.Length == 0) return;
        throw faults.Length == 1 ? new DataSourceException(faults[0])
            : new DataSourceException($"{faults.Length} things are to be mended before anything can be judged:", faults);
    }
}

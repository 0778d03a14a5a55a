using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Recipes;

namespace SiamSharp.Training;

/// <summary>Judges the encoder of a run, and next to it two baselines measured the same way.</summary>
public static class RunEvaluation
{
    /// <summary>Scores standardised pixels and the untrained encoder, unless <see cref="EvaluationOptions.Baselines"/> is off, and the pretrained encoder.</summary>
    /// <remarks><see cref="RunFolder.AddScores"/> keeps the scores with the run.</remarks>
    /// <param name="folder">A finished run.</param>
    /// <param name="recipe">The run's recipe, evaluation options possibly overridden.</param>
    /// <param name="protocols">In the order wanted.</param>
    /// <param name="train">Labelled images for the classifiers.</param>
    /// <param name="test">Labelled images to judge.</param>
    /// <param name="progress">Told what is being done.</param>
    /// <param name="cancel">Stops between two batches or iterations.</param>
    /// <exception cref="DataSourceException">Labels are missing, classes do not fit together, or both sets are the same images.</exception>
    public static IReadOnlyList<Score> Judge(
        RunFolder folder, Recipe recipe, IReadOnlyList<Protocol> protocols, ImageDataset train, ImageDataset test,
        IProgress<string>? progress = null, CancellationToken cancel = default)
    {
        var known = Enumerable.Range(0, train.Count).Select(train.HashOf).ToHashSet();
        int overlap = Enumerable.Range(0, test.Count).Count(i => known.Contains(test.HashOf(i)));
        if (overlap == test.Count)
            throw new DataSourceException($"Every test image ({test.Name}) is among the training images ({train.Name}): each would be its own nearest "
                + "neighbour. Give --test images that are not in --train.");
        using Encoder pretrained = Encoder.Load(folder.Encoder);
        using Encoder untrained = pretrained.Untrained(recipe);
        var evaluator = new Evaluator(recipe.Evaluation, recipe.Training.Seed);
        int batch = recipe.Evaluation.BatchSize;
        string hash = $"{train.DataHash}/{test.DataHash}";

        var scores = new List<Score>();
        foreach (var (name, features) in new (string, Func<ImageDataset, Features>)[]
        {
            ("pixels", data => Features.OfPixels(data, train, batch, cancel)),
            ("untrained", data => Features.Of(untrained, data, batch, null, cancel)),
            ("pretrained", data => Features.Of(pretrained, data, batch, null, cancel)),
        }.Skip(recipe.Evaluation.Baselines ? 0 : 2))
        {
            progress?.Report($"judging {name}");
            using Features x = features(train), y = features(test);
            foreach (Protocol protocol in protocols.Where(p => Evaluator.Applies(p, name))) scores.AddRange(evaluator.Judge(protocol, name, x, y, hash, cancel).Select(s => s with { TestInTrain = overlap }));
        }
        return scores;
    }
}

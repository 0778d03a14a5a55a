using System.Text.Json;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Recipes;
using static TorchSharp.torch;

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
    /// <param name="confusions">Given what was taken for what, by each representation and protocol that classifies with all its labels.</param>
    /// <param name="cancel">Stops between two batches or iterations.</param>
    /// <exception cref="DataSourceException">Labels are missing, classes do not fit together, or both sets are the same images.</exception>
    public static IReadOnlyList<Score> Judge(
        RunFolder folder, Recipe recipe, IReadOnlyList<Protocol> protocols, ImageDataset train, ImageDataset test,
        IProgress<string>? progress = null, ICollection<Confusion>? confusions = null, CancellationToken cancel = default)
    {
        OptionsJson.Check(recipe);
        var known = Enumerable.Range(0, train.Count).Select(train.HashOf).ToHashSet();
        int overlap = Enumerable.Range(0, test.Count).Count(i => known.Contains(test.HashOf(i)));
        if (overlap == test.Count)
            throw new DataSourceException($"Every test image ({test.Name}) is among the training images ({train.Name}): each would be its own nearest "
                + "neighbour. Give --test images that are not in --train.");
        CheckLabels(train, test);
        if (protocols.Contains(Protocol.FewShot)) FewShotDraws.For(train, recipe.Evaluation); // says what is missing before anything is computed
        recipe.Training.UseThreads();
        Device device = recipe.Training.FindDevice();
        using Encoder pretrained = Encoder.Load(folder.Encoder).On(device);
        using Encoder untrained = pretrained.Untrained(recipe).On(device);
        var evaluator = new Evaluator(recipe.Evaluation, recipe.Training.Seed);
        int batch = recipe.Evaluation.BatchSize;
        string hash = $"{train.DataHash}/{test.DataHash}";

        var scores = new List<Score>();
        foreach (var (name, encoder, represent) in new (string, Encoder?, Func<Tensor, Tensor>)[]
        {
            ("pixels", null, Features.Pixels(train)),
            ("untrained", untrained, untrained.Encode),
            ("pretrained", pretrained, pretrained.Encode),
        }.Skip(recipe.Evaluation.Baselines ? 0 : 2))
        {
            Protocol[] apply = [.. protocols.Where(p => Evaluator.Applies(p, name))];
            using Features? x = apply.All(Evaluator.Trains) ? null : Of(train), y = x is null ? null : Of(test);
            Features Of(ImageDataset data) => encoder is null ? Features.OfPixels(data, train, batch, cancel) : Features.Of(encoder, data, batch, null, cancel);
            foreach (Protocol protocol in apply)
            {
                progress?.Report($"judging {name}: {JsonSerializer.Serialize(protocol).Trim('"')}");
                IReadOnlyList<Score> found = protocol switch
                {
                    Protocol.Corruption => evaluator.Corrupt(name, represent, x!, test, hash, cancel),
                    _ when Evaluator.Trains(protocol) => evaluator.Train(protocol, name, () => Fresh(name), train, test, hash, confusions, cancel),
                    _ => evaluator.Judge(protocol, name, x!, y!, hash, confusions, cancel),
                };
                scores.AddRange(found.Select(s => s with { TestInTrain = overlap, Train = train.Name, Test = test.Name }));
            }
        }
        return scores;

        Encoder Fresh(string name)
        {
            Encoder loaded = Encoder.Load(folder.Encoder);
            if (name == "pretrained") return loaded.On(device);
            using (loaded) return loaded.Untrained(recipe).On(device);
        }
    }

    /// <summary>Refuses test images of classes that no training image has: none of them could be recognised.</summary>
    private static void CheckLabels(ImageDataset train, ImageDataset test)
    {
        LabelledImages known = LabelledImages.Of(train), judged = LabelledImages.Of(test);
        string[] seen = [.. known.Labels.Distinct().Select(k => known.ClassNames[(int)k])], unseen = [.. judged.Labels.Distinct().Select(k => judged.ClassNames[(int)k]).Except(seen)];
        if (unseen.Length > 0)
            throw new DataSourceException($"{unseen.Length} classes of the test images have no training image: {string.Join(", ", unseen.Take(5))}. Give --train images of each class; "
                + "#train and #test behind a source divide every class, #FIRST..END goes by the order of the files.");
    }
}

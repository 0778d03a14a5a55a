using SiamSharp.Data;
using static TorchSharp.torch;

namespace SiamSharp.Evaluation;

internal sealed partial class Evaluator
{
    /// <summary>Top-1 accuracy of a linear probe on corrupted test images; the probe is fitted on training
    /// images as they are.</summary>
    /// <param name="encoder">What makes the representations: see <see cref="Score.Encoder"/>.</param>
    /// <param name="represent">float32 (N, C, H, W) to (N, D).</param>
    /// <param name="train">Representations of the training images.</param>
    /// <param name="test">Images to judge, 0 to 1.</param>
    /// <param name="dataHash">Names the data of both sets.</param>
    /// <param name="progress">Told of each pass over the test images.</param>
    /// <param name="cancellationToken">Stops between two batches.</param>
    /// <returns>A score for the images as they are (<c>none</c>), for each corruption (the mean over its
    /// severities), and their mean.</returns>
    /// <exception cref="DataSourceException">The pixels are not from 0 to 1.</exception>
    public IReadOnlyList<Score> Corrupt(
        string encoder, Func<Tensor, Tensor> represent, Features train, ImageDataset test, string dataHash,
        IProgress<EvaluationProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        if (test.Range.Min < 0 || test.Range.Max > 1)
            throw new DataSourceException("Corruptions are defined for pixels from 0 to 1, "
                + $"but those of {test.Name} go from {test.Range.Min:G4} to {test.Range.Max:G4}. Change the images: "
                + $"{DataNotes.ToUnit(test.StoredRange.Min, test.StoredRange.Max)}.");
        LabelledImages judged = LabelledImages.Of(test);
        using Tensor truth = tensor(LabelledImages.Renumber(judged.Labels, judged.ClassNames, train.ClassNames).Labels);
        using LinearProbe probe = LinearProbe.Fit(train.Values, train.Labels, train.ClassNames.Count,
            options, seed, cancellationToken);
        var score = new Score
        {
            Protocol = "corruption",
            Encoder = encoder,
            Seed = seed,
            TrainCount = train.Count,
            TestCount = judged.Indexes.Length,
            DataHash = dataHash,
            Penalty = probe.Penalty,
        };
        Score[] each = [.. Corruptions.Names.Select(name =>
        {
            double[] values = [.. Enumerable.Range(1, Corruptions.Severities)
                .Select(severity => Accuracy($"{name} {severity}", (images, indexes) =>
                    Corruptions.Apply(images, name, severity,
                        [.. indexes.Select(i => (long)test.SourceIndexOf(i))], (ulong)options.DrawSeed)))];
            return score with { Corruption = name, Value = values.Average(), BySeverity = values };
        })];
        return [score with { Corruption = "none", Value = Accuracy("no corruption", (images, _) => images.alias()) }, .. each,
            score with { Corruption = "mean", Value = each.Average(s => s.Value) }];

        double Accuracy(string what, Func<Tensor, int[], Tensor> change)
        {
            using Features features = Features.Collect(test, options.BatchSize,
                (images, indexes) => represent(change(images, indexes)),
                new EvaluationPart(progress, $"{Score.NameOf(encoder)}: {what}"), cancellationToken);
            using Tensor scores = probe.Scores(features.Values);
            return ClassScores.Top1(scores, truth);
        }
    }
}

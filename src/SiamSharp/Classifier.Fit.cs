using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Options;
using SiamSharp.Randomness;
using static TorchSharp.torch;

namespace SiamSharp;

// How a classifier is fitted to labelled images, and what it is worth.
public sealed partial class Classifier
{
    private const int MaxFolds = 5, Iterations = 200;

    private static readonly double[] s_penalties = [1, 0.1, 0.01, 1e-3, 1e-4];

    /// <summary>Fits a classifier.</summary>
    /// <param name="encoder">Belongs to the classifier from here on.</param>
    /// <param name="labelled">Images of two classes or more; those without a label are left out, and so are names of
    /// classes without an image.</param>
    /// <param name="data">How these images were decoded; kept with the classifier.</param>
    /// <param name="minAccuracy">Accuracy that accepted answers are to reach, 0 (accept all) to 1.</param>
    /// <param name="cancellationToken">Stops between two batches or iterations.</param>
    /// <returns>The classifier, owned by the caller, and what it is worth.</returns>
    /// <exception cref="DataSourceException">There are no labels, only one class, or images of other channels.</exception>
    public static (Classifier Classifier, ClassifierReport Report) Fit(
        Encoder encoder, ImageDataset labelled, DataOptions data, double minAccuracy = 0.95,
        CancellationToken cancellationToken = default)
    {
        OptionsJson.Check(data, "data");
        if (!(minAccuracy is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(minAccuracy), minAccuracy, "An accuracy of 0 to 1 is needed.");
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using Features features = Features.Of(encoder, labelled, BatchSize, cancellationToken: cancellationToken);
        var (head, report) = Fit(features, minAccuracy, cancellationToken);
        return (new(encoder, data with { Size = encoder.Size, Channels = encoder.Channels }, features.ClassNames,
            head.Mean.DetachFromDisposeScope(), head.Scale.DetachFromDisposeScope(), head.Weight.DetachFromDisposeScope(),
            head.Temperature, head.Threshold), report);
    }

    /// <summary>Refuses images that no classifier can be made of, before one of them is decoded.</summary>
    /// <param name="labelled">The images.</param>
    /// <exception cref="DataSourceException">There are no labels, or only one class.</exception>
    internal static void CheckLabels(IImageSource labelled)
    {
        int[] classes = labelled.ClassNames is null ? []
            : [.. Enumerable.Range(0, labelled.Count).Select(labelled.LabelOf).Where(label => label >= 0).Distinct()];
        if (classes.Length == 0)
            throw new DataSourceException(
                $"{labelled.Name} has no labels, and a classifier is made of them. {LabelledImages.HowToLabel(labelled.Name)}");
        if (classes.Length < 2) throw OneClass(labelled.ClassNames![classes[0]], labelled);
        if (classes.Length > MaxMemoryOfOneImage
            && classes.Length == Enumerable.Range(0, labelled.Count).Count(i => labelled.LabelOf(i) >= 0))
            throw new DataSourceException(EvaluationSet.EachItsOwn([.. classes.Select(label => labelled.ClassNames![label])]));
    }

    // with more classes of one image each, the labels are names or numbers of the images
    private const int MaxMemoryOfOneImage = 10;

    private static DataSourceException OneClass(string name, IImageSource? source = null) =>
        new($"A classifier needs images of two classes or more, but these are all of class '{name}': "
            + (source?.Name.Contains("..", StringComparison.Ordinal) == true && source.Name.Contains('#')
                ? "#FIRST..END goes by the order of the files; #train behind a source has some of every class."
                : "put images of another class into a sub-folder of their own."));

    internal sealed record Head(Tensor Mean, Tensor Scale, Tensor Weight, double Temperature, double Threshold);

    internal static (Head Head, ClassifierReport Report) Fit(
        Features features, double minAccuracy, CancellationToken cancellationToken)
    {
        int classes = features.ClassNames.Count, count = features.Count;
        long[] labels = features.Labels.data<long>().ToArray();
        if (classes < 2) throw OneClass(features.ClassNames[0]);
        int folds = Math.Min(MaxFolds, Enumerable.Range(0, classes).Min(k => labels.Count(label => label == k)));
        if (folds < 2)
        {
            var (mean1, scale1, weight1) = FitOn(features.Values, features.Labels, classes, s_penalties[2], cancellationToken);
            return (new(mean1, scale1, weight1, 1, 0), new(count, 0, s_penalties[2], null, null, null, 1, null));
        }

        int[] fold = Folds(labels, classes, folds);
        (double Loss, double Penalty, double Temperature, double[][] Scores) best = (double.PositiveInfinity, 0, 1, []);
        foreach (double penalty in s_penalties)
        {
            double[][] scores = HeldOutScores(features, classes, fold, folds, penalty, cancellationToken);
            double temperature = Calibration.Temperature(scores, labels),
                loss = Calibration.CrossEntropy(scores, labels, temperature);
            if (loss < best.Loss) best = (loss, penalty, temperature, scores);
        }
        var (mean, scale, weight) = FitOn(features.Values, features.Labels, classes, best.Penalty, cancellationToken);

        var answers = Calibration.Answers(best.Scores, labels, best.Temperature);
        double threshold = Calibration.Threshold(answers, minAccuracy);
        var accepted = answers.Where(a => a.Probability >= threshold).ToArray();
        return (new(mean, scale, weight, best.Temperature, threshold), new(count, folds, best.Penalty,
            answers.Average(a => a.Right ? 1.0 : 0),
            Calibration.Error(answers), Calibration.Error(Calibration.Answers(best.Scores, labels, 1)),
            accepted.Length / (double)count, accepted.Length == 0 ? null : accepted.Average(a => a.Right ? 1.0 : 0))
        { LargestClass = labels.CountBy(label => label).Max(c => c.Value) / (double)count });
    }

    /// <summary>The fold of each image, every class spread over all of them; a function of the labels.</summary>
    private static int[] Folds(long[] labels, int classes, int folds)
    {
        int[] fold = new int[labels.Length];
        for (int k = 0; k < classes; k++)
        {
            int[] members = [.. Enumerable.Range(0, labels.Length).Where(i => labels[i] == k)];
            new RandomStream(1, RandomPurpose.Evaluation, sample: k, view: 3).Shuffle<int>(members);
            foreach (var (place, i) in members.Index()) fold[i] = (place + k) % folds;
        }
        return fold;
    }

    /// <summary>Scores (N, K) of each image by a classifier of the other folds.</summary>
    private static double[][] HeldOutScores(
        Features features, int classes, int[] fold, int folds, double penalty, CancellationToken cancellationToken)
    {
        double[][] scores = new double[features.Count][];
        for (int f = 0; f < folds; f++)
        {
            using var scope = NewDisposeScope();
            int[] held = [.. Enumerable.Range(0, features.Count).Where(i => fold[i] == f)];
            Tensor inside = tensor([.. Enumerable.Range(0, features.Count).Where(i => fold[i] != f).Select(i => (long)i)]),
                outside = tensor([.. held.Select(i => (long)i)]);
            var (mean, scale, weight) = FitOn(features.Values[inside], features.Labels[inside],
                classes, penalty, cancellationToken);
            Tensor logits = LinearProbe.Logits((features.Values[outside] - mean) * scale, weight).contiguous();
            float[] values = logits.data<float>().ToArray();
            foreach (var (place, i) in held.Index())
                scores[i] = [.. values.AsSpan(place * classes, classes).ToArray().Select(v => (double)v)];
        }
        return scores;
    }

    private static (Tensor Mean, Tensor Scale, Tensor Weight) FitOn(
        Tensor features, Tensor labels, int classes, double penalty, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        var (mean, scale) = LinearProbe.Standardise(features);
        Tensor weight = LinearProbe.FitStandardised((features - mean) * scale, labels, classes, penalty,
            Iterations, cancellationToken);
        return (mean.MoveToOuterDisposeScope(), scale.MoveToOuterDisposeScope(), weight.MoveToOuterDisposeScope());
    }
}

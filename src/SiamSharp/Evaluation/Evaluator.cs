using SiamSharp.Data;
using static TorchSharp.torch;

namespace SiamSharp.Evaluation;

/// <summary>How representations are judged.</summary>
public enum Protocol
{
    /// <summary>Weighted k nearest neighbours.</summary>
    Knn,

    /// <summary>Logistic regression on frozen representations.</summary>
    Linear,
}

/// <summary>The one evaluation engine: every number of the toolkit comes from here.</summary>
/// <param name="options">Protocol settings; written with every number.</param>
/// <param name="seed">The run's seed.</param>
public sealed class Evaluator(EvaluationOptions options, int seed)
{
    /// <summary>Top-1 accuracy of one kind of representation.</summary>
    /// <param name="protocol">k-NN or linear probe.</param>
    /// <param name="encoder">What made the representations: <c>pretrained</c>, <c>untrained</c> or <c>pixels</c>.</param>
    /// <param name="train">Labelled images for the classifier.</param>
    /// <param name="test">Images to judge; none of them among <paramref name="train"/>.</param>
    /// <param name="dataHash">Names the data of both sets.</param>
    /// <param name="cancel">Stops the fit of a linear probe.</param>
    /// <exception cref="DataSourceException">The classes of the two sets do not fit together.</exception>
    public Score Judge(
        Protocol protocol, string encoder, Features train, Features test, string dataHash, CancellationToken cancel = default)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        int classes = train.ClassNames.Count;
        Tensor truth = Relabel(train, test);
        Tensor predicted;
        double? penalty = null;
        if (protocol == Protocol.Knn)
        {
            predicted = Knn.Scores(train.Values, train.Labels, test.Values, classes, options.K, options.KnnTemperature).argmax(1);
        }
        else
        {
            using LinearProbe probe = LinearProbe.Fit(train.Values, train.Labels, classes, options, seed, cancel);
            predicted = probe.Predict(test.Values);
            penalty = probe.Penalty;
        }
        double accuracy = predicted.eq(truth).sum().item<long>() / (double)test.Count;
        bool knn = protocol == Protocol.Knn;
        return new Score(knn ? "knn" : "linear", encoder, "top1", accuracy, knn ? options.K : null, null, seed, train.Count, test.Count, dataHash, penalty);
    }

    /// <summary>The labels of the test set in the numbering of the training set.</summary>
    private static Tensor Relabel(Features train, Features test)
    {
        if (train.Count == 0 || test.Count == 0)
            throw new DataSourceException($"There are {train.Count} labelled training and {test.Count} labelled test images; both must be 1 or more.");
        if (train.ClassNames.Count < 2)
            throw new DataSourceException($"Judging needs 2 or more classes, but the training images have one: {train.ClassNames[0]}.");
        string[] unknown = [.. test.ClassNames.Except(train.ClassNames)];
        if (unknown.Length > 0)
            throw new DataSourceException($"{unknown.Length} classes of the test images are not among the training images: "
                + $"{string.Join(", ", unknown.Take(5))}. Give both sets the same class names.");
        long[] map = [.. test.ClassNames.Select(name => (long)train.ClassNames.ToList().IndexOf(name))];
        return tensor(map)[test.Labels];
    }
}

using System.Text.Json.Serialization;
using SiamSharp.Data;
using static TorchSharp.torch;

namespace SiamSharp.Evaluation;

/// <summary>How representations are judged.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Protocol>))]
public enum Protocol
{
    /// <summary>Weighted k nearest neighbours.</summary>
    [JsonStringEnumMemberName("knn")] Knn,

    /// <summary>Logistic regression on frozen representations.</summary>
    [JsonStringEnumMemberName("linear")] Linear,

    /// <summary>The same with a few labels per class, drawn many times.</summary>
    [JsonStringEnumMemberName("few-shot")] FewShot,

    /// <summary>The effective rank of the training images' representations, which takes no labels.</summary>
    [JsonStringEnumMemberName("rankme")] RankMe,
}

/// <summary>The one evaluation engine: every number of the toolkit comes from here.</summary>
/// <param name="options">Protocol settings; written with every number.</param>
/// <param name="seed">The run's seed.</param>
public sealed class Evaluator(EvaluationOptions options, int seed)
{
    /// <summary>Images that RankMe is taken over at most, as published.</summary>
    internal const int RankMeImages = 25_600;

    /// <summary>Top-1 accuracy of one kind of representation, or its effective rank.</summary>
    /// <param name="protocol">k-NN, linear probe, few-shot or RankMe.</param>
    /// <param name="encoder">What made the representations: <c>pretrained</c>, <c>untrained</c> or <c>pixels</c>.</param>
    /// <param name="train">Labelled images for the classifier.</param>
    /// <param name="test">Images to judge; none of them among <paramref name="train"/>.</param>
    /// <param name="dataHash">Names the data of both sets.</param>
    /// <param name="cancel">Stops the fit of a linear probe.</param>
    /// <returns>One score; for few-shot one for each number of shots.</returns>
    /// <exception cref="DataSourceException">The classes of the two sets do not fit together, or are too small for the shots.</exception>
    public IReadOnlyList<Score> Judge(
        Protocol protocol, string encoder, Features train, Features test, string dataHash, CancellationToken cancel = default)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        int classes = train.ClassNames.Count;
        Tensor truth = Relabel(train, test);
        var score = new Score { Encoder = encoder, Seed = seed, TrainCount = train.Count, TestCount = test.Count, DataHash = dataHash };
        switch (protocol)
        {
            case Protocol.Knn:
                Tensor votes = Knn.Scores(train.Values, train.Labels, test.Values, classes, options.K, options.KnnTemperature);
                return [score with { Protocol = "knn", Value = Accuracy(votes.argmax(1)), K = options.K }];
            case Protocol.Linear:
                using (LinearProbe probe = LinearProbe.Fit(train.Values, train.Labels, classes, options, seed, cancel))
                    return [score with { Protocol = "linear", Value = Accuracy(probe.Predict(test.Values)), Penalty = probe.Penalty }];
            case Protocol.RankMe:
                Tensor first = train.Values.narrow(0, 0, Math.Min(train.Count, RankMeImages));
                return [score with { Protocol = "rankme", Metric = "rankme", Value = Spectrum.RankMe(Spectrum.SingularValues(first)) }];
            default:
                return [.. options.Shots.Select(FewShotScore)];
        }

        double Accuracy(Tensor predicted) => predicted.eq(truth).sum().item<long>() / (double)test.Count;

        Score FewShotScore(int shots)
        {
            long[] labels = train.Labels.data<long>().ToArray();
            double[] values = new double[options.Draws];
            for (int draw = 0; draw < values.Length; draw++)
            {
                using var trial = NewDisposeScope();
                Tensor chosen = tensor(FewShot.Draw(labels, train.ClassNames, shots, draw, (ulong)options.DrawSeed));
                using LinearProbe probe = LinearProbe.FitOn(train.Values, train.Labels, chosen, classes, options.FewShotPenalty, options.LinearIterations, cancel);
                values[draw] = Accuracy(probe.Predict(test.Values));
            }
            double std = Statistics.StandardDeviation(values);
            return score with
            {
                Protocol = "few-shot",
                Value = values.Average(),
                Shots = shots,
                Penalty = options.FewShotPenalty,
                Draws = values.Length,
                Std = std,
                Ci95 = Statistics.Interval(std, values.Length),
            };
        }
    }

    /// <summary>Whether a protocol is for a kind of representation: RankMe of pixels would say nothing and take their width squared.</summary>
    internal static bool Applies(Protocol protocol, string encoder) => protocol != Protocol.RankMe || encoder != "pixels";

    /// <summary>What tells the scores that <see cref="Judge"/> gives: one condition for each.</summary>
    internal static IEnumerable<Func<Score, bool>> Wanted(Protocol protocol, EvaluationOptions options) => protocol switch
    {
        Protocol.Knn => [s => s.Protocol == "knn" && s.K == options.K],
        Protocol.Linear => [s => s.Protocol == "linear"],
        Protocol.RankMe => [s => s.Protocol == "rankme"],
        _ => options.Shots.Select(shots => (Func<Score, bool>)(s => s.Protocol == "few-shot" && s.Shots == shots && s.Draws == options.Draws)),
    };

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

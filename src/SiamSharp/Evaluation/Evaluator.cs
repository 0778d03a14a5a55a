using System.Text.Json.Serialization;
using SiamSharp.Data;
using SiamSharp.Options;
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

    /// <summary>A classifier on the frozen encoder by SGD over crops and flips; by default with milder crops and fewer epochs
    /// than in the papers (<see cref="FineTuneOptions.View"/>).</summary>
    [JsonStringEnumMemberName("linear-sgd")] LinearSgd,

    /// <summary>The whole network trained on with a share of the labels; for the untrained encoder plain
    /// supervised training.</summary>
    [JsonStringEnumMemberName("fine-tune")] FineTune,

    /// <summary>The linear probe, fitted on images as they are, on 15 corruptions of the test images.</summary>
    [JsonStringEnumMemberName("corruption")] Corruption,
}

/// <summary>The one evaluation engine: every number of the toolkit comes from here.</summary>
/// <param name="options">Protocol settings; written with every number.</param>
/// <param name="seed">The run's seed.</param>
internal sealed partial class Evaluator(EvaluationOptions options, int seed)
{
    private readonly EvaluationOptions options = OptionsJson.Check(options, "evaluation");

    /// <summary>Images that RankMe is taken over at most, as published.</summary>
    internal const int RankMeImages = 25_600;

    /// <summary>Top-1 accuracy of one kind of representation, or its effective rank.</summary>
    /// <param name="protocol">k-NN, linear probe, few-shot or RankMe.</param>
    /// <param name="encoder">What made the representations: see <see cref="Score.Encoder"/>.</param>
    /// <param name="train">Labelled images for the classifier.</param>
    /// <param name="test">Images to judge; none of them among <paramref name="train"/>.</param>
    /// <param name="dataHash">Names the data of both sets.</param>
    /// <param name="confusions">Given what k-NN and the linear probe took for what.</param>
    /// <param name="cancellationToken">Stops the fit of a linear probe.</param>
    /// <returns>One score; for few-shot one for each number of shots.</returns>
    /// <exception cref="DataSourceException">A class is too small for the shots.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The protocol is none of those four.</exception>
    public IReadOnlyList<Score> Evaluate(
        Protocol protocol, string encoder, Features train, Features test, string dataHash,
        ICollection<Confusion>? confusions = null, CancellationToken cancellationToken = default)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        int classes = train.ClassNames.Count;
        var (labels, names) = LabelledImages.Renumber(test.Labels.data<long>().ToArray(), test.ClassNames, train.ClassNames);
        Tensor truth = tensor(labels);
        var score =
            new Score { Encoder = encoder, Seed = seed, TrainCount = train.Count, TestCount = test.Count, DataHash = dataHash };
        switch (protocol)
        {
            case Protocol.Knn:
                Tensor votes = Knn.Scores(train.Values, train.Labels, test.Values, classes, options.K, options.KnnTemperature);
                return [Classified(score with { Protocol = "knn", K = options.K }, votes)];
            case Protocol.Linear:
                using (LinearProbe probe = LinearProbe.Fit(train.Values, train.Labels, classes, options, seed, cancellationToken))
                    return [Classified(score with { Protocol = "linear", Penalty = probe.Penalty }, probe.Scores(test.Values))];
            case Protocol.RankMe:
                Tensor drawn = train.Count <= RankMeImages ? train.Values
                    : train.Values[tensor(Array.ConvertAll(EvenDraw.Of(train.Count, RankMeImages), i => (long)i))];
                return
                [
                    score with { Protocol = "rankme", Metric = "rankme", Value = Spectrum.RankMe(Spectrum.SingularValues(drawn)) }
                ];
            case Protocol.FewShot:
                return FewShotScores();
            default:
                throw Unknown(protocol, "k-NN, the linear probe, few-shot and RankMe");
        }

        Score Classified(Score of, Tensor classScores)
        {
            confusions?.Add(Confusion.Of(of.Protocol, encoder, names, truth, classScores.argmax(1)));
            return of with { Value = ClassScores.Top1(classScores, truth), Top5 = ClassScores.Top5(classScores, truth) };
        }

        IReadOnlyList<Score> FewShotScores()
        {
            FewShotDraws drawn = FewShotDraws.For(train.Labels.data<long>().ToArray(), train.ClassNames,
                dataHash.Split('/')[0], options);
            var (mean, scale) = LinearProbe.Standardise(train.Values);
            Tensor judged = (test.Values - mean) * scale;
            return [.. options.Shots.Select(shots =>
            {
                double[] values = new double[options.Draws];
                for (int draw = 0; draw < values.Length; draw++)
                {
                    using var trial = NewDisposeScope();
                    Tensor chosen = tensor(drawn.Shots[shots][draw]);
                    Tensor weight = LinearProbe.FitFew((train.Values[chosen] - mean) * scale, train.Labels[chosen], classes,
                        options.FewShotPenalty, cancellationToken);
                    values[draw] = ClassScores.Top1(LinearProbe.Logits(judged, weight), truth);
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
            })];
        }
    }

    /// <summary>Top-1 accuracy of an encoder that is trained on with labels, or has a classifier trained on top.</summary>
    /// <param name="protocol">Fine-tuning or the linear probe by SGD.</param>
    /// <param name="encoder">See <see cref="Score.Encoder"/>; <c>untrained</c> learns at the full rate in all layers.</param>
    /// <param name="make">Gives the encoder as it was, for each share of the labels anew.</param>
    /// <param name="train">Images to learn from.</param>
    /// <param name="test">Images to judge.</param>
    /// <param name="dataHash">Names the data of both sets.</param>
    /// <param name="confusions">Given what was taken for what.</param>
    /// <param name="progress">Told of the steps.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    /// <returns>One score; for fine-tuning one for each share of the labels.</returns>
    /// <exception cref="DataSourceException">Labels are missing, or images have another number of channels.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The protocol is none of those two.</exception>
    public IReadOnlyList<Score> Train(
        Protocol protocol, string encoder, Func<Encoder> make, ImageDataset train, ImageDataset test,
        string dataHash, ICollection<Confusion>? confusions = null, IProgress<EvaluationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        if (!Trains(protocol)) throw Unknown(protocol, "fine-tuning and the linear probe by SGD");
        LabelledImages known = LabelledImages.Of(train), judged = LabelledImages.Of(test);
        var (labels, names) = LabelledImages.Renumber(judged.Labels, judged.ClassNames, known.ClassNames);
        using Tensor truth = tensor(labels);
        bool frozen = protocol == Protocol.LinearSgd;
        return [.. (frozen ? [1.0] : options.FineTune.Fractions).Select(fraction =>
        {
            using Encoder network = make();
            Features.CheckChannels(network, train);
            Features.CheckChannels(network, test);
            int[] chosen = FewShot.DrawShare(known.Labels, known.ClassNames.Count, fraction, (ulong)options.DrawSeed);
            var score = new Score
            {
                Protocol = frozen ? "linear-sgd" : "fine-tune",
                Encoder = encoder,
                Fraction = frozen ? null : fraction,
                Seed = seed,
                TrainCount = chosen.Length,
                TestCount = judged.Indexes.Length,
                DataHash = dataHash,
            };
            using FineTuning tuned = FineTuning.Train(network, frozen,
                encoder == "untrained" ? 1 : options.FineTune.FirstLayerRate, train,
                [.. chosen.Select(i => known.Indexes[i])], [.. chosen.Select(i => known.Labels[i])], known.ClassNames.Count,
                options.FineTune, (ulong)seed,
                new EvaluationPart(progress, $"{Score.NameOf(encoder)}: {score.Title}"), cancellationToken);
            using Tensor scores = tuned.Scores(test, judged.Indexes, options.BatchSize, cancellationToken);
            using Tensor predicted = scores.argmax(1);
            confusions?.Add(Confusion.Of(score.Slug, encoder, names, truth, predicted));
            return score with { Value = ClassScores.Top1(scores, truth), Top5 = ClassScores.Top5(scores, truth) };
        })];
    }

    /// <summary>Whether a protocol trains with the images, instead of looking at representations.</summary>
    internal static bool Trains(Protocol protocol) => protocol is Protocol.FineTune or Protocol.LinearSgd;

    /// <summary>Whether a protocol is for a kind of representation: RankMe of pixels would say nothing and take their width
    /// squared, and there is no network to train.</summary>
    internal static bool Applies(Protocol protocol, string encoder) =>
        encoder != "pixels" || protocol is Protocol.Knn or Protocol.Linear or Protocol.FewShot or Protocol.Corruption;

    private static ArgumentOutOfRangeException Unknown(Protocol protocol, string known) =>
        new(nameof(protocol), protocol, $"These scores are by {known}; {protocol} is none of them.");

    /// <summary>What tells the scores of a protocol: one condition for each.</summary>
    internal static IEnumerable<Func<Score, bool>> Wanted(Protocol protocol, EvaluationOptions options) => protocol switch
    {
        Protocol.Knn => [s => s.Protocol == "knn" && s.K == options.K],
        Protocol.Linear => [s => s.Protocol == "linear"],
        Protocol.RankMe => [s => s.Protocol == "rankme"],
        Protocol.Corruption =>
            Corruptions.Names.Select(name => (Func<Score, bool>)(s => s.Protocol == "corruption" && s.Corruption == name)),
        Protocol.LinearSgd => [s => s.Protocol == "linear-sgd"],
        Protocol.FineTune =>
            options.FineTune.Fractions.Select(f => (Func<Score, bool>)(s => s.Protocol == "fine-tune" && s.Fraction == f)),
        Protocol.FewShot => options.Shots.Select(shots =>
            (Func<Score, bool>)(s => s.Protocol == "few-shot" && s.Shots == shots && s.Draws == options.Draws)),
        _ => throw Unknown(protocol, string.Join(", ", Enum.GetValues<Protocol>())),
    };
}

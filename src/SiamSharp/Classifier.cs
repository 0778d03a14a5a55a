using System.Globalization;
using System.Text.Json;
using SiamSharp.Data;
using SiamSharp.Embeddings;
using SiamSharp.Evaluation;
using SiamSharp.Export;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Randomness;
using SiamSharp.Training;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp;

/// <summary>What a classifier was found to be worth on the labelled images that it was made of, each judged by a classifier
/// that had not seen it.</summary>
/// <param name="Count">Labelled images.</param>
/// <param name="Folds">Parts in turn held out; 0 where a class has one image only: then what follows the penalty was not
/// measured and is null.</param>
/// <param name="Penalty">The L2 penalty chosen.</param>
/// <param name="Accuracy">Share of all images classified rightly.</param>
/// <param name="CalibrationError">Mean difference between probability and accuracy over ten bins (ECE)
/// of the calibrated probabilities.</param>
/// <param name="UncalibratedError">The same before calibration.</param>
/// <param name="AcceptedShare">Share of images at or above the threshold.</param>
/// <param name="AcceptedAccuracy">Share of those classified rightly; null where none is.</param>
public sealed record ClassifierReport(
    int Count, int Folds, double Penalty, double? Accuracy, double? CalibrationError, double? UncalibratedError,
    double AcceptedShare, double? AcceptedAccuracy)
{
    private const int FewAccepted = 10;

    /// <summary>Share of the images that the largest class has: what an answer that is always the same would
    /// reach; 0 = not known.</summary>
    public double LargestClass { get; init; }

    /// <summary>What a person should know before the classifier is used: whole sentences that say what
    /// to do, often none.</summary>
    /// <param name="minAccuracy">The accuracy that was asked for, 0 to 1.</param>
    public IEnumerable<string> Notes(double minAccuracy)
    {
        if (Folds == 0)
        {
            yield return "A class has one image only: nothing could be held out, so the probabilities are not calibrated and "
                + "nothing will be rejected. Two images of each class or more mend it.";
            yield break;
        }
        int accepted = (int)Math.Round(AcceptedShare * Count);
        if (Accuracy is double accuracy && LargestClass > 0 && Statistics.ShareInterval(accuracy, Count).Low <= LargestClass)
            yield return string.Create(CultureInfo.InvariantCulture, $"The held-out accuracy of {accuracy:F3} is not clearly "
                + $"better than naming always the largest class, which gives {LargestClass:F3}. "
                + $"Give more labelled images, check the labels, or take an encoder that was trained longer.");
        if (accepted == 0)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"Not even the surest held-out answers are right in {100 * minAccuracy:0.#} % of cases: "
                    + $"all answers will be rejected. Give more labels, or a lower --min-accuracy.");
        else if (accepted < FewAccepted && accepted < Count)
            yield return $"The threshold rests on {accepted} of {Plural.Of(Count, "held-out image")} only, and may be chance. "
                + "Give more labels, or a lower --min-accuracy.";
    }
}

/// <summary>An encoder with a classifier of a few labelled images on top: calibrated probabilities, and a threshold below which
/// to say "I do not know".</summary>
/// <remarks>
/// Definition: softmax((standardised representation W + b) / Temperature). W and b are a logistic regression with an L2 penalty;
/// penalty and temperature are those with the smallest cross entropy on held-out parts of the labelled images (2 to 5 folds), the
/// threshold is the lowest at which the accepted ones of them reach the accuracy asked for. Source of the temperature: Guo et
/// al. 2017, arXiv 1706.04599, section 4.2. Not safe for concurrent use.
/// </remarks>
public sealed class Classifier : IDisposable
{
    private const string EncoderPrefix = "encoder.";
    private const int MaxFolds = 5, Iterations = 200, BatchSize = 64;

    private static readonly double[] s_penalties = [1, 0.1, 0.01, 1e-3, 1e-4];

    private bool _disposed;
    private readonly Tensor _mean, _scale, _weight; // (1, D), (1, D), (D + 1, K): the last row of the weight is the bias

    private Classifier(
        Encoder encoder, DataOptions data, IReadOnlyList<string> classNames, Tensor mean, Tensor scale, Tensor weight,
        double temperature, double threshold) =>
        (Encoder, Data, ClassNames, _mean, _scale, _weight, Temperature, Threshold) =
            (encoder, data, classNames, mean, scale, weight, temperature, threshold);

    /// <summary>What makes the representations; disposed with the classifier.</summary>
    public Encoder Encoder { get; }

    /// <summary>How its images were decoded, and others are to be.</summary>
    public DataOptions Data { get; }

    /// <summary>K names.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>What scores are divided by ahead of the softmax.</summary>
    public double Temperature { get; }

    /// <summary>Probability from which on an answer is to be trusted; 0 = always.</summary>
    public double Threshold { get; }

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

    /// <summary>Probabilities of each class.</summary>
    /// <param name="images">float32 (N, C, H, W), 0 to 1 for integer sources.</param>
    /// <returns>float32 (N, K), each row adds up to 1; owned by the caller.</returns>
    public Tensor Predict(Tensor images)
    {
        using Tensor representations = Encoder.Encode(images);
        return PredictFrom(representations);
    }

    /// <summary>Probabilities of each class from representations that were computed elsewhere.</summary>
    /// <param name="representations">float32 (N, D).</param>
    /// <returns>float32 (N, K); owned by the caller.</returns>
    /// <exception cref="ObjectDisposedException">After <see cref="Dispose"/>.</exception>
    public Tensor PredictFrom(Tensor representations)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        return (LinearProbe.Logits((representations - _mean) * _scale, _weight) / Held((float)Temperature)).softmax(1)
            .contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>Classifies every image of a source, a batch in memory at a time, through ONNX Runtime where it
    /// knows the network.</summary>
    /// <param name="source">Opened with <see cref="Data"/>; its own labels are not used.</param>
    /// <param name="threads">That decode; 0 = one for each processor.</param>
    /// <param name="progress">Told after each batch.</param>
    /// <param name="cancellationToken">Stops between two batches.</param>
    /// <exception cref="DataSourceException">No image can be read.</exception>
    public Predictions Predict(
        IImageSource source, int threads = 0, IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        using var embedder = new Embedder(Encoder);
        var answers = new List<Prediction>();
        var notes = new DataNotes();
        var lost = new List<SkippedFile>();
        SkippedFile[] skipped = Embedding.Run(embedder, source, notes, threads, BatchSize, (indexes, vectors) =>
        {
            using Tensor representations = tensor(vectors, [indexes.Length, embedder.Width]),
                probabilities = PredictFrom(representations);
            ReadOnlySpan<float> all = probabilities.data<float>().ToArray();
            foreach (var (n, index) in indexes.Index())
            {
                ReadOnlySpan<float> own = all.Slice(n * ClassNames.Count, ClassNames.Count);
                if (System.Numerics.Tensors.TensorPrimitives.IsFiniteAll(own))
                    answers.Add(Prediction.Of(source.PathOf(index), own, this));
                else
                    lost.Add(new(source.PathOf(index), "has probabilities that are not finite; "
                        + "its pixels are far outside of those that the classifier was made of"));
            }
        }, progress, cancellationToken);
        skipped = [.. skipped, .. lost];
        if (answers.Count == 0) throw new DataSourceException(
            (source.Count == 1 ? $"The one image of '{source.Name}' cannot"
                : $"None of {Plural.Of(source.Count, "image")} of '{source.Name}' can") + " "
                + "be classified" + (skipped.Length > 0
                    ? $"{(source.Count == 1 ? "" : "; the first")}: {skipped[0].Path}: {skipped[0].Reason}" : "") + ".");
        return new(answers, skipped) { Notes = [.. source.Notes, .. notes.Lines(source, Encoder.White)] };
    }

    /// <summary>Weight (K, D) and bias (K) that give the scores ahead of the softmax straight from representations;
    /// owned by the caller.</summary>
    private (Tensor Weight, Tensor Bias) Linear()
    {
        using var scope = NewDisposeScope();
        Tensor body = _weight[..^1], weight = body.t() * _scale / Held((float)Temperature);
        Tensor bias = (_weight[^1] - (_mean * _scale).mm(body).squeeze(0)) / Held((float)Temperature);
        return (weight.contiguous().MoveToOuterDisposeScope(), bias.MoveToOuterDisposeScope());
    }

    /// <summary>Writes encoder and classifier as one ONNX model; it is replaced whole or not at all.</summary>
    /// <remarks>
    /// As <see cref="OnnxExport"/> writes an encoder, with a second output, <c>probabilities</c>: float32 (N, K),
    /// calibrated. The metadata holds <c>classes</c>, a JSON list of K names, and <c>threshold</c>, the probability from
    /// which on an answer is to be trusted.
    /// </remarks>
    /// <param name="path">The .onnx file.</param>
    /// <param name="options">Pixel range and folding.</param>
    /// <returns>The largest difference from libtorch that was found, relative to the norm of the answer.</returns>
    /// <exception cref="OptionsException">White is out of its range.</exception>
    /// <exception cref="NotSupportedException">The network is not one of this library's.</exception>
    /// <exception cref="RunException">ONNX Runtime gives other answers than libtorch, or the file cannot be written.</exception>
    public double ExportOnnx(string path, OnnxOptions? options = null)
    {
        using var scope = NewDisposeScope();
        var (weight, bias) = Linear();
        return OnnxExport.Write(path, Encoder, options ?? new(),
            new OnnxHead(weight, bias, ClassNames, Threshold, Data, PredictFrom));
    }

    /// <summary>Writes encoder and classifier to one file.</summary>
    /// <param name="path">A .safetensors file; replaced whole or not at all.</param>
    /// <exception cref="NotSupportedException">The encoder's network is the user's own.</exception>
    /// <exception cref="RunException">The file cannot be written.</exception>
    public void Save(string path)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Encoder.Options is null)
            throw new NotSupportedException("A classifier on a network of your own cannot be written: "
                + "only networks of this library can be built again from a file.");
        Dictionary<string, string> metadata = Encoder.Metadata(Encoder.Options, Encoder.Preprocessing, Encoder.Channels,
            Encoder.Size, Data, Encoder.White);
        metadata["format"] = FileMetadata.ClassifierFormat;
        metadata["classes"] = JsonSerializer.Serialize(ClassNames);
        metadata["temperature"] = Temperature.ToString("R", CultureInfo.InvariantCulture);
        metadata["threshold"] = Threshold.ToString("R", CultureInfo.InvariantCulture);
        var tensors = Encoder.Backbone.state_dict().ToDictionary(t => EncoderPrefix + t.Key, t => t.Value);
        (tensors["head.mean"], tensors["head.scale"], tensors["head.weight"]) = (_mean, _scale, _weight);
        FileWriting.Writing(path, () => SafeTensors.Write(path, tensors, metadata));
    }

    /// <summary>Reads a classifier.</summary>
    /// <param name="path">Written by <see cref="Save"/>.</param>
    /// <returns>Owned by the caller.</returns>
    /// <exception cref="RunException">The file is missing or no classifier.</exception>
    public static Classifier Load(string path)
    {
        if (Directory.Exists(path))
            throw new RunException(new RunFolder(path).HasRun
                ? $"{path} is the folder of a run, not a classifier. Make one of it first, `siam classify fit --run {path} "
                    + "--data LABELLED --out classifier.safetensors`, and give that file."
                : $"{path} is a folder, not a classifier. Give the file that `siam classify fit` wrote.");
        if (!File.Exists(path)) throw new RunException($"{path} is missing. Make it with `siam classify fit`.");
        using SafeTensorsFile file = Opened(path);
        if (file.Metadata.GetValueOrDefault("format") != FileMetadata.ClassifierFormat)
            throw new RunException($"{path} holds no classifier written by SiamSharp: its metadata "
                + $"{(file.Metadata.GetValueOrDefault("format") is { } other ? $"says format={other}" : "names no format")} "
                + $"where a classifier has format={FileMetadata.ClassifierFormat}. "
                + "Make one with `siam classify fit`.");
        var metadata = new FileMetadata(path, file.Metadata);
        var (data, classes) = (metadata.Options<DataOptions>("data"), metadata.Names("classes"));
        var (temperature, threshold) =
            (metadata.Number("temperature", 1e-9, 1e9), metadata.Number("threshold", 0, double.BitIncrement(1)));
        if (classes.Length < 2 || classes.Any(string.IsNullOrEmpty) || classes.Distinct().Count() < classes.Length)
            throw metadata.Fault("\"classes\" in its metadata must be two names or more, each another, "
                + $"but there are {classes.Distinct().Count(c => c.Length > 0)} names for {classes.Length} classes");
        Encoder encoder = Encoder.Build(metadata,
            file.Tensors.Where(t => t.Key.StartsWith(EncoderPrefix, StringComparison.Ordinal))
                .ToDictionary(t => t.Key[EncoderPrefix.Length..], t => t.Value));
        try
        {
            long width = Encoder.WidthOf(encoder);
            return new(encoder, data, classes, Own("mean", 1, width), Own("scale", 1, width),
                Own("weight", width + 1, classes.Length), temperature, threshold);
        }
        catch
        {
            encoder.Dispose();
            throw;
        }

        Tensor Own(string name, params long[] shape)
        {
            if (!file.Tensors.TryGetValue($"head.{name}", out Tensor? tensor)) throw metadata.Fault($"head.{name} is missing");
            if (!tensor.shape.AsSpan().SequenceEqual(shape) || tensor.dtype != ScalarType.Float32)
                throw metadata.Fault($"head.{name} is {tensor.dtype} ({string.Join(", ", tensor.shape)}), "
                    + $"but must be Float32 ({string.Join(", ", shape)})");
            using var scope = NewDisposeScope();
            return tensor.isfinite().all().item<bool>() ? tensor.clone().DetachFromDisposeScope()
                : throw metadata.Fault($"head.{name} holds a number that is not finite");
        }
    }

    /// <summary>A file of another ending is no damaged classifier, but something else.</summary>
    private static SafeTensorsFile Opened(string path)
    {
        try
        {
            return SafeTensors.Read(path);
        }
        catch (SafeTensorsException e) when (!path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
        {
            throw new RunException($"{path} is no classifier: "
                + $"{string.Join(':', e.Message.Split(": ").Skip(1).Take(1)).TrimEnd('.')}. "
                + "Give the .safetensors file that `siam classify fit` wrote.");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        Encoder.Dispose();
        _mean.Dispose();
        _scale.Dispose();
        _weight.Dispose();
    }
}

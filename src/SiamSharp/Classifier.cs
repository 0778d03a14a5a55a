using SiamSharp.Data;
using SiamSharp.Embeddings;
using SiamSharp.Evaluation;
using SiamSharp.Export;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp;

/// <summary>An encoder with a classifier of a few labelled images on top: calibrated probabilities, and a threshold below which
/// to say "I do not know".</summary>
/// <remarks>
/// Definition: softmax((standardised representation W + b) / Temperature). W and b are a logistic regression with an L2 penalty;
/// penalty and temperature are those with the smallest cross entropy on held-out parts of the labelled images (2 to 5 folds), the
/// threshold is the lowest at which the accepted ones of them reach the accuracy asked for. Source of the temperature: Guo et
/// al. 2017, arXiv 1706.04599, section 4.2. Not safe for concurrent use.
/// </remarks>
public sealed partial class Classifier : IDisposable
{
    private const int BatchSize = 64;

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

using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Native;
using SiamSharp.Optim;
using SiamSharp.Options;
using SiamSharp.Randomness;
using SiamSharp.Views;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SiamSharp.Evaluation;

/// <summary>An encoder with a linear classifier on top, trained with labels.</summary>
/// <remarks>
/// Definition: mean cross entropy over crops and flips of the labelled images, half a cosine of learning rates. Fine-tuned:
/// AdamW, each of eight parts of the network, in the order of its parameters, at its own rate, geometrically from
/// <see cref="FineTuneOptions.FirstLayerRate"/> to 1. Frozen: SGD with momentum 0.9 and no decay on the classifier alone, as in
/// the papers (He et al. 2020, arXiv 1911.05722, section 4.1), behind a batch normalisation without scale and shift
/// (He et al. 2021, arXiv 2111.06377, appendix A.1), so that one learning rate fits all encoders; the encoder stays in evaluation
/// mode. Source of the rates: Clark et al. 2020, arXiv 2003.10555; Bao et al. 2021, arXiv 2106.08254.
/// </remarks>
internal sealed class FineTuning : IDisposable
{
    private const int Parts = 8;

    private readonly Encoder _encoder;
    private readonly nn.Module<Tensor, Tensor> _classifier;

    private FineTuning(Encoder encoder, nn.Module<Tensor, Tensor> classifier) => (_encoder, _classifier) = (encoder, classifier);

    /// <summary>Trains encoder and classifier.</summary>
    /// <param name="encoder">Changed, unless frozen; it stays the caller's.</param>
    /// <param name="frozen">Whether the classifier alone learns.</param>
    /// <param name="firstLayerRate">Above 0 to 1: the first layer's share of the learning rate.</param>
    /// <param name="images">Training images of the encoder's size.</param>
    /// <param name="chosen">Which of them to learn from.</param>
    /// <param name="labels">Of the chosen images, 0 to <paramref name="classes"/> - 1.</param>
    /// <param name="classes">K, 2 or more.</param>
    /// <param name="options">Steps and rates.</param>
    /// <param name="seed">Of the classifier's first weights, the order and the views.</param>
    /// <param name="progress">Told the share of the steps that are done, 0 to 1.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    public static FineTuning Train(
        Encoder encoder, bool frozen, double firstLayerRate, ImageDataset images, IReadOnlyList<int> chosen,
        IReadOnlyList<long> labels, int classes, FineTuneOptions options, ulong seed, IProgress<double>? progress,
        CancellationToken cancellationToken)
    {
        OptionsJson.Check(options, "evaluation.fineTune");
        nn.Module<Tensor, Tensor> classifier = ClassifierOf(Encoder.WidthOf(encoder), classes, frozen, seed);
        classifier.to(encoder.Device);
        Optimizer[] optimizers = Optimizers(encoder, classifier, frozen, firstLayerRate, options, out double[] shares);
        var viewMaker = new ViewMaker(new ViewsOptions { Branches = [options.View] }, encoder.Preprocessing, images.Size, seed);
        int batchSize = Math.Min(options.BatchSize, chosen.Count), batches = chosen.Count / batchSize;
        int epochs = Math.Max(options.Epochs, (options.LeastSteps + batches - 1) / batches);
        var schedule = new LearningRateSchedule(frozen ? options.FrozenLearningRate : options.LearningRate, 0,
            (long)epochs * batches);

        encoder.Backbone.train(!frozen);
        classifier.train();
        try
        {
            for (int epoch = 0; epoch < epochs; epoch++)
            {
                int[] order = [.. Enumerable.Range(0, chosen.Count)];
                new RandomStream(seed, RandomPurpose.Order, epoch: epoch).Shuffle<int>(order);
                for (int b = 0; b < batches; b++)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    using var scope = NewDisposeScope();
                    int[] drawn = order[(b * batchSize)..((b + 1) * batchSize)], indexes = [.. drawn.Select(i => chosen[i])];
                    Tensor view = viewMaker.MakeViews(images.Batch(indexes),
                        [.. indexes.Select(i => (long)images.SourceIndexOf(i))], epoch)[0].to(encoder.Device);
                    Tensor loss = nn.functional.cross_entropy(
                        classifier.forward(Represent(encoder, view, frozen)),
                        tensor(drawn.Select(i => labels[i]).ToArray(), device: encoder.Device));
                    loss.backward();
                    double rate = schedule.At((long)epoch * batches + b);
                    foreach (var (optimizer, share) in optimizers.Zip(shares)) optimizer.Step(rate * share);
                    foreach (Optimizer optimizer in optimizers) optimizer.ZeroGrad();
                    progress?.Report((epoch * batches + b + 1) / ((double)epochs * batches));
                }
                FreedMemory.Release();
            }
        }
        finally
        {
            encoder.Backbone.eval();
            classifier.eval();
            foreach (Optimizer optimizer in optimizers) optimizer.Dispose();
        }
        return new FineTuning(encoder, classifier);
    }

    /// <summary>Scores of each class.</summary>
    /// <param name="images">Images to classify.</param>
    /// <param name="chosen">Which of them.</param>
    /// <param name="batchSize">Images per forward pass.</param>
    /// <param name="cancellationToken">Stops between two batches.</param>
    /// <returns>float32 (N, K), owned by the caller.</returns>
    public Tensor Scores(ImageDataset images, IReadOnlyList<int> chosen, int batchSize, CancellationToken cancellationToken)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        foreach (int[] indexes in chosen.Chunk(batchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var batch = NewDisposeScope();
            parts.Add(
                _classifier.forward(_encoder.Encode(images.Batch(indexes)).to(_encoder.Device)).cpu().MoveToOuterDisposeScope());
        }
        return cat(parts).MoveToOuterDisposeScope();
    }

    /// <summary>Frees the classifier.</summary>
    public void Dispose() => _classifier.Dispose();

    private static nn.Module<Tensor, Tensor> ClassifierOf(int width, int classes, bool frozen, ulong seed)
    {
        Linear linear = nn.Linear(width, classes);
        Initialization.Draw(linear, seed, "classifier");
        return frozen ? nn.Sequential(("norm", new BatchNormalization(width, affine: false)), ("linear", linear)) : linear;
    }

    private static Tensor Represent(Encoder encoder, Tensor view, bool frozen)
    {
        if (!frozen) return encoder.Backbone.forward(view);
        using var noGradient = no_grad();
        return encoder.Backbone.forward(view);
    }

    /// <summary>An optimiser for each part of the network from the first layer on, the classifier's last, and the share of the
    /// learning rate of each.</summary>
    internal static Optimizer[] Optimizers(
        Encoder encoder, nn.Module<Tensor, Tensor> classifier, bool frozen, double firstLayerRate,
        FineTuneOptions options, out double[] shares)
    {
        (string, Tensor)[] Named(IEnumerable<(string name, Parameter parameter)> parameters) =>
            [.. parameters.Select(p => (p.name, (Tensor)p.parameter))];
        (string, Tensor)[] top = Named(classifier.named_parameters());
        if (frozen)
        {
            shares = [1];
            return [new SgdOptions { Momentum = 0.9, WeightDecay = 0 }.Create(top)];
        }
        (string name, Parameter parameter)[] all = [.. encoder.Backbone.named_parameters().Where(p => p.parameter.requires_grad)];
        (string, Tensor)[][] parts = [.. all.Chunk((all.Length + Parts - 1) / Parts).Select(Named)];
        var adamW = new AdamWOptions { WeightDecay = options.WeightDecay };
        shares = [.. parts.Index().Select(p => Math.Pow(firstLayerRate, 1 - p.Index / (double)parts.Length)), 1];
        return [.. parts.Append(top).Select(adamW.Create)];
    }
}

using System.ComponentModel.DataAnnotations;
using SiamSharp.Options;
using SiamSharp.Views;

namespace SiamSharp.Evaluation;

/// <summary>How a network is trained with labels: fine-tuned, from scratch, or frozen with a classifier on top.</summary>
public sealed record FineTuneOptions : IHasRules
{
    /// <summary>
    /// Shares of the labels of each class to train with. Each share gives a score; every encoder gets the same images.
    /// </summary>
    [Range(1e-6, 1.0)] public IReadOnlyList<double> Fractions { get; init; } = [0.01, 0.1, 1];

    /// <summary>How many times the network sees all labelled images.</summary>
    [Range(1, 10_000)] public int Epochs { get; init; } = 10;

    /// <summary>Fewest training steps: few images are repeated until this many are made.</summary>
    [Range(1, 1_000_000)] public int LeastSteps { get; init; } = 400;

    /// <summary>Images in each step; fewer if there are not so many.</summary>
    [Range(2, 65_536)] public int BatchSize { get; init; } = 128;

    /// <summary>
    /// Highest learning rate of AdamW, that of the classifier. The rate of the layers below it falls geometrically to
    /// <see cref="FirstLayerRate"/> of it.
    /// </summary>
    [Range(0.0, 1000.0)] public double LearningRate { get; init; } = 1e-3;

    /// <summary>
    /// Learning rate of the first layer, as a share of the classifier's. An untrained network learns at the full rate
    /// throughout.
    /// </summary>
    [Range(1e-6, 1.0)] public double FirstLayerRate { get; init; } = 0.1;

    /// <summary>How strongly AdamW pulls weights towards 0.</summary>
    [Range(0.0, 10.0)] public double WeightDecay { get; init; } = 0.05;

    /// <summary>
    /// For <c>siam evaluate linear-sgd</c>, where only the classifier learns: highest learning rate of SGD.
    /// </summary>
    [Range(0.0, 1000.0)] public double FrozenLearningRate { get; init; } = 0.1;

    /// <summary>
    /// What a training image goes through, anew in each epoch: crops and flips; without masks. For the linear probe by SGD the
    /// papers' crops are from 0.08 of the image, for 90 to 100 epochs, for ImageNet (He et al. 2020, arXiv 1911.05722):
    /// <c>evaluation.fineTune.view.crop.minArea=0.08</c>, <c>evaluation.fineTune.epochs=100</c>. Here half of the image or more
    /// and 10 epochs, which suits images of one object and few labels and takes a tenth of the time.
    /// </summary>
    public ViewPolicy View { get; init; } =
        new() { Crop = new CropOptions { Probability = 1, MinArea = 0.5 }, FlipProbability = 0.5 };

    /// <inheritdoc/>
    public IEnumerable<Fault> Faults()
    {
        if (Fractions.Count == 0) yield return new("fractions", "there are none: give one or more, such as [0.1]");
        if (View.Count != 1) yield return new("view.count", $"{View.Count} views of an image: one is classified");
        if (View.Size != 0) yield return new("view.size", "a classified image keeps its size: 0");
    }
}

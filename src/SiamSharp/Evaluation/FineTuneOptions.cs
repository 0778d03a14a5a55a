using System.ComponentModel.DataAnnotations;
using SiamSharp.Options;
using SiamSharp.Views;

namespace SiamSharp.Evaluation;

/// <summary>How a network is trained with labels: fine-tuned, from scratch, or frozen with a classifier on top.</summary>
public sealed record FineTuneOptions : IHasRules
{
    /// <summary>Shares of the labels of each class, one score for each; the same images for every encoder.</summary>
    [Range(1e-6, 1.0)] public IReadOnlyList<double> Fractions { get; init; } = [0.01, 0.1, 1];

    /// <summary>Passes over the labelled images.</summary>
    [Range(1, 10_000)] public int Epochs { get; init; } = 10;

    /// <summary>Steps at least, so that a few images are passed over more often.</summary>
    [Range(1, 1_000_000)] public int LeastSteps { get; init; } = 400;

    /// <summary>Images per step; fewer where there are not so many.</summary>
    [Range(2, 65_536)] public int BatchSize { get; init; } = 128;

    /// <summary>Peak learning rate of AdamW for the classifier; the rate of the layers below falls geometrically to
    /// <see cref="FirstLayerRate"/> of it.</summary>
    [Range(0.0, 1000.0)] public double LearningRate { get; init; } = 1e-3;

    /// <summary>The first layer's learning rate as a share of the classifier's; an untrained network learns at the
    /// full rate throughout.</summary>
    [Range(1e-6, 1.0)] public double FirstLayerRate { get; init; } = 0.1;

    /// <summary>Weight decay of AdamW.</summary>
    [Range(0.0, 10.0)] public double WeightDecay { get; init; } = 0.05;

    /// <summary>Peak learning rate of SGD for a classifier on a frozen encoder (<c>siam evaluate linear-sgd</c>).</summary>
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

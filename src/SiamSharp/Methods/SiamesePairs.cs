using System.ComponentModel.DataAnnotations;
using SiamSharp.Options;
using TorchSharp;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>
/// The original siamese network, which needs labels: images of one class get near vectors, those of different classes are
/// pushed apart up to a margin.
/// </summary>
/// <remarks>
/// Source: Hadsell, Chopra and LeCun 2006, "Dimensionality reduction by learning an invariant mapping", equation 4.
/// Differences: all pairs of the batch instead of drawn ones, all views of all samples; pairs of equal and of different classes
/// have the same total weight, as if drawn in equal numbers. Views of one sample are a pair of equal class.
/// </remarks>
[Kind("siamese-pairs")]
public sealed record SiamesePairsOptions() : MethodOptions(minViews: 1, maxViews: 64)
{
    /// <summary>Distance from which on images of different classes are not pushed further apart.</summary>
    [Range(0.001, 1000.0)] public double Margin { get; init; } = 1;

    /// <summary>Width of the embedding that the loss compares, a linear map of the vector.</summary>
    [Range(1, 65_536)] public int ProjectorOutput { get; init; } = 128;

    /// <inheritdoc/>
    public override bool NeedsLabels => true;

    /// <inheritdoc/>
    protected override SiameseMethod Build(MethodSetup setup) => new SiamesePairs(this, setup);
}

/// <summary>The original siamese network and its loss; see <see cref="SiamesePairsOptions"/>.</summary>
internal sealed class SiamesePairs : SiameseMethod
{
    private readonly nn.Module<Tensor, Tensor> projector;
    private readonly double _margin;

    internal SiamesePairs(SiamesePairsOptions options, MethodSetup setup) : base("siamese pairs", setup.MakeBackbone())
    {
        _margin = options.Margin;
        projector = Mlp.Create("Projector", setup.Seed, HeadEnd.Bias, setup.Width, options.ProjectorOutput);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override LossTerms Loss(ViewBatch batch)
    {
        CheckBatch(batch, "siamese pairs");
        if (batch.Labels is null) throw new ArgumentException("siamese pairs learn from classes, but the batch has no labels.");
        using var scope = NewDisposeScope();
        var embeddings = projector.forward(Represent(Backbone, batch.Views));
        var (together, apart) = LossOf(embeddings, batch.Labels.repeat(batch.Views.Count), _margin);
        return Terms(together.Plus(apart) / Held(2), embeddings, ("together", together.detach()), ("apart", apart.detach()));
    }

    /// <inheritdoc/>
    public override double? LossWhenCollapsed(ViewBatch batch) => _margin * _margin / 4;

    /// <summary>The two terms, each the mean over its own pairs; 0 where there are none.</summary>
    /// <remarks>
    /// Definition: with D the distance of a pair: D^2 / 2 for equal classes, max(0, margin - D)^2 / 2 for others.
    /// </remarks>
    /// <param name="z">(M, E).</param>
    /// <param name="labels">int64 (M).</param>
    /// <param name="margin">Above 0.</param>
    /// <returns>Differentiable scalars, owned by the caller.</returns>
    internal static (Tensor Together, Tensor Apart) LossOf(Tensor z, Tensor labels, double margin)
    {
        using var scope = NewDisposeScope();
        var same = labels.unsqueeze(0) == labels.unsqueeze(1);
        var upper = ones_like(same).triu(1); // each pair once
        var distances = cdist(z, z, 2.0, compute_mode.donot_use_mm_for_euclid_dist); // exact also for near points
        var together = Mean(distances.Squared() / Held(2), same & upper);
        var apart = Mean((-distances).Plus(margin).relu().Squared() / Held(2), ~same & upper);
        return (together.MoveToOuterDisposeScope(), apart.MoveToOuterDisposeScope());

        static Tensor Mean(Tensor values, Tensor chosen) => (values * chosen).sum() / chosen.sum().clamp_min(Held(1));
    }
}

using System.ComponentModel.DataAnnotations;
using SiamSharp.Options;
using SiamSharp.Views;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>
/// Barlow Twins: each dimension of the embedding agrees between the views of an image, and is uncorrelated with all other
/// dimensions.
/// </summary>
/// <remarks>Source: Zbontar et al. 2021, arXiv 2103.03230. With more than two views the mean over all pairs.</remarks>
[Kind("barlow-twins")]
public sealed record BarlowTwinsOptions() : MethodOptions(minViews: 2, maxViews: 16)
{
    /// <summary>Weight of the correlations between different dimensions in the loss; 0.0051 as published.</summary>
    [Range(0.0, 10.0)] public double RedundancyWeight { get; init; } = 0.0051;

    /// <summary>
    /// Width of the two hidden layers of the projector, the small network between vector and loss; 8192 as published.
    /// </summary>
    [Range(1, 65_536)] public int ProjectorHidden { get; init; } = 8192;

    /// <summary>Width of the embedding, the projector's output that the loss compares; 8192 as published.</summary>
    [Range(2, 65_536)] public int ProjectorOutput { get; init; } = 8192;

    /// <inheritdoc/>
    public override IReadOnlyList<ViewPolicy> PaperViews(int size, int channels) => PaperPolicies.Byol(size, channels);

    /// <inheritdoc/>
    protected override SiameseMethod Build(MethodSetup setup) => new BarlowTwins(this, setup);
}

/// <summary>Barlow Twins' networks and loss; see <see cref="BarlowTwinsOptions"/>.</summary>
internal sealed class BarlowTwins : SiameseMethod
{
    private readonly nn.Module<Tensor, Tensor> projector;
    private readonly double _weight;
    private readonly int _dimensions;

    internal BarlowTwins(BarlowTwinsOptions options, MethodSetup setup) : base("Barlow Twins", setup.MakeBackbone())
    {
        (_weight, _dimensions) = (options.RedundancyWeight, options.ProjectorOutput);
        projector = Mlp.Create("Projector", setup.Seed, HeadEnd.Plain, setup.Width, options.ProjectorHidden,
            options.ProjectorHidden, options.ProjectorOutput);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override LossTerms Loss(ViewBatch batch)
    {
        CheckBatch(batch, "Barlow Twins");
        using var scope = NewDisposeScope();
        var embeddings = projector.forward(Represent(Backbone, batch.Views));
        var (invariance, redundancy) = LossOf(embeddings.chunk(batch.Views.Count));
        return Terms(invariance.Plus(Held(_weight) * redundancy), embeddings, ("invariance", invariance.detach()),
            ("redundancy", redundancy.detach()));
    }

    /// <inheritdoc/>
    public override double? LossWhenCollapsed(ViewBatch batch) => _dimensions;

    /// <summary>The two terms, each the mean over all pairs of views.</summary>
    /// <remarks>
    /// Definition: with C the correlations between the dimensions of two views over the batch (each standardised with
    /// its own mean and biased variance plus 1e-5): the sum over i of (1 - C_ii)^2, and the sum over i not j of
    /// C_ij^2. Equation 1 of the paper.
    /// </remarks>
    /// <param name="z">V tensors (N, E); N 2 or more.</param>
    /// <returns>Differentiable scalars, owned by the caller.</returns>
    internal static (Tensor Invariance, Tensor Redundancy) LossOf(IReadOnlyList<Tensor> z)
    {
        using var scope = NewDisposeScope();
        Tensor[] standard = [.. z.Select(view => nn.functional.batch_norm(view, null!, null!, training: true))];
        var invariance = new List<Tensor>();
        var redundancy = new List<Tensor>();
        for (int a = 0; a < z.Count; a++)
        {
            for (int b = a + 1; b < z.Count; b++)
            {
                long samples = z[a].shape[0];
                var diagonal = (standard[a] * standard[b]).mean([0]);
                invariance.Add((diagonal - Held(1)).Squared().sum());
                redundancy.Add(
                    CrossProducts.SumOfSquares(standard[a], standard[b]) / Held(samples * samples) - diagonal.Squared().sum());
            }
        }
        return (stack(invariance).mean().MoveToOuterDisposeScope(), stack(redundancy).mean().MoveToOuterDisposeScope());
    }
}

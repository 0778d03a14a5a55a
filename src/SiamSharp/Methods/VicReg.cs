using System.ComponentModel.DataAnnotations;
using SiamSharp.Options;
using SiamSharp.Views;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>
/// VICReg: the views of an image get similar embeddings, every dimension keeps its variance, and no two dimensions say the
/// same.
/// </summary>
/// <remarks>
/// Source: Bardes et al. 2021, arXiv 2105.04906. With more than two views the invariance is the mean over all pairs.
/// </remarks>
[Kind("vicreg")]
public sealed record VicRegOptions() : MethodOptions(minViews: 2, maxViews: 16)
{
    /// <summary>Weight of the squared distance between views in the loss; 25 as published.</summary>
    [Range(0.0, 10_000.0)] public double InvarianceWeight { get; init; } = 25;

    /// <summary>
    /// Weight of the part of the loss that keeps up the standard deviation of each dimension (a hinge); 25 as published. 0
    /// lets the embedding collapse.
    /// </summary>
    [Range(0.0, 10_000.0)] public double VarianceWeight { get; init; } = 25;

    /// <summary>Weight of the squared covariances between dimensions in the loss; 1 as published.</summary>
    [Range(0.0, 10_000.0)] public double CovarianceWeight { get; init; } = 1;

    /// <summary>
    /// Width of the two hidden layers of the expander, the small network between vector and loss; 8192 as published.
    /// </summary>
    [Range(1, 65_536)] public int ProjectorHidden { get; init; } = 8192;

    /// <summary>Width of the embedding, the expander's output that the loss compares; 8192 as published.</summary>
    [Range(2, 65_536)] public int ProjectorOutput { get; init; } = 8192;

    /// <inheritdoc/>
    public override IEnumerable<Fault> WaysToCollapse()
    {
        if (VarianceWeight == 0)
            yield return new("varianceWeight",
                "is 0, so that nothing keeps the dimensions apart from a constant: 25 as published");
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ViewPolicy> PaperViews(int size, int channels) => PaperPolicies.Byol(size, channels);

    /// <inheritdoc/>
    protected override SiameseMethod Build(MethodSetup setup) => new VicReg(this, setup);
}

/// <summary>VICReg's networks and loss; see <see cref="VicRegOptions"/>.</summary>
internal sealed class VicReg : SiameseMethod
{
    private const double Epsilon = 1e-4;

    private readonly nn.Module<Tensor, Tensor> projector;
    private readonly VicRegOptions _options;

    internal VicReg(VicRegOptions options, MethodSetup setup) : base("VICReg", setup.MakeBackbone())
    {
        _options = options;
        projector = Mlp.Create("Projector", setup.Seed, HeadEnd.Plain, setup.Width, options.ProjectorHidden,
            options.ProjectorHidden, options.ProjectorOutput);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override LossTerms Loss(ViewBatch batch)
    {
        CheckBatch(batch, "VICReg");
        using var scope = NewDisposeScope();
        var embeddings = projector.forward(Represent(Backbone, batch.Views));
        var (invariance, variance, covariance) = LossOf(embeddings.chunk(batch.Views.Count));
        var total = (Held(_options.InvarianceWeight) * invariance).Plus(Held(_options.VarianceWeight) * variance)
            .Plus(Held(_options.CovarianceWeight) * covariance);
        return Terms(total, embeddings, ("invariance", invariance.detach()), ("variance", variance.detach()),
            ("covariance", covariance.detach()));
    }

    /// <inheritdoc/>
    public override double? LossWhenCollapsed(ViewBatch batch) => _options.VarianceWeight * (1 - Math.Sqrt(Epsilon));

    /// <summary>The three terms without their weights.</summary>
    /// <remarks>
    /// Definition: invariance = mean over pairs of views, samples and dimensions of the squared difference; variance = mean over
    /// views and dimensions of max(0, 1 - sqrt(unbiased variance + 1e-4)); covariance = twice the mean over views of the sum over
    /// i not j of Cov_ij^2 / E. Source: equations 1 to 6. Differences: the variance term is the mean of the two views as in the
    /// authors' code, where the paper adds them; the covariance term adds them in both.
    /// </remarks>
    /// <param name="z">V tensors (N, E); N 2 or more.</param>
    /// <returns>Differentiable scalars, owned by the caller.</returns>
    internal static (Tensor Invariance, Tensor Variance, Tensor Covariance) LossOf(IReadOnlyList<Tensor> z)
    {
        using var scope = NewDisposeScope();
        var pairs = new List<Tensor>();
        for (int a = 0; a < z.Count; a++)
            for (int b = a + 1; b < z.Count; b++) pairs.Add((z[a] - z[b]).Squared().mean());
        var (variance, covariance) = (new List<Tensor>(), new List<Tensor>());
        foreach (Tensor view in z)
        {
            var centred = view - view.mean([0]);
            long freedom = view.shape[0] - 1;
            var diagonal = centred.Squared().sum(dim: 0) / Held(freedom);
            variance.Add((-diagonal.Plus(Epsilon).sqrt()).Plus(1).relu().mean());
            covariance.Add((CrossProducts.SumOfSquares(centred, centred) / Held(freedom * freedom) - diagonal.Squared().sum())
                / Held(view.shape[1]));
        }
        return (stack(pairs).mean().MoveToOuterDisposeScope(), stack(variance).mean().MoveToOuterDisposeScope(),
            (stack(covariance).mean() * Held(2)).MoveToOuterDisposeScope());
    }
}

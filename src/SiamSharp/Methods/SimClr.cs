using System.ComponentModel.DataAnnotations;
using SiamSharp.Options;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>SimCLR: views of one image get similar vectors, all other images of the batch different ones.</summary>
/// <remarks>Source: Chen et al. 2020, arXiv 2002.05709. Larger batches give more negatives; published with 256 to 8192.</remarks>
[Kind("simclr")]
public sealed record SimClrOptions() : MethodOptions(minViews: 2, maxViews: 64)
{
    /// <summary>
    /// Cosine similarities are divided by this temperature. The lower, the more the most similar images count. Published: 0.1
    /// (ImageNet) and 0.5 (CIFAR-10); 0.2 lies between, and the figures recorded here have it.
    /// </summary>
    [Range(0.001, 10.0)] public double Temperature { get; init; } = 0.2;

    /// <summary>
    /// Width of the hidden layer of the projector, the small network between vector and loss; 0 = as wide as the vector, as
    /// published.
    /// </summary>
    [Range(0, 65_536)] public int ProjectorHidden { get; init; }

    /// <summary>Width of the embedding, the projector's output that the loss compares; 128 as published.</summary>
    [Range(2, 65_536)] public int ProjectorOutput { get; init; } = 128;

    /// <summary>
    /// Whether the embedding is batch-normalised before it is scaled to length 1, as in the authors' code (theirs has a scale
    /// and no shift). The figures recorded here are without it.
    /// </summary>
    public bool NormalizeOutput { get; init; }

    /// <inheritdoc/>
    protected override SiameseMethod Build(MethodSetup setup) => new SimClr(this, setup);
}

/// <summary>SimCLR's networks and loss; see <see cref="SimClrOptions"/>.</summary>
internal sealed class SimClr : SiameseMethod
{
    private readonly nn.Module<Tensor, Tensor> projector;
    private readonly double _temperature;

    internal SimClr(SimClrOptions options, MethodSetup setup) : base("SimCLR", setup.MakeBackbone())
    {
        int hidden = options.ProjectorHidden > 0 ? options.ProjectorHidden : setup.Width;
        projector = Mlp.Create("Projector", setup.Seed, options.NormalizeOutput ? HeadEnd.Normalized : HeadEnd.Bias,
            setup.Width, hidden, options.ProjectorOutput);
        _temperature = options.Temperature;
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override LossTerms Loss(ViewBatch batch)
    {
        using var scope = NewDisposeScope();
        int views = batch.Views.Count;
        var embeddings = projector.forward(Represent(Backbone, batch.Views));
        NtXent.Check(embeddings.chunk(views), _temperature);
        var normalized = Normalize(embeddings);
        var total = NtXent.LossOfNormalized(normalized, views, _temperature);
        return Terms(total, embeddings, ("positive_cosine", NtXent.MeanPositive(normalized.detach(), views)));
    }

    /// <inheritdoc/>
    public override double? LossWhenCollapsed(ViewBatch batch) => Math.Log(batch.Views.Count * batch.Samples - 1);
}

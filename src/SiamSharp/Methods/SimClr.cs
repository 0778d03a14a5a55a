using System.ComponentModel.DataAnnotations;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>SimCLR: agree with the other views of an image, differ from every other image of the batch.</summary>
/// <remarks>Source: Chen et al. 2020, arXiv 2002.05709. Larger batches give more negatives; published with 256 to 8192.</remarks>
public sealed record SimClrOptions() : MethodOptions(minViews: 2, maxViews: 64)
{
    /// <summary>Divides the cosine similarities. Published: 0.1 (ImageNet) and 0.5 (CIFAR-10); 0.2 lies between.</summary>
    [Range(0.001, 10.0)] public double Temperature { get; init; } = 0.2;

    /// <summary>Width of the projector's hidden layer; 0 = that of the representation, as published.</summary>
    [Range(0, 65_536)] public int ProjectorHidden { get; init; }

    /// <summary>Width of the embedding; 128 as published.</summary>
    [Range(2, 65_536)] public int ProjectorOutput { get; init; } = 128;

    /// <summary>Whether the embedding is batch-normalised before its norm is taken, as in the authors' code.</summary>
    public bool NormalizeOutput { get; init; }

    /// <inheritdoc/>
    public override SiameseMethod Create(nn.Module<Tensor, Tensor> backbone, int backboneWidth, ulong seed) =>
        new SimClr(this, backbone, backboneWidth, seed);
}

/// <summary>SimCLR's networks and loss; see <see cref="SimClrOptions"/>.</summary>
public sealed class SimClr : SiameseMethod
{
    private readonly nn.Module<Tensor, Tensor> projector;
    private readonly double _temperature;

    internal SimClr(SimClrOptions options, nn.Module<Tensor, Tensor> backbone, int width, ulong seed) : base("SimCLR", backbone)
    {
        int hidden = options.ProjectorHidden > 0 ? options.ProjectorHidden : width;
        projector = Projector.Create(width, hidden, options.ProjectorOutput, options.NormalizeOutput, seed);
        _temperature = options.Temperature;
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override LossTerms Loss(IReadOnlyList<Tensor> views)
    {
        using var scope = NewDisposeScope();
        var embeddings = projector.forward(Represent(Backbone, views));
        NtXent.Check(embeddings.chunk(views.Count), _temperature);
        var normalized = nn.functional.normalize(embeddings, p: 2, dim: 1, eps: 1e-12);
        var total = NtXent.LossOfNormalized(normalized, views.Count, _temperature);

        var watched = normalized.detach();
        var positive = NtXent.MeanPositive(watched, views.Count);
        return new(total.MoveToOuterDisposeScope(),
        [
            ("positive_cosine", positive.MoveToOuterDisposeScope()),
            ("embedding_spread", Collapse.Spread(watched).MoveToOuterDisposeScope()),
        ]);
    }
}

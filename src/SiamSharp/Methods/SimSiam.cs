using System.ComponentModel.DataAnnotations;
using SiamSharp.Options;
using SiamSharp.Views;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>
/// SimSiam: from one view the network predicts the embedding of another view. It needs no other images to compare with (no
/// negatives), and no moving average of itself.
/// </summary>
/// <remarks>
/// Source: Chen and He 2020, arXiv 2011.10566, with the three-layer projector of section 4. What keeps it from collapsing is that
/// no gradient flows into the embedding that is predicted.
/// Differences: the authors keep the predictor's learning rate constant, where here one schedule holds for all weights, and let
/// all of them decay, for which there is optimizer.decayBiases.
/// </remarks>
[Kind("simsiam")]
public sealed record SimSiamOptions() : MethodOptions(minViews: 2, maxViews: 64)
{
    /// <summary>
    /// Width of the hidden layers of the projector, the small network between vector and loss; 0 = as wide as the vector, as
    /// published.
    /// </summary>
    [Range(0, 65_536)] public int ProjectorHidden { get; init; }

    /// <summary>Width of the embedding, the projector's output that the loss compares; 2048 as published.</summary>
    [Range(2, 65_536)] public int ProjectorOutput { get; init; } = 2048;

    /// <summary>Width of the hidden layer of the predictor, narrower than the embedding; 512 as published.</summary>
    [Range(1, 65_536)] public int PredictorHidden { get; init; } = 512;

    /// <summary>
    /// Whether the embedding that is predicted gets no gradient; true as published. With false all images become equal
    /// (collapse).
    /// </summary>
    public bool StopGradient { get; init; } = true;

    /// <inheritdoc/>
    public override IEnumerable<Fault> WaysToCollapse()
    {
        if (!StopGradient)
            yield return new("stopGradient", "is false, so that both views may move to one point: true as published");
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ViewPolicy> PaperViews(int size, int channels) => PaperPolicies.SimSiam(size, channels);

    /// <inheritdoc/>
    protected override SiameseMethod Build(MethodSetup setup) => new SimSiam(this, setup);
}

/// <summary>SimSiam's networks and loss; see <see cref="SimSiamOptions"/>.</summary>
internal sealed class SimSiam : SiameseMethod
{
    private readonly nn.Module<Tensor, Tensor> projector, predictor;
    private readonly bool _stopGradient;

    internal SimSiam(SimSiamOptions options, MethodSetup setup) : base("SimSiam", setup.MakeBackbone())
    {
        _stopGradient = options.StopGradient;
        int hidden = options.ProjectorHidden > 0 ? options.ProjectorHidden : setup.Width;
        projector = Mlp.Create("Projector", setup.Seed, HeadEnd.Standardized, setup.Width, hidden,
            hidden, options.ProjectorOutput);
        predictor = Mlp.Create("Predictor", setup.Seed, HeadEnd.Bias, options.ProjectorOutput,
            options.PredictorHidden, options.ProjectorOutput);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override LossTerms Loss(ViewBatch batch)
    {
        CheckBatch(batch, "SimSiam");
        using var scope = NewDisposeScope();
        var embeddings = projector.forward(Represent(Backbone, batch.Views));
        var targets = embeddings.narrow(0, 0, batch.Targets.Count * batch.Samples);
        return Terms(CosineRegression.Loss(predictor.forward(embeddings), targets, batch.Samples, _stopGradient), embeddings);
    }
}

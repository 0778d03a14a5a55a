using System.ComponentModel.DataAnnotations;
using SiamSharp.Options;
using SiamSharp.Views;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>
/// BYOL: from one view the network predicts what its moving average, the target network, makes of another view. No other
/// images are needed to compare with (no negatives).
/// </summary>
/// <remarks>
/// Source: Grill et al. 2020, arXiv 2006.07733. Every pair of a view and a target view other than it counts alike.
/// Differences: the last layers of projector and predictor have a bias, which the authors leave out;
/// it stays for the sake of earlier runs and their figures.
/// </remarks>
[Kind("byol")]
public sealed record ByolOptions() : MethodOptions(minViews: 2, maxViews: 64)
{
    /// <summary>
    /// How slowly the target network follows: the share that it keeps of itself at each step. It starts with this and rises
    /// to 1 along half a cosine. 0.996 as published for 1,000 epochs; the authors' code has 0.99 for 100 to 300 epochs and
    /// 0.97 for 40.
    /// </summary>
    [Range(0.0, 1.0)] public double EmaDecay { get; init; } = 0.996;

    /// <summary>
    /// Width of the hidden layers of projector and predictor, the small networks between vector and loss; 4096 as published.
    /// </summary>
    [Range(1, 65_536)] public int HeadHidden { get; init; } = 4096;

    /// <summary>Width of the embedding, the projector's output that the loss compares; 256 as published.</summary>
    [Range(2, 65_536)] public int ProjectorOutput { get; init; } = 256;

    /// <summary>Whether the embedding is standardised over the batch, as in SimSiam. In the paper it is not.</summary>
    public bool NormalizeOutput { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyList<ViewPolicy> PaperViews(int size, int channels) => PaperPolicies.Byol(size, channels);

    /// <inheritdoc/>
    protected override SiameseMethod Build(MethodSetup setup) => new Byol(this, setup);
}

/// <summary>BYOL's networks and loss; see <see cref="ByolOptions"/>.</summary>
internal sealed class Byol : SiameseMethod
{
    private readonly nn.Module<Tensor, Tensor> projector, predictor;
    private readonly TargetNetwork target;
    private readonly double _decay;

    internal Byol(ByolOptions options, MethodSetup setup) : base("BYOL", setup.MakeBackbone())
    {
        _decay = options.EmaDecay;
        projector = Project();
        predictor = Mlp.Create("Predictor", setup.Seed, HeadEnd.Bias, options.ProjectorOutput,
            options.HeadHidden, options.ProjectorOutput);
        target = new TargetNetwork(setup.MakeBackbone(), Project(), Backbone, projector);
        RegisterComponents();

        nn.Module<Tensor, Tensor> Project() =>
            Mlp.Create("Projector", setup.Seed, options.NormalizeOutput ? HeadEnd.Standardized : HeadEnd.Bias, setup.Width,
                options.HeadHidden, options.ProjectorOutput);
    }

    /// <inheritdoc/>
    public override LossTerms Loss(ViewBatch batch)
    {
        CheckBatch(batch, "BYOL");
        using var scope = NewDisposeScope();
        var embeddings = projector.forward(Represent(Backbone, batch.Views));
        return Terms(LossOf(predictor.forward(embeddings), target.Embed(batch.Targets), batch.Samples), embeddings);
    }

    /// <summary>2 - 2 cosine, summed over both directions, mean over the batch: equation 2 of the paper.</summary>
    internal static Tensor LossOf(Tensor predictions, Tensor targets, long samples)
    {
        using var scope = NewDisposeScope();
        return (CosineRegression.Loss(predictions, targets, samples) * Held(4)).Plus(4).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override void AfterStep(ViewBatch batch, LossTerms terms) =>
        target.Follow(TargetNetwork.DecayAt(_decay, batch.Progress));
}

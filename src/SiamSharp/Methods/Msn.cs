using System.ComponentModel.DataAnnotations;
using SiamSharp.Masking;
using SiamSharp.Options;
using SiamSharp.Views;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>
/// MSN: masked views (the anchors) are assigned to the same prototypes as another view of the image (the target), and all
/// prototypes are to be used.
/// </summary>
/// <remarks>
/// Source: Assran et al. 2022, arXiv 2204.07141. The first view is the target, all others are anchors: mask the anchors only for
/// the published setting. The target network's backbone is what is kept.
/// Differences: the authors' moving average rises to 1 linearly, their heads have GELU where these have ReLU, their prototypes do
/// not decay and their weight decay rises from 0.04 to 0.4; they leave out 15 % of an anchor's patches at random. Here the
/// average rises as BYOL's, the decay is constant and holds for prototypes too (whose length no cosine sees), and patches are
/// left out by the masks of the views alone: the parts that all methods share, and the recorded figures have.
/// </remarks>
[Kind("msn")]
public sealed record MsnOptions() : MethodOptions(minViews: 2, maxViews: 64)
{
    /// <summary>Number of prototypes: learned vectors that stand for groups of images; 1024 as published.</summary>
    [Range(2, 1 << 20)] public int Prototypes { get; init; } = 1024;

    /// <summary>Cosine similarities to the prototypes are divided by this temperature; 0.1 as published.</summary>
    [Range(0.001, 10.0)] public double Temperature { get; init; } = 0.1;

    /// <summary>
    /// How sharp the target's assignments are: its probabilities are taken to the power of 1 / this. The lower, the sharper;
    /// 0.25 as published.
    /// </summary>
    [Range(0.01, 1.0)] public double TargetSharpening { get; init; } = 0.25;

    /// <summary>
    /// How strongly the loss asks that all prototypes are used: weight of the entropy of the mean prediction; 1 as published.
    /// </summary>
    [Range(0.0, 1000.0)] public double EntropyWeight { get; init; } = 1;

    /// <summary>
    /// Iterations of Sinkhorn's algorithm, which spreads the targets evenly over the prototypes; 3 in the authors' settings,
    /// 0 = none.
    /// </summary>
    [Range(0, 100)] public int SinkhornIterations { get; init; } = 3;

    /// <summary>
    /// How slowly the target network follows: the share that it keeps of itself at each step. It starts with this and rises
    /// to 1 along half a cosine (the authors': linearly); 0.996 as published.
    /// </summary>
    [Range(0.0, 1.0)] public double EmaDecay { get; init; } = 0.996;

    /// <summary>
    /// Width of the two hidden layers of the projector, the small network between vector and loss; 2048 as published.
    /// </summary>
    [Range(1, 65_536)] public int ProjectorHidden { get; init; } = 2048;

    /// <summary>Width of the embedding, the projector's output that the loss compares; 256 as published.</summary>
    [Range(2, 65_536)] public int ProjectorOutput { get; init; } = 256;

    /// <inheritdoc/>
    public override string UsedTerm => SiamSharp.Methods.Prototypes.UsedTerm;

    /// <inheritdoc/>
    public override IEnumerable<string> NotesFor(int images, int batchSize, int epochs) =>
        SiamSharp.Methods.Prototypes.TooMany("method.prototypes", Prototypes, images) is { } many ? [many] : [];

    /// <inheritdoc/>
    public override IReadOnlyList<ViewPolicy> PaperViews(int size, int channels) =>
    [
        PaperPolicies.Branch(size, channels, minArea: 0.3),
        PaperPolicies.Branch(size, channels, minArea: 0.3) with { Masks = [new BlockMask { MinRatio = 0.15, MaxRatio = 0.15 }] },
        PaperPolicies.Branch(size, channels, minArea: 0.05, maxArea: 0.3, cropSize: 96) with { Count = 10 },
    ];

    /// <inheritdoc/>
    protected override SiameseMethod Build(MethodSetup setup) => new Msn(this, setup);
}

/// <summary>MSN's networks and loss; see <see cref="MsnOptions"/>.</summary>
internal sealed class Msn : SiameseMethod
{
    private readonly nn.Module<Tensor, Tensor> projector;
    private readonly Prototypes prototypes;
    private readonly TargetNetwork target;
    private readonly MsnOptions _options;

    internal Msn(MsnOptions options, MethodSetup setup) : base("MSN", setup.MakeBackbone())
    {
        _options = options;
        projector = Project();
        prototypes = new Prototypes(options.Prototypes, options.ProjectorOutput, setup.Seed);
        target = new TargetNetwork(setup.MakeBackbone(), Project(), Backbone, projector);
        RegisterComponents();

        nn.Module<Tensor, Tensor> Project() => Mlp.Create("Projector", setup.Seed, HeadEnd.Bias,
            setup.Width, options.ProjectorHidden, options.ProjectorHidden, options.ProjectorOutput);
    }

    /// <inheritdoc/>
    public override nn.Module<Tensor, Tensor> Encoder => target.Backbone;

    /// <inheritdoc/>
    public override LossTerms Loss(ViewBatch batch)
    {
        CheckBatch(batch, "MSN");
        using var scope = NewDisposeScope();
        var anchors = projector.forward(Represent(Backbone, [.. batch.Views.Skip(1)]));
        var wanted = prototypes.Score(Normalize(target.Embed([batch.Views[0]])), frozen: true, projected: true);
        var (match, entropy) = LossOf(prototypes.Score(Normalize(anchors), projected: true), wanted,
            _options.Temperature, _options.TargetSharpening, _options.SinkhornIterations);
        return Terms(match - Held(_options.EntropyWeight) * entropy, anchors, ("match", match.detach()),
            (Prototypes.UsedTerm, entropy.detach().exp()));
    }

    /// <inheritdoc/>
    public override double? LossWhenCollapsed(ViewBatch batch) => Math.Log(_options.Prototypes) * (1 - _options.EntropyWeight);

    /// <summary>Cross entropy of the anchors with the sharpened targets, and the entropy of the
    /// anchors' mean prediction.</summary>
    /// <remarks>
    /// Definition: p+ = softmax(target cosines / T) to the power 1 / sharpening, each row to a sum of 1, balanced by Sinkhorn's
    /// algorithm; match = mean over anchors of - sum over P of p+ log p; entropy = - sum over P of m log m with m the mean of p.
    /// Source: equation 1 of the paper, the loss being match - weight * entropy. Some code adds the constant weight * log P.
    /// </remarks>
    /// <param name="anchors">(M N, P): cosines of M anchors, view by view.</param>
    /// <param name="targets">(N, P): cosines, without gradient.</param>
    /// <param name="temperature">T, above 0.</param>
    /// <param name="sharpening">0 to 1.</param>
    /// <param name="iterations">0 or more.</param>
    /// <returns>Differentiable scalars, owned by the caller.</returns>
    internal static (Tensor Match, Tensor Entropy) LossOf(
        Tensor anchors, Tensor targets, double temperature, double sharpening, int iterations)
    {
        using var scope = NewDisposeScope();
        // of a power of the softmax, brought to a sum of 1
        var sharp = (targets.detach() / Held(temperature * sharpening)).log_softmax(1);
        var wanted = Sinkhorn.BalanceLogarithms(sharp, iterations).repeat(anchors.shape[0] / targets.shape[0], 1);
        var logarithms = (anchors / Held(temperature)).log_softmax(1);
        var match = -(wanted * logarithms).sum(1).mean();
        // in logarithms: a prototype that no anchor takes has no log 0
        var mean = logarithms.logsumexp(0).Plus(-Math.Log(anchors.shape[0]));
        var entropy = -(mean.exp() * mean).sum();
        return (match.MoveToOuterDisposeScope(), entropy.MoveToOuterDisposeScope());
    }

    /// <inheritdoc/>
    public override void AfterStep(ViewBatch batch, LossTerms terms) =>
        target.Follow(TargetNetwork.DecayAt(_options.EmaDecay, batch.Progress));
}

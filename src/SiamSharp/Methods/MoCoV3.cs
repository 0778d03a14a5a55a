using System.ComponentModel.DataAnnotations;
using SiamSharp.Options;
using SiamSharp.Views;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>
/// MoCo v3: what the network predicts from one view is similar to what its moving average, the momentum encoder, makes of
/// another view, and different from what that makes of the other images of the batch.
/// </summary>
/// <remarks>
/// Source: Chen et al. 2021, arXiv 2104.02057, algorithm 1 and section 3, with the two-layer projector for ConvNets.
/// Every pair of a view and a target view other than it counts alike.
/// Differences: with a ViT the authors have a projector of three layers, a batch normalisation after the predictor, patches
/// projected by weights that stay as they were drawn, fixed positions (sines and cosines), temperature 0.2 and crops from 0.08 of
/// the area. Here a ViT has the heads of the ConvNet and learns all of its weights; temperature and crops are options.
/// </remarks>
[Kind("moco-v3")]
public sealed record MoCoV3Options() : MethodOptions(minViews: 2, maxViews: 64)
{
    /// <summary>
    /// Cosine similarities are divided by this temperature. The lower, the more the most similar images count. Published: 1.0
    /// (ResNet-50), 0.2 (ViT).
    /// </summary>
    [Range(0.001, 10.0)] public double Temperature { get; init; } = 1.0;

    /// <summary>
    /// How slowly the momentum encoder follows: the share that it keeps of itself at each step. It starts with this and rises
    /// to 1 along half a cosine; 0.99 as published.
    /// </summary>
    [Range(0.0, 1.0)] public double EmaDecay { get; init; } = 0.99;

    /// <summary>
    /// Width of the hidden layers of projector and predictor, the small networks between vector and loss; 4096 as published.
    /// </summary>
    [Range(1, 65_536)] public int HeadHidden { get; init; } = 4096;

    /// <summary>Width of the embedding, the projector's output that the loss compares; 256 as published.</summary>
    [Range(2, 65_536)] public int ProjectorOutput { get; init; } = 256;

    /// <inheritdoc/>
    public override IReadOnlyList<ViewPolicy> PaperViews(int size, int channels) =>
        PaperPolicies.Byol(size, channels, minArea: 0.2);

    /// <inheritdoc/>
    protected override SiameseMethod Build(MethodSetup setup) => new MoCoV3(this, setup);
}

/// <summary>MoCo v3's networks and loss; see <see cref="MoCoV3Options"/>.</summary>
internal sealed class MoCoV3 : SiameseMethod
{
    private readonly nn.Module<Tensor, Tensor> projector, predictor;
    private readonly TargetNetwork target;
    private readonly MoCoV3Options _options;

    internal MoCoV3(MoCoV3Options options, MethodSetup setup) : base("MoCo v3", setup.MakeBackbone())
    {
        _options = options;
        projector = Project();
        predictor = Mlp.Create("Predictor", setup.Seed, HeadEnd.Plain, options.ProjectorOutput,
            options.HeadHidden, options.ProjectorOutput);
        target = new TargetNetwork(setup.MakeBackbone(), Project(), Backbone, projector);
        RegisterComponents();

        nn.Module<Tensor, Tensor> Project() => Mlp.Create("Projector", setup.Seed, HeadEnd.Standardized,
            setup.Width, options.HeadHidden, options.ProjectorOutput);
    }

    /// <inheritdoc/>
    public override LossTerms Loss(ViewBatch batch)
    {
        CheckBatch(batch, "MoCo v3");
        using var scope = NewDisposeScope();
        var embeddings = projector.forward(Represent(Backbone, batch.Views));
        Tensor[] queries = Normalize(predictor.forward(embeddings)).chunk(batch.Views.Count);
        IReadOnlyList<Tensor> targets = batch.Targets;
        Tensor[] keys = Normalize(target.Embed(targets)).chunk(targets.Count);
        return Terms(LossOf(queries, keys, _options.Temperature), embeddings);
    }

    /// <inheritdoc/>
    public override double? LossWhenCollapsed(ViewBatch batch) => 4 * _options.Temperature * Math.Log(batch.Samples);

    /// <summary>Twice the temperature times the mean loss over all pairs, times the 2 of the two directions that
    /// the paper adds up.</summary>
    /// <param name="queries">V tensors (N, E), rows of norm 1.</param>
    /// <param name="keys">T tensors (N, E) of the first T views, rows of norm 1.</param>
    /// <param name="temperature">Above 0.</param>
    /// <returns>A differentiable scalar, owned by the caller.</returns>
    internal static Tensor LossOf(IReadOnlyList<Tensor> queries, IReadOnlyList<Tensor> keys, double temperature)
    {
        using var scope = NewDisposeScope();
        Tensor[] pairs =
        [
            .. from k in Enumerable.Range(0, keys.Count)
               from q in Enumerable.Range(0, queries.Count)
               where q != k
               select InfoNce.LossInBatch(queries[q], keys[k], temperature),
        ];
        return (stack(pairs).mean() * Held(4 * temperature)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override void AfterStep(ViewBatch batch, LossTerms terms) =>
        target.Follow(TargetNetwork.DecayAt(_options.EmaDecay, batch.Progress));
}

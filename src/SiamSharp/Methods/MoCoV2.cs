using System.ComponentModel.DataAnnotations;
using SiamSharp.Recipes;
using SiamSharp.Views;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>MoCo v2: a query agrees with its key and differs from a long queue of keys of earlier images.</summary>
/// <remarks>
/// Source: He et al. 2019, arXiv 1911.05722 (queue, momentum encoder); Chen et al. 2020, arXiv 2003.04297 (projector, temperature).
/// The first view gives the key, all others are queries.
/// Differences: no shuffling of the batch. It hides which queries and keys share batch statistics when several devices each
/// normalise their part of a batch; in one process all keys share one set of statistics, in whatever order.
/// </remarks>
[Framework("moco-v2")]
public sealed record MoCoV2Options() : MethodOptions(minViews: 2, maxViews: 64)
{
    /// <summary>Divides the cosine similarities; 0.2 as published.</summary>
    [Range(0.001, 10.0)] public double Temperature { get; init; } = 0.2;

    /// <summary>Keys in the queue, a multiple of the batch size; 65536 as published, for 1.3 million images.</summary>
    [Range(1, 1 << 22)] public int QueueSize { get; init; } = 65_536;

    /// <summary>Share that the momentum encoder keeps of itself at each step; 0.999 as published.</summary>
    [Range(0.0, 1.0)] public double EmaDecay { get; init; } = 0.999;

    /// <summary>Width of the projector's hidden layer; 0 = that of the representation, as published.</summary>
    [Range(0, 65_536)] public int ProjectorHidden { get; init; }

    /// <summary>Width of the embedding; 128 as published.</summary>
    [Range(2, 65_536)] public int ProjectorOutput { get; init; } = 128;

    /// <inheritdoc/>
    public override IEnumerable<Fault> FaultsFor(int batchSize) => FeatureQueue.FaultsOf(QueueSize, batchSize);

    /// <inheritdoc/>
    public override IReadOnlyList<BranchOptions> PaperViews(int size, int channels) => PaperBranches.MoCo(size, channels);

    /// <inheritdoc/>
    protected override SiameseMethod Build(MethodSetup setup) => new MoCoV2(this, setup);
}

/// <summary>MoCo v2's networks and loss; see <see cref="MoCoV2Options"/>.</summary>
public sealed class MoCoV2 : SiameseMethod
{
    private readonly nn.Module<Tensor, Tensor> projector;
    private readonly TargetNetwork target;
    private readonly FeatureQueue queue;
    private readonly MoCoV2Options _options;
    private Tensor? _keys; // of the last batch: they enter the queue once its backward pass is done

    internal MoCoV2(MoCoV2Options options, MethodSetup setup) : base("MoCo v2", setup.MakeBackbone())
    {
        _options = options;
        projector = Project();
        target = new TargetNetwork(setup.MakeBackbone(), Project(), Backbone, projector);
        queue = new FeatureQueue(options.QueueSize, options.ProjectorOutput, setup.Seed);
        RegisterComponents();

        nn.Module<Tensor, Tensor> Project() => Mlp.Create("Projector", setup.Seed, HeadEnd.Bias,
            setup.Width, options.ProjectorHidden > 0 ? options.ProjectorHidden : setup.Width, options.ProjectorOutput);
    }

    /// <inheritdoc/>
    public override LossTerms Loss(ViewBatch batch)
    {
        CheckBatch(batch, "MoCo v2");
        using var scope = NewDisposeScope();
        int queries = batch.Views.Count - 1;
        var embeddings = projector.forward(Represent(Backbone, [.. batch.Views.Skip(1)]));
        var q = Normalize(embeddings);
        var k = Normalize(target.Embed([batch.Views[0]]));
        var total = InfoNce.LossWithQueue(q, k.repeat(queries, 1), queue.Rows, _options.Temperature);
        var positive = (q.detach().view(queries, -1, q.shape[1]) * k).sum(-1).mean();
        _keys = k.MoveToOuterDisposeScope();
        return Terms(total, embeddings, ("positive_cosine", positive));
    }

    /// <inheritdoc/>
    public override double? LossWhenCollapsed(ViewBatch batch) => Math.Log(1.0 + _options.QueueSize);

    /// <inheritdoc/>
    public override void AfterStep(double progress)
    {
        if (_keys is not null) queue.Add(_keys);
        _keys = null;
        target.Follow(_options.EmaDecay);
    }
}

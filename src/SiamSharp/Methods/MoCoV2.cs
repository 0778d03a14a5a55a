using System.ComponentModel.DataAnnotations;
using SiamSharp.Backbones;
using SiamSharp.Options;
using SiamSharp.Randomness;
using SiamSharp.Views;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>
/// MoCo v2: views of one image get similar vectors, and many earlier images, which a queue keeps, different ones.
/// </summary>
/// <remarks>
/// Source: He et al. 2019, arXiv 1911.05722 (queue, momentum encoder); Chen et al. 2020, arXiv 2003.04297
/// (projector, temperature). The first view gives the key, all others are queries.
/// </remarks>
[Kind("moco-v2")]
public sealed record MoCoV2Options() : MethodOptions(minViews: 2, maxViews: 64)
{
    /// <summary>
    /// Cosine similarities are divided by this temperature. The lower, the more the most similar images count. 0.2 as
    /// published.
    /// </summary>
    [Range(0.001, 10.0)] public double Temperature { get; init; } = 0.2;

    /// <summary>
    /// How many embeddings of earlier images the queue holds, a multiple of the batch size. 65536 as published, for 1.3
    /// million images; choose no more than you have images.
    /// </summary>
    [Range(1, 1 << 22)] public int QueueSize { get; init; } = 65_536;

    /// <summary>
    /// How slowly the momentum encoder, a moving average of the network, follows: the share that it keeps of itself at each
    /// step; 0.999 as published.
    /// </summary>
    [Range(0.0, 1.0)] public double EmaDecay { get; init; } = 0.999;

    /// <summary>
    /// Width of the hidden layer of the projector, the small network between vector and loss; 0 = as wide as the vector, as
    /// published.
    /// </summary>
    [Range(0, 65_536)] public int ProjectorHidden { get; init; }

    /// <summary>Width of the embedding, the projector's output that the loss compares; 128 as published.</summary>
    [Range(2, 65_536)] public int ProjectorOutput { get; init; } = 128;

    /// <summary>
    /// Whether a batch normalisation follows the hidden layer of the projector. The authors' has none. Short runs of small
    /// networks learn much faster with it (docs/EXPERIMENTS.md), so the recipe moco-v2 has it.
    /// </summary>
    public bool HeadBatchNorm { get; init; }

    /// <summary>
    /// In how many parts of the batch, each by itself, batch statistics are taken in training; 1 = the whole batch. The keys
    /// are shuffled among the parts. The authors train on 8 GPUs, each with statistics of its own, and their one-GPU demo
    /// takes 8 parts. In short runs with small batches 8 gained nothing (docs/EXPERIMENTS.md): it is for long runs with
    /// batches of 256 and more.
    /// </summary>
    [Range(1, 1024)] public int NormSplits { get; init; } = 1;

    /// <inheritdoc/>
    public override IEnumerable<Fault> FaultsFor(int batchSize)
    {
        foreach (Fault fault in FeatureQueue.FaultsOf(QueueSize, batchSize)) yield return fault;
        if (batchSize < 2 * NormSplits)
            yield return new("normSplits", $"{NormSplits} parts of a batch of {batchSize} would have fewer than 2 images: "
                + $"choose at most {Math.Max(1, batchSize / 2)}");
    }

    /// <inheritdoc/>
    public override IEnumerable<string> NotesFor(int images, int batchSize, int epochs)
    {
        if (FeatureQueue.TooLong(QueueSize, images, batchSize, "an image is told apart from itself") is { } note)
            yield return note;
    }

    /// <inheritdoc/>
    public override IEnumerable<Fault> FaultsFor(BackboneOptions backbone)
    {
        if (NormSplits > 1 && !backbone.HasBatchNormalization)
            yield return new("normSplits",
                $"is {NormSplits}, but {backbone.Name} has no batch normalisation: leave it 1, or choose a ResNet or a RegNet");
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ViewPolicy> PaperViews(int size, int channels) => PaperPolicies.MoCo(size, channels);

    /// <inheritdoc/>
    protected override SiameseMethod Build(MethodSetup setup) => new MoCoV2(this, setup);
}

/// <summary>MoCo v2's networks and loss; see <see cref="MoCoV2Options"/>.</summary>
internal sealed class MoCoV2 : SiameseMethod
{
    private readonly nn.Module<Tensor, Tensor> projector;
    private readonly TargetNetwork target;
    private readonly FeatureQueue queue;
    private readonly MoCoV2Options _options;
    private readonly ulong _seed;

    internal MoCoV2(MoCoV2Options options, MethodSetup setup) : base("MoCo v2", setup.MakeBackbone())
    {
        (_options, _seed) = (options, setup.Seed);
        projector = Project();
        target = new TargetNetwork(setup.MakeBackbone(), Project(), Backbone, projector);
        queue = new FeatureQueue(options.QueueSize, options.ProjectorOutput, setup.Seed);
        RegisterComponents();
        SplitStatistics();

        nn.Module<Tensor, Tensor> Project()
        {
            int hidden = options.ProjectorHidden > 0 ? options.ProjectorHidden : setup.Width;
            if (options.HeadBatchNorm)
                return Mlp.Create("Projector", setup.Seed, HeadEnd.Bias, setup.Width, hidden, options.ProjectorOutput);
            var head = nn.Sequential(("0", nn.Linear(setup.Width, hidden)), ("1", nn.ReLU(inplace: true)),
                ("2", nn.Linear(hidden, options.ProjectorOutput)));
            Initialization.Draw(head, setup.Seed, "Projector");
            return head;
        }

        void SplitStatistics()
        {
            if (options.NormSplits == 1) return;
            BatchNorm[] norms = [.. modules().OfType<BatchNorm>()];
            if (norms.Length == 0 || norms.FirstOrDefault(norm => norm is not BatchNormalization) is not null)
                throw new OptionsException([new Fault("method.normSplits", $"is {options.NormSplits}, but the network "
                    + (norms.Length == 0 ? "has no batch normalisation"
                        : $"has a {norms.First(norm => norm is not BatchNormalization).GetType().Name}, which cannot be split")
                    + ": use SiamSharp.Backbones.BatchNormalization in it, or leave the option 1")]);
            foreach (BatchNormalization norm in norms.Cast<BatchNormalization>()) norm.Splits = options.NormSplits;
        }
    }

    /// <inheritdoc/>
    public override LossTerms Loss(ViewBatch batch)
    {
        CheckBatch(batch, "MoCo v2");
        using var scope = NewDisposeScope();
        int queries = batch.Views.Count - 1;
        var embeddings = projector.forward(Represent(Backbone, [.. batch.Views.Skip(1)]));
        var q = Normalize(embeddings);
        var k = Normalize(Keys(batch));
        var total = InfoNce.LossWithQueue(q, k.repeat(queries, 1), queue.Rows, _options.Temperature);
        var positive = (q.detach().view(queries, -1, q.shape[1]) * k).sum(-1).mean();
        return Terms(total, embeddings, ("positive_cosine", positive)) with { Kept = [k.MoveToOuterDisposeScope()] };
    }

    /// <summary>(N, E): the keys; with split statistics each is computed among other samples than its query.</summary>
    private Tensor Keys(ViewBatch batch)
    {
        if (_options.NormSplits == 1) return target.Embed([batch.Views[0]]);
        int[] order = [.. Enumerable.Range(0, (int)batch.Samples)];
        new RandomStream(_seed, RandomPurpose.Splits, sample: batch.Step).Shuffle<int>(order);
        Tensor shuffled = tensor(Array.ConvertAll(order, i => (long)i), device: batch.Views[0].device);
        return target.Embed([batch.Views[0].index_select(0, shuffled)]).index_select(0, shuffled.argsort());
    }

    /// <inheritdoc/>
    public override double? LossWhenCollapsed(ViewBatch batch) => Math.Log(1.0 + _options.QueueSize);

    /// <inheritdoc/>
    public override void AfterStep(ViewBatch batch, LossTerms terms)
    {
        queue.Add(terms.Kept[0]);
        target.Follow(_options.EmaDecay);
    }
}

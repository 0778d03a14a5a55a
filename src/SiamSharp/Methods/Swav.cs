using System.ComponentModel.DataAnnotations;
using System.Globalization;
using SiamSharp.Options;
using SiamSharp.Views;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>
/// SwAV: from one view the network predicts to which prototypes another view of the image is assigned. The assignments are
/// spread evenly over the batch.
/// </summary>
/// <remarks>
/// Source: Caron et al. 2020, arXiv 2006.09882. Target views give the assignments, all others learn to predict them (multi-crop).
/// Differences: the queue is filled from the first step on, so that it is full when its epoch comes;
/// the authors begin to fill it in that epoch.
/// </remarks>
[Kind("swav")]
public sealed record SwavOptions() : MethodOptions(minViews: 2, maxViews: 64)
{
    /// <summary>
    /// Number of prototypes: learned vectors that stand for groups of images; 3000 as published, for 1000 classes.
    /// </summary>
    [Range(2, 1 << 20)] public int Prototypes { get; init; } = 3000;

    /// <summary>Similarities to the prototypes are divided by this temperature; 0.1 as published.</summary>
    [Range(0.001, 10.0)] public double Temperature { get; init; } = 0.1;

    /// <summary>
    /// How soft the assignments are: the higher, the softer. 0.05 as published, 0.03 there for other settings.
    /// </summary>
    [Range(0.001, 10.0)] public double Epsilon { get; init; } = 0.05;

    /// <summary>
    /// Iterations of Sinkhorn's algorithm, which spreads the assignments evenly over the prototypes; 3 as published. 0 =
    /// none: an assignment is then the softmax of a view's scores, which collapses.
    /// </summary>
    [Range(0, 100)] public int SinkhornIterations { get; init; } = 3;

    /// <summary>
    /// How many embeddings of earlier batches the assignments are balanced over too, for small batches; 0 = none, 3840 as
    /// published.
    /// </summary>
    [Range(0, 1 << 22)] public int QueueSize { get; init; }

    /// <summary>Epoch from which on the queue is used; 15 as published.</summary>
    [Range(0, 100_000)] public int QueueFromEpoch { get; init; } = 15;

    /// <summary>Epochs at the start in which the prototypes do not learn; 1 as published.</summary>
    [Range(0.0, 1000.0)] public double FreezePrototypesEpochs { get; init; } = 1;

    /// <summary>
    /// Width of the hidden layer of the projector, the small network between vector and loss; 2048 as published.
    /// </summary>
    [Range(1, 65_536)] public int ProjectorHidden { get; init; } = 2048;

    /// <summary>Width of the embedding, the projector's output that the loss compares; 128 as published.</summary>
    [Range(2, 65_536)] public int ProjectorOutput { get; init; } = 128;

    /// <inheritdoc/>
    public override IEnumerable<Fault> FaultsFor(int batchSize) => FeatureQueue.FaultsOf(QueueSize, batchSize);

    /// <inheritdoc/>
    public override string UsedTerm => SiamSharp.Methods.Prototypes.UsedTerm;

    /// <inheritdoc/>
    public override IEnumerable<string> NotesFor(int images, int batchSize, int epochs)
    {
        if (SiamSharp.Methods.Prototypes.TooMany("method.prototypes", Prototypes, images) is { } many) yield return many;
        if (FeatureQueue.TooLong(QueueSize, images, batchSize, "the balance is over the same images again") is { } queue)
            yield return queue;
        if (QueueSize > 0 && QueueFromEpoch >= epochs)
            yield return $"method.queueFromEpoch is {QueueFromEpoch}, but training.epochs is {epochs}: the queue is never used. "
                + $"--set method.queueFromEpoch={epochs / 2}, or --set method.queueSize=0.";
        if (FreezePrototypesEpochs >= epochs)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"method.freezePrototypesEpochs is {FreezePrototypesEpochs}, and training.epochs is {epochs}: ")
                + "the prototypes never learn. --set method.freezePrototypesEpochs=0, or more epochs.";
    }

    /// <inheritdoc/>
    public override IEnumerable<Fault> WaysToCollapse()
    {
        if (SinkhornIterations == 0)
            yield return new("sinkhornIterations", "is 0, so that all images may take the same prototype: 3 as published");
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ViewPolicy> PaperViews(int size, int channels) =>
    [
        PaperPolicies.Branch(size, channels, minArea: 0.14, strength: 1) with { Count = 2 },
        PaperPolicies.Branch(size, channels, minArea: 0.05, maxArea: 0.14, cropSize: 96, strength: 1) with { Count = 6 },
    ];

    /// <inheritdoc/>
    protected override SiameseMethod Build(MethodSetup setup) => new Swav(this, setup);
}

/// <summary>SwAV's networks and loss; see <see cref="SwavOptions"/>.</summary>
internal sealed class Swav : SiameseMethod
{
    private readonly nn.Module<Tensor, Tensor> projector;
    private readonly Prototypes prototypes;
    private readonly FeatureQueue[] _queues;
    private readonly SwavOptions _options;

    internal Swav(SwavOptions options, MethodSetup setup) : base("SwAV", setup.MakeBackbone())
    {
        _options = options;
        projector = Mlp.Create("Projector", setup.Seed, HeadEnd.Bias, setup.Width,
            options.ProjectorHidden, options.ProjectorOutput);
        prototypes = new Prototypes(options.Prototypes, options.ProjectorOutput, setup.Seed);
        prototypes.Normalize(); // once more than needed: the figures on record were made so, to the last digit
        RegisterComponents();
        _queues = new FeatureQueue[options.QueueSize > 0 ? setup.TargetViews : 0]; // one for each target view, as the authors'
        for (int t = 0; t < _queues.Length; t++)
            register_module($"queue{t}",
                _queues[t] = new FeatureQueue(options.QueueSize, options.ProjectorOutput, setup.Seed + (ulong)t));
    }

    /// <inheritdoc/>
    public override LossTerms Loss(ViewBatch batch)
    {
        CheckBatch(batch, "SwAV");
        using var scope = NewDisposeScope();
        var z = Normalize(projector.forward(Represent(Backbone, batch.Views)));
        Tensor[] scores = prototypes.Score(z, frozen: batch.Epoch < _options.FreezePrototypesEpochs).chunk(batch.Views.Count);
        Tensor[] assignments =
            [.. Enumerable.Range(0, batch.Targets.Count).Select(t => Assign(scores[t].detach(), t, batch.Epoch))];
        var total = CrossViewEntropy.Of(scores, assignments, _options.Temperature);
        return Terms(total, z, (Prototypes.UsedTerm, CrossViewEntropy.Used(cat(assignments))));
    }

    /// <inheritdoc/>
    public override double? LossWhenCollapsed(ViewBatch batch) =>
        _options.SinkhornIterations > 0 ? Math.Log(_options.Prototypes) : 0;

    /// <inheritdoc/>
    public override void AfterStep(ViewBatch batch, LossTerms terms)
    {
        prototypes.Normalize();
        foreach (var (queue, embeddings) in _queues.Zip(terms.Embeddings.chunk(batch.Views.Count))) queue.Add(embeddings);
    }

    private Tensor Assign(Tensor scores, int view, double epoch)
    {
        if (view >= _queues.Length) return AssignmentOf(scores);
        FeatureQueue queue = _queues[view];
        bool use = epoch >= _options.QueueFromEpoch && queue.Full;
        Tensor all = use ? cat([prototypes.Score(queue.Rows, frozen: true), scores]) : scores;
        return AssignmentOf(all).narrow(0, all.shape[0] - scores.shape[0], scores.shape[0]);
    }

    private Tensor AssignmentOf(Tensor scores) => _options.SinkhornIterations > 0
        ? Sinkhorn.Assign(scores, _options.Epsilon, _options.SinkhornIterations)
        : (scores / Held(_options.Epsilon)).softmax(1);
}

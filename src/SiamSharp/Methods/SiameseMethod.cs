using TorchSharp.Utils;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>A siamese framework: a backbone, the heads on top and a loss over the views of a batch.</summary>
/// <remarks>Everything that a resumed run needs is in the state dict, the backbone under <c>backbone.</c></remarks>
public abstract class SiameseMethod : nn.Module
{
    /// <summary>Puts the backbone in its place; the derived class registers the components.</summary>
    /// <param name="name">Name of the method.</param>
    /// <param name="backbone">float32 (N, C, H, W) to (N, D).</param>
    protected SiameseMethod(string name, nn.Module<Tensor, Tensor> backbone) : base(name) => Backbone = backbone;

    /// <summary>The network that learns: float32 (N, C, H, W) to (N, D).</summary>
    [field: ComponentName(Name = "backbone")]
    public nn.Module<Tensor, Tensor> Backbone { get; }

    /// <summary>The network to keep after training: <see cref="Backbone"/>, or the target's where the framework's
    /// authors keep that.</summary>
    public virtual nn.Module<Tensor, Tensor> Encoder => Backbone;

    /// <summary>The loss of one batch. It changes nothing but the batch statistics of normalisations.</summary>
    /// <param name="batch">Views and what is known of their samples.</param>
    /// <returns>The loss and its terms, owned by the caller.</returns>
    /// <exception cref="ArgumentException">The method cannot learn from so few views or samples.</exception>
    public abstract LossTerms Loss(ViewBatch batch);

    /// <summary>
    /// The loss when all embeddings are equal, so that nothing tells one image from another (where it depends on the heads, the
    /// lowest that it can be then); null where no loss is lower anyway, as in BYOL and SimSiam.
    /// </summary>
    /// <param name="batch">A batch as <see cref="Loss"/> gets it; only its numbers of views and samples are looked at.</param>
    public virtual double? LossWhenCollapsed(ViewBatch batch) => null;

    /// <summary>Everything that the method changes by itself, once the optimiser has made its step: target network,
    /// queue, centre, memory.</summary>
    /// <param name="batch">What the step saw.</param>
    /// <param name="terms">What <see cref="Loss"/> said of it.</param>
    public virtual void AfterStep(ViewBatch batch, LossTerms terms) { }

    /// <summary>Runs a network over all views, neighbouring views of equal size in one pass.</summary>
    /// <param name="network">(N, C, H, W) to (N, D).</param>
    /// <param name="views">V views: (N, C, H, W) each.</param>
    /// <returns>(V N, D), view by view, differentiable, owned by the caller.</returns>
    protected internal static Tensor Represent(nn.Module<Tensor, Tensor> network, IReadOnlyList<Tensor> views)
    {
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        for (int start = 0, end; start < views.Count; start = end)
        {
            end = start + 1;
            while (end < views.Count && views[end].shape.AsSpan().SequenceEqual(views[start].shape)) end++;
            var group = end - start == 1 ? views[start] : cat([.. views.Skip(start).Take(end - start)]);
            parts.Add(network.forward(group));
        }
        return (parts.Count == 1 ? parts[0] : cat(parts)).MoveToOuterDisposeScope();
    }

    /// <summary>Rows divided by their norms; what cosine similarities are taken of.</summary>
    /// <remarks>
    /// Differences: torch's normalize gives rows of zeros a gradient 1e12 times as large as what comes in; here they have none.
    /// </remarks>
    /// <param name="z">(N, D); rows shorter than 1e-12 have no direction and become zeros.</param>
    /// <returns>(N, D), differentiable, owned by the caller.</returns>
    protected internal static Tensor Normalize(Tensor z)
    {
        using var scope = NewDisposeScope();
        Tensor norms = z.norm(1, keepdim: true);
        return (z / norms.masked_fill(norms.le(Held(1e-12)), Held(double.PositiveInfinity))).MoveToOuterDisposeScope();
    }

    /// <summary>The terms of a loss with the spread of the embeddings, which tells a collapse.</summary>
    /// <param name="total">The loss; it and the terms move out of the dispose scope that <c>Loss</c> has opened.</param>
    /// <param name="embeddings">(V N, D).</param>
    /// <param name="terms">What else is worth watching: detached scalars.</param>
    protected static LossTerms Terms(Tensor total, Tensor embeddings, params (string Name, Tensor Value)[] terms)
    {
        var seen = embeddings.detach();
        var spread = Collapse.Spread(Normalize(seen));
        return new LossTerms(total.MoveToOuterDisposeScope(),
            [.. terms.Select(t => (t.Name, t.Value.MoveToOuterDisposeScope())),
                ("embedding_spread", spread.MoveToOuterDisposeScope())],
            seen.MoveToOuterDisposeScope());
    }

    /// <summary>Refuses batches without another sample to compare with.</summary>
    /// <param name="batch">What <see cref="Loss"/> was given.</param>
    /// <param name="name">Of the method, for the message.</param>
    /// <exception cref="ArgumentException">There is one sample.</exception>
    protected static void CheckBatch(ViewBatch batch, string name)
    {
        if (batch.Samples < 2)
            throw new ArgumentException($"{name} needs two samples or more in a batch, but there is {batch.Samples}.");
    }
}

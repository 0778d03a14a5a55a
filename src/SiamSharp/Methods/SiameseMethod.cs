using TorchSharp.Utils;
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

    /// <summary>The network to keep after training: float32 (N, C, H, W) to (N, D).</summary>
    [field: ComponentName(Name = "backbone")]
    public nn.Module<Tensor, Tensor> Backbone { get; }

    /// <summary>The loss of one batch.</summary>
    /// <param name="views">V views of the same N samples: float32 (N, C, H, W) each; sizes may differ between views.</param>
    /// <returns>The loss and its terms, owned by the caller.</returns>
    /// <exception cref="ArgumentException">The method cannot learn from so few views or samples.</exception>
    public abstract LossTerms Loss(IReadOnlyList<Tensor> views);

    /// <summary>What the method changes after the optimiser's step, such as a target network.</summary>
    /// <param name="progress">The share of training that is done, 0 to 1.</param>
    public virtual void AfterStep(double progress) { }

    /// <summary>Runs a network over all views, neighbouring views of equal size in one pass.</summary>
    /// <param name="network">(N, C, H, W) to (N, D).</param>
    /// <param name="views">V views: (N, C, H, W) each.</param>
    /// <returns>(V N, D), view by view, differentiable, owned by the caller.</returns>
    protected static Tensor Represent(nn.Module<Tensor, Tensor> network, IReadOnlyList<Tensor> views)
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
}

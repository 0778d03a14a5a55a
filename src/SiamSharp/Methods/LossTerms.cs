using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>What a method says about one batch.</summary>
/// <param name="Total">The loss: a differentiable float32 scalar.</param>
/// <param name="Terms">Its parts and other numbers worth watching: detached scalars by name.</param>
/// <param name="Embeddings">What the loss compares: detached (V N, D), view by view, of all views that the
/// learning network embeds.</param>
/// <remarks>All tensors belong to the caller, or to the dispose scope that is open.</remarks>
public sealed record LossTerms(Tensor Total, IReadOnlyList<(string Name, Tensor Value)> Terms, Tensor Embeddings)
{
    /// <summary>Detached tensors of this batch that the method's <see cref="SiameseMethod.AfterStep"/> takes up,
    /// such as the keys that enter a queue.</summary>
    public IReadOnlyList<Tensor> Kept { get; init; } = [];
}

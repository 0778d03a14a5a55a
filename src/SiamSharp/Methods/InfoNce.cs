using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>Contrastive loss of queries against keys.</summary>
public static class InfoNce
{
    /// <summary>Each query against its own key and a queue of others.</summary>
    /// <remarks>
    /// Definition: mean over i of - log [ exp(q_i k_i / T) / (exp(q_i k_i / T) + sum over the queue of exp(q_i n / T)) ].
    /// Source: He et al. 2019, arXiv 1911.05722, equation 1.
    /// </remarks>
    /// <param name="queries">(N, E), rows of norm 1.</param>
    /// <param name="keys">(N, E), rows of norm 1; no gradient flows into it.</param>
    /// <param name="queue">(K, E), rows of norm 1; must not change before the backward pass.</param>
    /// <param name="temperature">T, above 0.</param>
    /// <returns>A differentiable scalar, 0 or more, owned by the caller.</returns>
    public static Tensor LossWithQueue(Tensor queries, Tensor keys, Tensor queue, double temperature)
    {
        using var scope = NewDisposeScope();
        var positive = (queries * keys.detach()).sum(1, keepdim: true);
        var logits = cat([positive, queries.mm(queue.t())], 1) / Held(temperature);
        return (logits.logsumexp(1).mean() - positive.mean() / Held(temperature)).MoveToOuterDisposeScope();
    }

    /// <summary>Each query against the keys of its batch: its own is the right one.</summary>
    /// <remarks>
    /// Definition: as above, the other keys of the batch being the queue. Source: Chen et al. 2021, arXiv 2104.02057, equation 1.
    /// </remarks>
    /// <param name="queries">(N, E), rows of norm 1.</param>
    /// <param name="keys">(N, E), rows of norm 1; no gradient flows into it.</param>
    /// <param name="temperature">T, above 0.</param>
    /// <returns>A differentiable scalar, 0 or more, owned by the caller.</returns>
    public static Tensor LossInBatch(Tensor queries, Tensor keys, double temperature)
    {
        using var scope = NewDisposeScope();
        var logits = queries.mm(keys.detach().t()) / Held(temperature);
        return (logits.logsumexp(1) - logits.diagonal()).mean().MoveToOuterDisposeScope();
    }
}

using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>The contrastive loss of SimCLR: normalised temperature-scaled cross entropy.</summary>
public static class NtXent
{
    /// <summary>The loss over V embeddings of the same N samples.</summary>
    /// <remarks>
    /// Definition: with z the V N embeddings, each divided by its norm, s(i, k) = z_i z_k / temperature and P(i) the V - 1 other
    /// views of i's sample: mean over i of [ log sum over k != i of exp s(i, k) - mean over j in P(i) of s(i, j) ].
    /// Source: Chen et al. 2020, arXiv 2002.05709, equation 1 (V = 2); Khosla et al. 2020,
    /// arXiv 2004.11362, equation 2 (V above 2).
    /// Differences: for more than two views the other positives stay in the denominator, as in Khosla et al.
    /// Cost: one (V N, V N) matrix and its gradient.
    /// </remarks>
    /// <param name="embeddings">V tensors (N, D), float32 or float64; V and N 2 or more.</param>
    /// <param name="temperature">Above 0.</param>
    /// <returns>A differentiable scalar, 0 or more, owned by the caller.</returns>
    /// <exception cref="ArgumentException">V or N is less than 2, shapes differ, or the temperature is not above 0.</exception>
    public static Tensor Loss(IReadOnlyList<Tensor> embeddings, double temperature)
    {
        Check(embeddings, temperature);
        using var scope = NewDisposeScope();
        using var normalized = SiameseMethod.Normalize(cat([.. embeddings]));
        return LossOfNormalized(normalized, embeddings.Count, temperature).MoveToOuterDisposeScope();
    }

    /// <summary>The loss over normalised embeddings, (V N, D) view by view.</summary>
    internal static Tensor LossOfNormalized(Tensor z, int views, double temperature)
    {
        using var scope = NewDisposeScope();
        var similarity = z.mm(z.t()).div_(Held(temperature));
        using var self = eye(z.shape[0], dtype: ScalarType.Bool, device: z.device);
        var all = similarity.masked_fill_(self, Held(double.NegativeInfinity)).logsumexp(1).mean();
        return (all - MeanPositive(z, views) / Held(temperature)).MoveToOuterDisposeScope();
    }

    /// <summary>The mean cosine of all pairs of two different views of one sample;
    /// <paramref name="z"/> is (V N, D), normalised.</summary>
    internal static Tensor MeanPositive(Tensor z, int views)
    {
        using var scope = NewDisposeScope();
        // Over all ordered pairs of views the products sum to |sum of z|^2 minus the V squares |z|^2 of a view with itself.
        long samples = z.shape[0] / views;
        var sums = z.view(views, samples, -1).sum(dim: 0);
        return ((sums.Squared().sum() - z.Squared().sum()) / Held(samples * views * (views - 1))).MoveToOuterDisposeScope();
    }

    internal static void Check(IReadOnlyList<Tensor> embeddings, double temperature)
    {
        if (!(temperature > 0))
            throw new ArgumentException($"NT-Xent divides by the temperature: found {temperature}, choose one above 0.");
        if (embeddings.Count < 2)
            throw new ArgumentException($"NT-Xent compares views: found {embeddings.Count}, give 2 or more.");
        long samples = embeddings[0].shape[0];
        if (samples < 2)
            throw new ArgumentException($"NT-Xent needs other samples as negatives: found a batch of {samples}, give 2 or more.");
        for (int v = 1; v < embeddings.Count; v++)
        {
            if (!embeddings[v].shape.AsSpan().SequenceEqual(embeddings[0].shape))
            {
                throw new ArgumentException("All views have one embedding for each sample: view 0 is "
                    + $"[{string.Join(", ", embeddings[0].shape)}], view {v} is [{string.Join(", ", embeddings[v].shape)}].");
            }
        }
    }
}

using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Evaluation;

/// <summary>Weighted k-nearest-neighbour classification of frozen representations.</summary>
public static class Knn
{
    /// <summary>Below it the weights of near neighbours overflow.</summary>
    public const double MinTemperature = 0.02;

    private const int QueriesAtOnce = 1024;

    /// <summary>Scores of each class: the weights of the neighbours that have it.</summary>
    /// <remarks>
    /// Definition: s[q, c] = sum over the k bank entries nearest to query q by cosine similarity, with label c, of
    /// exp(similarity / temperature).
    /// Source: Wu et al. 2018, arXiv 1805.01978, section 3.4.
    /// Cost: one (queries, bank) product in blocks of 1,024 queries; float32 or float64 as the input.
    /// </remarks>
    /// <param name="bank">Float (B, D), any norm.</param>
    /// <param name="labels">Int64 (B), 0 to <paramref name="classes"/> - 1.</param>
    /// <param name="queries">Float (Q, D), any norm.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="k">Neighbours; 1 to B.</param>
    /// <param name="temperature">0.02 or more: exp(1 / temperature) is then finite in float32.</param>
    /// <returns>Float (Q, classes), not differentiable, owned by the caller.</returns>
    /// <exception cref="ArgumentException">k is outside 1 to B, the widths differ, or the temperature is too low.</exception>
    public static Tensor Scores(Tensor bank, Tensor labels, Tensor queries, int classes, int k, double temperature)
    {
        if (k < 1 || k > bank.shape[0])
            throw new ArgumentException(
                $"k must be 1 to the number of training images, {bank.shape[0]}, but is {k}; lower evaluation.k.");
        if (bank.shape[1] != queries.shape[1])
            throw new ArgumentException(
                $"Training and test representations must be equally wide, but are {bank.shape[1]} and {queries.shape[1]}.");

        if (!(temperature >= MinTemperature))
            throw new ArgumentException($"The temperature of k-NN must be {MinTemperature} or more, but is {temperature}.");

        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        Tensor keys = nn.functional.normalize(bank, 2, 1).t();               // (D, B)
        var blocks = new List<Tensor>();
        for (long start = 0; start < queries.shape[0]; start += QueriesAtOnce)
        {
            using var block = NewDisposeScope();
            Tensor q =
                nn.functional.normalize(queries.slice(0, start, Math.Min(start + QueriesAtOnce, queries.shape[0]), 1), 2, 1);
            var (similarity, neighbour) = q.mm(keys).topk(k, 1);             // (Q, k)
            Tensor weight = (similarity / Held(temperature)).exp();
            Tensor votes = zeros([q.shape[0], classes], dtype: weight.dtype).scatter_add_(1, labels[neighbour], weight);
            blocks.Add(votes.MoveToOuterDisposeScope());
        }
        return cat(blocks, 0).MoveToOuterDisposeScope();
    }
}

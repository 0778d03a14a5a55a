using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Evaluation;

/// <summary>A map of representations: points in the plane, near each other where the representations are (t-SNE).</summary>
/// <remarks>
/// Definition: minimise KL(P || Q), P from Gaussians around each row of the normalised representations, each as wide as the
/// perplexity asks for, made symmetric; Q from Student's t with one degree of freedom in the plane.
/// Source: van der Maaten and Hinton 2008, "Visualizing data using t-SNE", algorithm 1.
/// Differences: the start is the first two principal components, so that the map is the same each time;
/// gains as in the authors' code.
/// Cost: N^2 numbers and some ten operations on them for each iteration: seconds for 1,000 points.
/// </remarks>
public static class Tsne
{
    private const double Exaggeration = 12;
    private const int ExaggeratedIterations = 150;

    /// <summary>Lays out a map.</summary>
    /// <param name="representations">Float (N, D), N 4 or more.</param>
    /// <param name="perplexity">About how many neighbours count for each point; at most (N - 1) / 3 is used.</param>
    /// <param name="iterations">Steps of gradient descent.</param>
    /// <param name="cancellationToken">Stops between two iterations.</param>
    /// <returns>float64 (N, 2), owned by the caller.</returns>
    public static Tensor Of(
        Tensor representations, double perplexity = 30, int iterations = 600, CancellationToken cancellationToken = default)
    {
        long count = representations.shape[0];
        if (count < 4) throw new ArgumentException($"A map needs 4 points or more, but there are {count}.");
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        Tensor x = nn.functional.normalize(representations.to(ScalarType.Float64), 2, 1);
        Tensor p = Affinities(SquaredDistances(x), Math.Min(perplexity, (count - 1) / 3.0));
        Tensor y = Start(x), step = zeros_like(y), gains = ones_like(y);
        double rate = Math.Max(count / Exaggeration / 4, 50);
        for (int i = 0; i < iterations; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var iteration = NewDisposeScope();
            Tensor gradient = Gradient(p * Held(i < ExaggeratedIterations ? Exaggeration : 1), y);
            Tensor turned = (gradient * step).gt(zeros(1, dtype: ScalarType.Float64));      // the step went up the slope
            Tensor nextGains = where(turned, gains * Held(0.8), gains.Plus(0.2)).clamp_(Held(0.01), Held(1e6));
            Tensor nextStep = step * Held(i < ExaggeratedIterations ? 0.5 : 0.8) - Held(rate) * nextGains * gradient;
            Tensor next = y.Plus(nextStep);
            y.Dispose();
            step.Dispose();
            gains.Dispose();
            (y, step, gains) = ((next - next.mean([0], keepdim: true)).MoveToOuterDisposeScope(),
                nextStep.MoveToOuterDisposeScope(), nextGains.MoveToOuterDisposeScope());
        }
        return y.MoveToOuterDisposeScope();
    }

    /// <summary>P: symmetric, 0 on the diagonal, of sum 1.</summary>
    /// <param name="distances">Squared distances, float64 (N, N).</param>
    /// <param name="perplexity">Above 1 to N - 1.</param>
    internal static Tensor Affinities(Tensor distances, double perplexity)
    {
        using var scope = NewDisposeScope();
        Tensor conditional = Conditional(distances, perplexity);
        Tensor joint = conditional.Plus(conditional.t());
        return (joint / joint.sum()).MoveToOuterDisposeScope();
    }

    /// <summary>Rows of sum 1, each with the perplexity asked for, by bisection of the logarithm of its width.</summary>
    internal static Tensor Conditional(Tensor distances, double perplexity)
    {
        using var scope = NewDisposeScope();
        long count = distances.shape[0];
        Tensor self = eye(count, dtype: ScalarType.Bool);
        Tensor low = full([count, 1], Held(-20.0), dtype: ScalarType.Float64),
            high = full([count, 1], Held(40.0), dtype: ScalarType.Float64);
        Tensor rows = zeros(0);
        for (int i = 0; i < 50; i++)
        {
            Tensor middle = low.Plus(high) / Held(2);
            Tensor logits = (-distances * middle.exp()).masked_fill(self, Held(double.NegativeInfinity));
            rows = logits.softmax(1);
            Tensor entropy = -xlogy(rows, rows).sum(1, keepdim: true);
            Tensor wide = entropy.gt(tensor(Math.Log(perplexity)));
            (low, high) = (where(wide, middle, low), where(wide, high, middle));
        }
        return rows.MoveToOuterDisposeScope();
    }

    /// <summary>Gradient of the divergence by the points.</summary>
    /// <param name="p">Float64 (N, N).</param>
    /// <param name="y">Float64 (N, 2).</param>
    /// <returns>(N, 2), owned by the caller.</returns>
    internal static Tensor Gradient(Tensor p, Tensor y)
    {
        using var scope = NewDisposeScope();
        Tensor near = SquaredDistances(y).Plus(1).reciprocal_();
        near.diagonal().fill_(Held(0.0));
        Tensor pull = (p - near / near.sum()) * near;
        return (Held(4) * (pull.sum(1, keepdim: true) * y - pull.mm(y))).MoveToOuterDisposeScope();
    }

    /// <summary>Squared Euclidean distances (N, N) between rows.</summary>
    internal static Tensor SquaredDistances(Tensor x)
    {
        using var scope = NewDisposeScope();
        Tensor squares = x.Squared().sum(1, keepdim: true);
        return (squares.Plus(squares.t()) - Held(2) * x.mm(x.t())).clamp_min_(Held(0)).MoveToOuterDisposeScope();
    }

    /// <summary>The first two principal components, scaled to a deviation of 1e-4,
    /// each with its largest entry positive.</summary>
    private static Tensor Start(Tensor x)
    {
        using var scope = NewDisposeScope();
        Tensor centred = x - x.mean([0], keepdim: true);
        var (u, s, _) = linalg.svd(centred, fullMatrices: false);
        Tensor start = zeros(x.shape[0], 2, dtype: ScalarType.Float64);
        for (int k = 0; k < Math.Min(2, (int)u.shape[1]); k++)
        {
            Tensor component = u.select(1, k) * s[k];
            start.select(1, k).copy_(component * component[component.abs().argmax()].sign());
        }
        return (start / start.select(1, 0).std().Plus(1e-12) * Held(1e-4)).MoveToOuterDisposeScope();
    }
}

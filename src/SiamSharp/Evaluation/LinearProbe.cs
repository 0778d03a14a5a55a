using SiamSharp.Randomness;
using TorchSharp;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Evaluation;

/// <summary>Multinomial logistic regression on standardised, frozen representations.</summary>
/// <remarks>
/// Definition: minimise mean cross entropy + penalty / 2 * |W|^2 over W (D, K) and an unpenalised bias (K), on features with
/// mean 0 and standard deviation 1 over the training images. Constant features stay 0.
/// The penalty is the one of the given list that classifies a held-out tenth of the training images best; the final fit uses
/// all of them. The test images take no part in either.
/// Cost: 20 to 100 passes over the features for each penalty, until no entry of the gradient exceeds 1e-4, or 3e-4 while the penalty is
/// chosen. From the largest penalty down, each fit starts from the weights of the one before, and L-BFGS from the
/// inverse of Bohning's bound of the Hessian, which changes the way and not the goal.
/// </remarks>
public sealed class LinearProbe : IDisposable
{
    /// <summary>Of the largest entry of the gradient, at which a fit ends: the one that is kept, and those that choose the penalty.</summary>
    private const double Tolerance = 1e-4, SearchTolerance = 3e-4;
    private const long MostProducts = 5000, MostValues = 1 << 27; // an inverse of seconds, and a GiB in double precision

    private readonly Tensor _mean, _scale, _weight; // (1, D), (1, D), (D + 1, K): the last row of the weight is the bias

    private LinearProbe(Tensor mean, Tensor scale, Tensor weight, double penalty) =>
        (_mean, _scale, _weight, Penalty) = (mean, scale, weight, penalty);

    /// <summary>The L2 penalty chosen.</summary>
    public double Penalty { get; }

    /// <summary>Fits a probe.</summary>
    /// <param name="features">Float32 (N, D).</param>
    /// <param name="labels">Int64 (N), 0 to <paramref name="classes"/> - 1.</param>
    /// <param name="classes">Number of classes, 2 or more.</param>
    /// <param name="options">Penalties and iterations.</param>
    /// <param name="seed">Decides which tenth is held out.</param>
    /// <param name="cancel">Stops between two iterations.</param>
    public static LinearProbe Fit(Tensor features, Tensor labels, int classes, EvaluationOptions options, int seed, CancellationToken cancel)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        int count = (int)features.shape[0];
        var (mean, scale) = Standardise(features);
        Tensor x = (features - mean) * scale;

        double penalty = options.LinearPenalties[0];
        Tensor start = zeros([x.shape[1] + 1, classes], dtype: x.dtype);
        // Products of all features serve a fit on nine tenths of the images too: they decide how fast it converges, not where to.
        Tensor? products = count >= x.shape[1] ? Products(x) : null;
        Func<Tensor, Tensor>? ofBest = null;
        int held = count / 10;
        if (options.LinearPenalties.Count > 1 && held > 0)
        {
            long[] order = [.. Enumerable.Range(0, count).Select(i => (long)i)];
            new RandomStream((ulong)seed, RandomPurpose.Evaluation).Shuffle<long>(order);
            Tensor inside = tensor(order[held..]), outside = tensor(order[..held]);
            Tensor xIn = x[inside], yIn = labels[inside], xOut = x[outside], yOut = labels[outside];
            double best = -1;
            Tensor weights = start;
            foreach (double candidate in options.LinearPenalties.OrderDescending())
            {
                var inverse = products is null ? Inverse(xIn, candidate) : InverseBound(xIn, products, candidate);
                weights = Minimize(xIn, yIn, weights, candidate, options.LinearIterations, SearchTolerance, inverse, cancel);
                double right = ClassScores.Top1(Logits(xOut, weights), yOut);
                if (right > best) (best, penalty, start, ofBest) = (right, candidate, weights, inverse);
            }
        }
        if (products is null || ofBest is null) ofBest = Inverse(x, penalty);
        Tensor weight = Minimize(x, labels, start, penalty, options.LinearIterations, Tolerance, ofBest, cancel);
        return new LinearProbe(mean.DetachFromDisposeScope(), scale.DetachFromDisposeScope(), weight.DetachFromDisposeScope(), penalty);
    }

    /// <summary>Fits with a given penalty, for few images, which leave none to choose it with.</summary>
    /// <param name="x">Float (N, D), standardised by the caller.</param>
    /// <param name="labels">Int64 (N).</param>
    /// <param name="classes">Number of classes, 2 or more.</param>
    /// <param name="penalty">The L2 penalty.</param>
    /// <param name="iterations">At most so many.</param>
    /// <param name="cancel">Stops between two iterations.</param>
    /// <returns>The weight (D + 1, K) for <see cref="Logits"/>, owned by the caller.</returns>
    internal static Tensor FitStandardised(Tensor x, Tensor labels, int classes, double penalty, int iterations, CancellationToken cancel)
    {
        using var scope = NewDisposeScope();
        Tensor start = zeros([x.shape[1] + 1, classes], dtype: x.dtype);
        return Minimize(x, labels, start, penalty, iterations, Tolerance, Inverse(x, penalty), cancel).MoveToOuterDisposeScope();
    }

    /// <summary>Mean (1, D) and 1 / standard deviation (1, D) of features (N, D); 0 for constant ones.</summary>
    internal static (Tensor Mean, Tensor Scale) Standardise(Tensor features)
    {
        Tensor std = features.std(0, unbiased: false, keepdim: true);
        return (features.mean([0], keepdim: true), where(std > Held(1e-6) * std.max(), Held(1) / std, zeros_like(std)));
    }

    /// <summary>Scores of each class, whose softmax is its probability.</summary>
    /// <param name="features">Float32 (N, D).</param>
    /// <returns>Float32 (N, K), owned by the caller.</returns>
    public Tensor Scores(Tensor features)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        return Logits((features - _mean) * _scale, _weight).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _mean.Dispose();
        _scale.Dispose();
        _weight.Dispose();
    }

    /// <summary>Scores (N, K) of standardised features (N, D) by a weight (D + 1, K).</summary>
    internal static Tensor Logits(Tensor x, Tensor weight) => ByClass(x, weight).t();

    /// <summary>The same as (K, N): with few classes libtorch multiplies several times faster this way round.</summary>
    private static Tensor ByClass(Tensor x, Tensor weight) => weight[..^1].t().mm(x.t()).PlusInPlace(weight[^1..].t());

    private static Tensor Minimize(
        Tensor x, Tensor labels, Tensor start, double penalty, int iterations, double tolerance, Func<Tensor, Tensor>? precondition, CancellationToken cancel)
    {
        using var scope = NewDisposeScope();
        Tensor target = nn.functional.one_hot(labels, start.shape[1]).t().to(x.dtype).contiguous();   // (K, N)
        Tensor weight = LbfgsMinimizer.Minimize(start, w => Objective(x, target, w, penalty), iterations, tolerance, cancel, precondition);
        return weight.MoveToOuterDisposeScope();
    }

    private static Func<Tensor, Tensor>? Inverse(Tensor x, double penalty) => Products(x) is { } products ? InverseBound(x, products, penalty) : null;

    /// <summary>X'X / N, (D, D), or with fewer images than features XX' / N, (N, N), in double precision; null where the smaller one is too large to invert.</summary>
    private static Tensor? Products(Tensor x)
    {
        using var scope = NewDisposeScope();
        long count = x.shape[0], width = x.shape[1];
        if (Math.Min(count, width) > MostProducts || (count < width && count * width > MostValues)) return null;
        return ((count < width ? x.mm(x.t()) : x.t().mm(x)) / Held(count)).to(ScalarType.Float64).MoveToOuterDisposeScope();
    }

    /// <summary>Multiplies (D + 1, K) by the inverse of a matrix that the Hessian nowhere exceeds, for each column of the weight.</summary>
    /// <remarks>
    /// Definition: (X'X / (2 N) + r I)^-1, r the penalty and a little for constant features; by the identity of Woodbury (I - X' (XX' / N + 2 r I)^-1 X / N) / r.
    /// The features have mean 0, so that the bias stands alone.
    /// Source: Bohning 1992, "Multinomial logistic regression algorithm": X'X / (2 N) where the gradients of the classes add up to 0.
    /// </remarks>
    internal static Func<Tensor, Tensor> InverseBound(Tensor x, Tensor products, double penalty)
    {
        using var scope = NewDisposeScope();
        double ridge = penalty + 1e-6;
        bool ofFeatures = products.shape[0] == x.shape[1];
        Tensor bound = ofFeatures ? products / Held(2) : products.clone();
        bound.diagonal().PlusInPlace(ofFeatures ? ridge : 2 * ridge);
        Tensor inverse = linalg.inv(bound);
        if (ofFeatures)
        {
            Tensor single = inverse.to(x.dtype).MoveToOuterDisposeScope();
            return q => WithBias(q, q[..^1].t().mm(single).t()); // symmetric, and with few classes several times faster this way round
        }
        Tensor exact = x.to(ScalarType.Float64).MoveToOuterDisposeScope(), inner = (inverse / Held(x.shape[0])).MoveToOuterDisposeScope(); // of nearly equal numbers the difference is taken
        return q =>
        {
            Tensor body = q[..^1].t().to(ScalarType.Float64); // (K, D): see above
            return WithBias(q, ((body - body.mm(exact.t()).mm(inner).mm(exact)) / Held(ridge)).to(q.dtype).t());
        };

        Tensor WithBias(Tensor q, Tensor body) => cat([body, q[^1..] / Held((float)(0.5 + ridge))], 0);
    }

    /// <summary>Value and gradient of the penalised mean cross entropy.</summary>
    /// <param name="x">Float (N, D).</param>
    /// <param name="target">Float (K, N), one-hot.</param>
    /// <param name="weight">Float (D + 1, K); the last row is the bias.</param>
    /// <param name="penalty">0 or more.</param>
    internal static (double Value, Tensor Gradient) Objective(Tensor x, Tensor target, Tensor weight, double penalty)
    {
        using var scope = NewDisposeScope();
        Tensor logProbability = nn.functional.log_softmax(ByClass(x, weight), 0);
        Tensor body = weight[..^1];
        double value = -(logProbability * target).sum().ToDouble() / x.shape[0] + penalty / 2 * body.Squared().sum().ToDouble();
        Tensor residual = (logProbability.exp() - target) / Held(x.shape[0]);  // (K, N)
        Tensor gradient = cat([residual.mm(x).t().Plus(Held(penalty) * body), residual.sum(1).unsqueeze(0)], 0);
        return (value, gradient.MoveToOuterDisposeScope());
    }
}

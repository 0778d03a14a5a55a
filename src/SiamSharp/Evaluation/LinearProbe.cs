using SiamSharp.Options;
using SiamSharp.Randomness;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Evaluation;

/// <summary>Multinomial logistic regression on standardised, frozen representations.</summary>
/// <remarks>
/// Definition: minimise mean cross entropy + penalty / 2 * |W|^2 over W (D, K) and an unpenalised bias (K), on features with
/// mean 0 and standard deviation 1 over the training images. Constant features stay 0.
/// The penalty is the one of the given list that classifies a held-out tenth of the training images best, from the largest down
/// until one is worse than the best before it; the final fit uses all of them. The test images take no part in either.
/// Cost: 20 to 60 passes over the features for each penalty, until no entry of the gradient exceeds 1e-4, or 3e-4 while the
/// penalty is chosen. Each fit starts from the weights of the one before.
/// </remarks>
public sealed class LinearProbe : IDisposable
{
    /// <summary>Of the largest entry of the gradient, at which a fit ends: the one that is kept,
    /// and those that choose the penalty.</summary>
    private const double Tolerance = 1e-4, SearchTolerance = 3e-4;

    /// <summary>The same for few images, in double precision.</summary>
    private const double FewTolerance = 1e-7;

    private const int FewIterations = 2000;

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
    /// <param name="cancellationToken">Stops between two iterations.</param>
    public static LinearProbe Fit(
        Tensor features, Tensor labels, int classes, EvaluationOptions options, int seed, CancellationToken cancellationToken)
    {
        OptionsJson.Check(options, "evaluation");
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        int count = (int)features.shape[0], held = options.LinearPenalties.Count > 1 ? count / 10 : 0;
        long[] order = [.. Enumerable.Range(0, count).Select(i => (long)i)];
        if (held > 0) new RandomStream((ulong)seed, RandomPurpose.Evaluation).Shuffle<long>(order);
        Tensor shuffled = tensor(order), x = features.t().index_select(1, shuffled).t();
        var (mean, scale) = Standardise(x);
        using var fit = new LogisticRegression(x.sub_(mean).mul_(scale), labels[shuffled], classes);

        double penalty = options.LinearPenalties[0], best = -1;
        Tensor start = fit.Zeros();
        Func<Tensor, Tensor>? inverse = null;
        if (held > 0)
        {
            Tensor weights = start;
            foreach (double candidate in options.LinearPenalties.OrderDescending())
            {
                var ofCandidate = fit.Inverse(candidate);
                weights = fit.Minimize(held, weights, candidate, options.LinearIterations, SearchTolerance,
                    ofCandidate, cancellationToken);
                double right = fit.Accuracy(held, weights);
                if (right < best) break;
                if (right > best) (best, penalty, start, inverse) = (right, candidate, weights, ofCandidate);
            }
        }
        Tensor weight = fit.Minimize(0, start, penalty, options.LinearIterations, Tolerance,
            inverse ?? fit.Inverse(penalty), cancellationToken);
        return new LinearProbe(mean.DetachFromDisposeScope(), scale.DetachFromDisposeScope(),
            fit.ForFeatures(weight).DetachFromDisposeScope(), penalty);
    }

    /// <summary>Fits as many images of each class, too few to choose a penalty with, to the minimum.</summary>
    /// <remarks>
    /// Without a bias. It stands for the shares of the classes, which are equal here; where it is not penalised and few
    /// images are separated by far, it moves by more than 1 for a hundredth less loss, and the score depends on where the
    /// fit ends (docs/EXPERIMENTS.md).
    /// </remarks>
    /// <param name="x">Float (N, D), standardised by the caller.</param>
    /// <param name="labels">Int64 (N).</param>
    /// <param name="classes">Number of classes, 2 or more.</param>
    /// <param name="penalty">The L2 penalty, above 0.</param>
    /// <param name="cancellationToken">Stops between two iterations.</param>
    /// <returns>The weight (D + 1, K) for <see cref="Logits"/>, of the type of <paramref name="x"/>,
    /// owned by the caller.</returns>
    internal static Tensor FitFew(Tensor x, Tensor labels, int classes, double penalty, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        using var fit = new LogisticRegression(x.to(ScalarType.Float64), labels, classes, bias: false);
        Tensor weight = fit.Minimize(0, fit.Zeros(), penalty, FewIterations, FewTolerance,
            fit.Inverse(penalty), cancellationToken);
        return fit.ForFeatures(weight).to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>Fits with a given penalty.</summary>
    /// <param name="x">Float (N, D), standardised by the caller.</param>
    /// <param name="labels">Int64 (N).</param>
    /// <param name="classes">Number of classes, 2 or more.</param>
    /// <param name="penalty">The L2 penalty.</param>
    /// <param name="iterations">At most so many.</param>
    /// <param name="cancellationToken">Stops between two iterations.</param>
    /// <returns>The weight (D + 1, K) for <see cref="Logits"/>, owned by the caller.</returns>
    internal static Tensor FitStandardised(
        Tensor x, Tensor labels, int classes, double penalty, int iterations, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        using var fit = new LogisticRegression(x, labels, classes);
        return fit.ForFeatures(fit.Minimize(0, fit.Zeros(), penalty, iterations, Tolerance, fit.Inverse(penalty),
            cancellationToken)).MoveToOuterDisposeScope();
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
    internal static Tensor Logits(Tensor x, Tensor weight) => x.mm(weight[..^1]).PlusInPlace(weight[^1..]);
}

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
/// Cost: from the largest penalty down, each fit starts from the weights of the one before, which changes the way and not the goal.
/// </remarks>
public sealed class LinearProbe : IDisposable
{
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
                weights = Minimize(xIn, yIn, weights, candidate, options.LinearIterations, cancel);
                double right = Predict(xOut, weights).eq(yOut).sum().item<long>();
                if (right > best) (best, penalty, start) = (right, candidate, weights);
            }
        }
        Tensor weight = Minimize(x, labels, start, penalty, options.LinearIterations, cancel);
        return new LinearProbe(mean.DetachFromDisposeScope(), scale.DetachFromDisposeScope(), weight.DetachFromDisposeScope(), penalty);
    }

    /// <summary>Fits a probe on some of the images only.</summary>
    /// <remarks>Mean and standard deviation are those of all images, which takes no label.</remarks>
    /// <param name="features">Float32 (N, D).</param>
    /// <param name="labels">Int64 (N); those of the chosen images are looked at.</param>
    /// <param name="chosen">Int64 (M): indexes of the images to fit on.</param>
    /// <param name="classes">Number of classes, 2 or more.</param>
    /// <param name="penalty">The L2 penalty.</param>
    /// <param name="iterations">At most so many.</param>
    /// <param name="cancel">Stops between two iterations.</param>
    public static LinearProbe FitOn(Tensor features, Tensor labels, Tensor chosen, int classes, double penalty, int iterations, CancellationToken cancel)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var (mean, scale) = Standardise(features);
        Tensor start = zeros([features.shape[1] + 1, classes], dtype: features.dtype);
        Tensor weight = Minimize((features[chosen] - mean) * scale, labels[chosen], start, penalty, iterations, cancel);
        return new LinearProbe(mean.DetachFromDisposeScope(), scale.DetachFromDisposeScope(), weight.DetachFromDisposeScope(), penalty);
    }

    /// <summary>Mean (1, D) and 1 / standard deviation (1, D) of features (N, D); 0 for constant ones.</summary>
    private static (Tensor Mean, Tensor Scale) Standardise(Tensor features)
    {
        Tensor std = features.std(0, unbiased: false, keepdim: true);
        return (features.mean([0], keepdim: true), where(std > Held(1e-6) * std.max(), Held(1) / std, zeros_like(std)));
    }

    /// <summary>The most likely class of each representation.</summary>
    /// <param name="features">Float32 (N, D).</param>
    /// <returns>Int64 (N), owned by the caller.</returns>
    public Tensor Predict(Tensor features)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        return Predict((features - _mean) * _scale, _weight).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _mean.Dispose();
        _scale.Dispose();
        _weight.Dispose();
    }

    private static Tensor Predict(Tensor x, Tensor weight) => Logits(x, weight).argmax(1);

    private static Tensor Logits(Tensor x, Tensor weight) =>
        x.mm(weight[..^1]).add_(weight[^1..]);    // (N, D) (D, K) + (1, K)

    private static Tensor Minimize(Tensor x, Tensor labels, Tensor start, double penalty, int iterations, CancellationToken cancel)
    {
        using var scope = NewDisposeScope();
        Tensor target = nn.functional.one_hot(labels, start.shape[1]).to(x.dtype);   // (N, K)
        Tensor weight = LbfgsMinimizer.Minimize(start, w => Objective(x, target, w, penalty), iterations, 1e-5, cancel);
        return weight.MoveToOuterDisposeScope();
    }

    /// <summary>Value and gradient of the penalised mean cross entropy.</summary>
    /// <param name="x">Float (N, D).</param>
    /// <param name="target">Float (N, K), one-hot.</param>
    /// <param name="weight">Float (D + 1, K); the last row is the bias.</param>
    /// <param name="penalty">0 or more.</param>
    internal static (double Value, Tensor Gradient) Objective(Tensor x, Tensor target, Tensor weight, double penalty)
    {
        using var scope = NewDisposeScope();
        Tensor logProbability = nn.functional.log_softmax(Logits(x, weight), 1);
        Tensor body = weight[..^1];
        double value = -(logProbability * target).sum().ToDouble() / x.shape[0] + penalty / 2 * body.Squared().sum().ToDouble();
        Tensor residual = (logProbability.exp() - target) / Held(x.shape[0]);        // (N, K)
        Tensor gradient = cat([x.t().mm(residual) + Held(penalty) * body, residual.sum(0, keepdim: true)], 0);
        return (value, gradient.MoveToOuterDisposeScope());
    }
}

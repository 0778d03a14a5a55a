using TorchSharp;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Evaluation;

/// <summary>Multinomial logistic regression with an L2 penalty on one set of images,
/// for any penalty and any part of them.</summary>
/// <remarks>
/// Definition: the least mean cross entropy + penalty / 2 * |W|^2 over W (D, K) and, unless it is left out, an unpenalised bias
/// (K). Images lie in columns: with few classes libtorch multiplies (K, D) by (D, N) and (D, N) by (N, K) up to twice as fast as
/// the other way round. With fewer images than features W is a combination of the images, so that it is sought in the N
/// coordinates of their span, which changes no score. From the start given L-BFGS goes by the inverse of Bohning's bound of the
/// Hessian, which changes the way and not the goal.
/// Source: Bohning 1992, "Multinomial logistic regression algorithm": X'X / (2 N) where the gradients of the classes add up to 0.
/// </remarks>
internal sealed class LogisticRegression : IDisposable
{
    // an inverse of seconds; a decomposition takes 4 D N^2 operations
    private const long MaxCoordinates = 5000, MaxRotated = 1 << 27;

    private readonly bool _bias;
    private readonly Tensor _x, _target;           // (C, N) in C coordinates, and one-hot (K, N)
    private readonly Tensor? _basis, _products;    // (D, C) with orthonormal columns, and XX' / N (C, C) in double precision

    /// <param name="x">Float (N, D), standardised; not copied, and not to be changed later,
    /// if its transpose is contiguous.</param>
    /// <param name="labels">Int64 (N), 0 to <paramref name="classes"/> - 1.</param>
    /// <param name="classes">Number of classes, 2 or more.</param>
    /// <param name="bias">Whether there is one; without it the last row of a weight stays 0.</param>
    public LogisticRegression(Tensor x, Tensor labels, int classes, bool bias = true)
    {
        _bias = bias;
        using var scope = NewDisposeScope();
        long count = x.shape[0], width = x.shape[1];
        Tensor columns = x.t().contiguous();
        if (count < width && count <= MaxCoordinates && count * width <= MaxRotated) (_basis, columns) = linalg.qr(columns);
        if (columns.shape[0] <= Math.Min(count, MaxCoordinates))
            _products = (columns.mm(columns.t()) / Held(count)).to(ScalarType.Float64).DetachFromDisposeScope();
        _basis?.DetachFromDisposeScope();
        _x = columns.DetachFromDisposeScope();
        _target = nn.functional.one_hot(labels, classes).t().to(x.dtype).contiguous().DetachFromDisposeScope();
    }

    /// <summary>A weight (C + 1, K) of zeros, owned by the caller.</summary>
    public Tensor Zeros() => zeros([_x.shape[0] + 1, _target.shape[0]], dtype: _x.dtype);

    /// <summary>What <see cref="Minimize"/> makes steps with; null where there are too many coordinates to invert.</summary>
    public Func<Tensor, Tensor>? Inverse(double penalty) => _products is null ? null : InverseBound(_products, penalty, _x.dtype);

    /// <summary>The minimum over the images from <paramref name="first"/> on.</summary>
    /// <param name="first">Images before it take no part.</param>
    /// <param name="start">(C + 1, K).</param>
    /// <param name="penalty">0 or more.</param>
    /// <param name="iterations">At most so many.</param>
    /// <param name="tolerance">Of the largest entry of the gradient, at which the fit ends.</param>
    /// <param name="inverse">From <see cref="Inverse"/>.</param>
    /// <param name="cancellationToken">Stops between two iterations.</param>
    /// <returns>(C + 1, K), owned by the caller.</returns>
    public Tensor Minimize(
        int first, Tensor start, double penalty, int iterations, double tolerance, Func<Tensor, Tensor>? inverse,
        CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        Tensor x = _x[.., first..], target = _target[.., first..];
        return LbfgsMinimizer.Minimize(start, w => Objective(x, target, w, penalty, _bias), iterations, tolerance,
            cancellationToken, inverse).MoveToOuterDisposeScope();
    }

    /// <summary>The share of the first <paramref name="count"/> images that a weight (C + 1, K) classifies rightly.</summary>
    public double Accuracy(int count, Tensor weight)
    {
        using var scope = NewDisposeScope();
        return ClassScores.Top1(Logits(_x[.., ..count], weight).t(), _target[.., ..count].argmax(0));
    }

    /// <summary>A weight (C + 1, K) as (D + 1, K), for features as they were given; owned by the caller.</summary>
    public Tensor ForFeatures(Tensor weight) => _basis is null ? weight.clone() : cat([_basis.mm(weight[..^1]), weight[^1..]], 0);

    /// <inheritdoc/>
    public void Dispose()
    {
        _x.Dispose();
        _target.Dispose();
        _basis?.Dispose();
        _products?.Dispose();
    }

    /// <summary>Multiplies (C + 1, K) by the inverse of a matrix that the Hessian nowhere exceeds,
    /// for each column of the weight.</summary>
    /// <remarks>
    /// Definition: (products / 2 + r I)^-1, r the penalty and a little for constant features; the bias, which stands alone where
    /// features have mean 0, by 1 / (1/2 + r).
    /// </remarks>
    /// <param name="products">Float64 (C, C).</param>
    /// <param name="penalty">0 or more.</param>
    /// <param name="precision">Of what is multiplied.</param>
    internal static Func<Tensor, Tensor> InverseBound(Tensor products, double penalty, ScalarType precision)
    {
        using var scope = NewDisposeScope();
        double ridge = penalty + 1e-6;
        Tensor bound = products / Held(2);
        bound.diagonal().PlusInPlace(ridge);
        Tensor inverse = linalg.inv(bound).to(precision).MoveToOuterDisposeScope();
        // symmetric, and this way round it is several times faster
        return q => cat([q[..^1].t().mm(inverse).t(), q[^1..] / Held((float)(0.5 + ridge))], 0);
    }

    /// <summary>Value and gradient of the penalised mean cross entropy.</summary>
    /// <param name="x">Float (D, N).</param>
    /// <param name="target">Float (K, N), one-hot.</param>
    /// <param name="weight">Float (D + 1, K); the last row is the bias.</param>
    /// <param name="penalty">0 or more.</param>
    /// <param name="bias">Whether the bias may change.</param>
    internal static (double Value, Tensor Gradient) Objective(
        Tensor x, Tensor target, Tensor weight, double penalty, bool bias = true)
    {
        using var scope = NewDisposeScope();
        Tensor logProbability = nn.functional.log_softmax(Logits(x, weight), 0);
        Tensor body = weight[..^1];
        double value = -(logProbability * target).sum().ToDouble() / x.shape[1] + penalty / 2 * body.Squared().sum().ToDouble();
        Tensor residual = (logProbability.exp() - target) / Held(x.shape[1]);  // (K, N)
        Tensor slope = residual.sum(1).unsqueeze(0);
        Tensor gradient = cat([Product(x, residual).Plus(Held(penalty) * body), bias ? slope : zeros_like(slope)], 0);
        return (value, gradient.MoveToOuterDisposeScope());
    }

    /// <summary>(D, N) by (K, N) transposed. By sixteen columns libtorch multiplies faster than by ten,
    /// so the rest is filled with zeros.</summary>
    private static Tensor Product(Tensor x, Tensor residual)
    {
        int classes = (int)residual.shape[0], rest = (16 - classes % 16) % 16;
        return x.mm(nn.functional.pad(residual, [0, 0, 0, rest]).t())[.., ..classes];
    }

    /// <summary>Scores (K, N) of columns (D, N).</summary>
    private static Tensor Logits(Tensor x, Tensor weight) => weight[..^1].t().mm(x).PlusInPlace(weight[^1..].t());
}

using TorchSharp;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Evaluation;

/// <summary>Limited-memory BFGS for smooth convex functions of one tensor.</summary>
/// <remarks>
/// Definition: two-loop recursion over the last 10 steps with a backtracking Armijo line search (c = 1e-4, halving).
/// Source: Nocedal and Wright 2006, "Numerical Optimization", algorithms 7.4 and 3.1.
/// Differences: pairs with s.y not above 1e-10 |y|^2 are left out, which keeps the approximation positive definite.
/// TorchSharp's LBFGS has no line search and needs autograd; here gradients are given.
/// </remarks>
internal static class LbfgsMinimizer
{
    private const int Memory = 10;

    /// <summary>Minimises until the largest gradient entry is below the tolerance or no step helps.</summary>
    /// <param name="start">The first point; not changed.</param>
    /// <param name="objective">Value and gradient at a point; the gradient is owned by the minimiser.</param>
    /// <param name="iterations">At most so many steps.</param>
    /// <param name="tolerance">Above 0.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    /// <param name="precondition">Multiplies with a rough inverse of the Hessian, positive definite;
    /// without it with a number.</param>
    /// <returns>The best point; owned by the caller.</returns>
    internal static Tensor Minimize(
        Tensor start, Func<Tensor, (double Value, Tensor Gradient)> objective, int iterations, double tolerance,
        CancellationToken cancellationToken, Func<Tensor, Tensor>? precondition = null)
    {
        using var scope = NewDisposeScope();
        Tensor point = start.clone();
        var (value, gradient) = objective(point);
        var pairs = new Queue<(Tensor S, Tensor Y, double Rho)>();
        for (int i = 0; i < iterations && gradient.abs().max().ToDouble() > tolerance; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var iteration = NewDisposeScope();
            Tensor direction = Direction(gradient, [.. pairs], precondition ?? (q => q));
            double slope = Dot(gradient, direction);
            double length = pairs.Count == 0 && precondition is null ? Math.Min(1, 1 / gradient.abs().sum().ToDouble()) : 1;

            var (nextPoint, nextValue, nextGradient) = At(length);
            while (!(nextValue <= value + 1e-4 * length * slope) && length > 1e-10)
                (nextPoint, nextValue, nextGradient) = At(length /= 2);
            if (!(nextValue < value)) break;

            Tensor s = nextPoint - point, y = nextGradient - gradient;
            double curvature = Dot(s, y);
            if (curvature > 1e-10 * Dot(y, y))
                pairs.Enqueue((s.MoveToOuterDisposeScope(), y.MoveToOuterDisposeScope(), 1 / curvature));
            if (pairs.Count > Memory)
            {
                var (oldS, oldY, _) = pairs.Dequeue();
                oldS.Dispose();
                oldY.Dispose();
            }
            point.Dispose();
            gradient.Dispose();
            (point, value, gradient) = (nextPoint.MoveToOuterDisposeScope(), nextValue, nextGradient.MoveToOuterDisposeScope());

            (Tensor, double, Tensor) At(double step)
            {
                Tensor candidate = point.Plus(Held(step) * direction);
                var (v, g) = objective(candidate);
                return (candidate, v, g);
            }
        }
        return point.MoveToOuterDisposeScope();
    }

    /// <summary>Minus the approximate inverse Hessian times the gradient.</summary>
    private static Tensor Direction(Tensor gradient, (Tensor S, Tensor Y, double Rho)[] pairs, Func<Tensor, Tensor> precondition)
    {
        Tensor q = -gradient;
        double[] alpha = new double[pairs.Length];
        for (int i = pairs.Length - 1; i >= 0; i--)
        {
            alpha[i] = pairs[i].Rho * Dot(pairs[i].S, q);
            q -= Held(alpha[i]) * pairs[i].Y;
        }
        q = precondition(q);
        if (pairs.Length > 0) q *= Held(1 / (pairs[^1].Rho * Dot(pairs[^1].Y, precondition(pairs[^1].Y))));
        for (int i = 0; i < pairs.Length; i++)
            q = q.Plus(Held(alpha[i] - pairs[i].Rho * Dot(pairs[i].Y, q)) * pairs[i].S);
        return q;
    }

    private static double Dot(Tensor a, Tensor b) => (a * b).sum().ToDouble();
}

using TorchSharp;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Evaluation;

/// <summary>How a set of representations or embeddings fills its space: what can be told without labels.</summary>
public static class Spectrum
{
    /// <summary>Singular values, the largest first.</summary>
    /// <remarks>Cost: N D^2 operations in double precision.</remarks>
    /// <param name="z">(N, D), as the network gives them: neither centred nor normalised.</param>
    /// <returns>min(N, D) values, 0 or more.</returns>
    public static double[] SingularValues(Tensor z)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        return linalg.svdvals(z.cpu().to(ScalarType.Float64)).data<double>().ToArray();
    }

    /// <summary>The effective rank: how many dimensions are in use.</summary>
    /// <remarks>
    /// Definition: exp of the entropy of p, with p = singular values / their sum + 1e-7.
    /// Source: Garrido et al. 2023, arXiv 2210.02885.
    /// </remarks>
    /// <param name="singularValues">Of <see cref="SingularValues"/>.</param>
    /// <returns>1 (all on one line) to about their number; 1 too where all are 0.</returns>
    public static double RankMe(IReadOnlyList<double> singularValues)
    {
        double sum = singularValues.Sum();
        if (sum == 0) return 1;
        return Math.Exp(-singularValues.Select(s => s / sum + 1e-7).Sum(p => p * Math.Log(p)));
    }

    /// <summary>How far views of the same image are apart: the mean squared distance of their normalised rows.</summary>
    /// <remarks>Source: Wang and Isola 2020, arXiv 2005.10242, with alpha = 2.</remarks>
    /// <param name="a">(N, D): one view of each image.</param>
    /// <param name="b">(N, D): another view, in the same order.</param>
    /// <returns>0 (equal) to 4; about 2 for unrelated rows.</returns>
    public static double Alignment(Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        return (Directions(a) - Directions(b)).Squared().sum(dim: 1).mean().ToDouble();
    }

    /// <summary>How evenly directions cover the sphere: log of the mean over pairs of exp(-2 squared distance)
    /// of normalised rows.</summary>
    /// <remarks>
    /// Source: Wang and Isola 2020, arXiv 2005.10242, with t = 2.
    /// Cost: 8 N^2 bytes.
    /// </remarks>
    /// <param name="z">(N, D); N 2 or more.</param>
    /// <returns>0 (all equal) down to about -4 (even, in many dimensions).</returns>
    /// <exception cref="ArgumentException">There are fewer than two rows.</exception>
    public static double Uniformity(Tensor z)
    {
        long count = z.shape[0];
        if (count < 2) throw new ArgumentException($"Uniformity compares pairs, but there is {count} row.");
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        Tensor directions = Directions(z);
        Tensor cosines = directions.mm(directions.t());
        Tensor kernel = ((cosines - Held(1)) * Held(4)).exp();                     // squared distance = 2 - 2 cosine
        double pairs = kernel.sum().ToDouble() - kernel.trace().ToDouble();
        return Math.Log(pairs / (count * (count - 1)));
    }

    private static Tensor Directions(Tensor z) => nn.functional.normalize(z.to(ScalarType.Float64), p: 2, dim: 1, eps: 1e-12);
}

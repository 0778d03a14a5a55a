using SiamSharp.Filters;
using SiamSharp.Randomness;

namespace SiamSharp.Masking;

/// <summary>Fills what a mask removes, one channel at a time.</summary>
internal static class Holes
{
    /// <summary>Copies the visible pixels and fills the others.</summary>
    /// <param name="signal">(H, W), after high-pass and standardisation.</param>
    /// <param name="other">(H, W) of the other image; read for <see cref="FillKind.OtherImage"/> alone.</param>
    /// <param name="keepMask">(H, W), true = visible.</param>
    /// <param name="black">The signal's value for a black pixel of this channel.</param>
    /// <param name="fill">Kind and strength.</param>
    /// <param name="view">(H, W), the result; must not overlap the signal.</param>
    /// <param name="width">W.</param>
    /// <param name="random">The view's stream for <see cref="RandomPurpose.Fill"/>.</param>
    public static void Fill(ReadOnlySpan<float> signal, ReadOnlySpan<float> other, ReadOnlySpan<bool> keepMask, float black,
        FillOptions fill, Span<float> view, int width, ref RandomStream random)
    {
        switch (fill.Kind)
        {
            case FillKind.Zero: view.Clear(); break;
            case FillKind.Black: view.Fill(black); break;
            case FillKind.Mean: view.Fill(VisibleMean(signal, keepMask)); break;
            case FillKind.Noise: FillNoise(view, keepMask, (float)fill.NoiseStd, ref random); break;
            case FillKind.Blur: Blur(signal, view, width, fill.BlurSigma); break;
            case FillKind.OtherImage: other.CopyTo(view); break;
            case FillKind.Drop: view.Fill(float.NaN); break;
            default: throw new ArgumentOutOfRangeException(nameof(fill), fill.Kind, "There is no such kind of fill.");
        }
        for (int start = 0, end; start < view.Length; start = end)
        {
            end = EndOfRun(keepMask, start);
            if (keepMask[start]) signal[start..end].CopyTo(view[start..end]);
        }
    }

    /// <summary>Where the equal values end that begin at a place.</summary>
    private static int EndOfRun(ReadOnlySpan<bool> keepMask, int start)
    {
        int length = keepMask[start..].IndexOf(!keepMask[start]);
        return length < 0 ? keepMask.Length : start + length;
    }

    private static float VisibleMean(ReadOnlySpan<float> signal, ReadOnlySpan<bool> keepMask)
    {
        double sum = 0;
        int count = 0;
        for (int i = 0; i < signal.Length; i++)
            if (keepMask[i])
            {
                sum += signal[i];
                count++;
            }
        return count == 0 ? 0 : (float)(sum / count);
    }

    private static void FillNoise(Span<float> view, ReadOnlySpan<bool> keepMask, float std, ref RandomStream random)
    {
        for (int start = 0, end; start < view.Length; start = end)
        {
            end = EndOfRun(keepMask, start);
            if (keepMask[start]) continue;
            random.FillNormal(view[start..end]);
            foreach (ref float x in view[start..end]) x *= std;
        }
    }

    private static void Blur(ReadOnlySpan<float> signal, Span<float> view, int width, double sigma)
    {
        int height = signal.Length / width;
        GaussianFilter.Blur(signal, view, height, width,
            GaussianFilter.Weights<float>(sigma, GaussianFilter.KernelFor(sigma, Math.Min(height, width))));
    }
}

namespace SiamSharp.Optim;

/// <summary>The learning rate of each step: a linear rise, then half a cosine down.</summary>
/// <remarks>
/// Definition: step s from 0 of W warm-up steps: peak (s + 1) / W; then final + (peak - final)
/// (1 + cos(pi (s - W) / (T - W))) / 2.
/// Source: Goyal et al. 2017, arXiv 1706.02677 (warm-up); Loshchilov and Hutter 2016, arXiv 1608.03983, equation 5 (cosine).
/// </remarks>
/// <param name="Peak">The rate after the warm-up.</param>
/// <param name="WarmupSteps">W, 0 or more; less than <paramref name="TotalSteps"/>.</param>
/// <param name="TotalSteps">T, 1 or more.</param>
/// <param name="Final">The rate that step T would have.</param>
internal readonly record struct LearningRateSchedule(double Peak, long WarmupSteps, long TotalSteps, double Final = 0)
{
    /// <summary>The rate of one step.</summary>
    /// <param name="step">0 to <see cref="TotalSteps"/> - 1; later steps have the final rate.</param>
    public double At(long step)
    {
        if (step < WarmupSteps) return Peak * (step + 1) / WarmupSteps;
        if (step >= TotalSteps) return Final;
        double progress = (double)(step - WarmupSteps) / (TotalSteps - WarmupSteps);
        return Final + (Peak - Final) * 0.5 * (1 + Math.Cos(Math.PI * progress));
    }
}

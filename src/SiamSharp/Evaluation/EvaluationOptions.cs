using System.ComponentModel.DataAnnotations;
using SiamSharp.Options;

namespace SiamSharp.Evaluation;

/// <summary>How an encoder is judged.</summary>
public sealed record EvaluationOptions : IHasRules
{
    /// <summary>For knn: how many of the most similar training images vote for the class.</summary>
    [Range(1, 10_000)] public int K { get; init; } = 20;

    /// <summary>
    /// For knn: T in the weight of a vote, exp(similarity / T). The lower, the more the most similar images count. Source: Wu
    /// et al. 2018, arXiv 1805.01978, section 3.4.
    /// </summary>
    [Range(Knn.MinTemperature, 10.0)] public double KnnTemperature { get; init; } = 0.07;

    /// <summary>
    /// For the linear probe: L2 penalties to choose from. A tenth of the training labels is held out for the choice.
    /// </summary>
    [Range(0.0, 1e6)] public IReadOnlyList<double> LinearPenalties { get; init; } = [1e-4, 1e-3, 1e-2];

    /// <summary>For the linear probe: most iterations of L-BFGS, for one fit.</summary>
    [Range(1, 100_000)] public int LinearIterations { get; init; } = 200;

    /// <summary>
    /// For few-shot: how many labelled images of each class the classifier learns from. Each of these numbers gives a score.
    /// </summary>
    /// <remarks>
    /// Representations are standardised by mean and standard deviation of all training images, which takes no label, and not
    /// by the few drawn, which would be too few for it.
    /// </remarks>
    [Range(1, 100_000)] public IReadOnlyList<int> Shots { get; init; } = [1, 2, 5, 10, 20];

    /// <summary>For few-shot: how many random choices of labelled images a score is the mean of.</summary>
    [Range(2, 10_000)] public int Draws { get; init; } = 10;

    /// <summary>
    /// For few-shot: seed of these choices. It is not the run's, so that all runs are judged with the same images.
    /// </summary>
    [Range(0, int.MaxValue)] public int DrawSeed { get; init; } = 1;

    /// <summary>
    /// For few-shot: a <c>draws.json</c> of another run, whose images are taken instead of new ones; empty = none.
    /// </summary>
    public string DrawsFile { get; init; } = "";

    /// <summary>
    /// For few-shot: L2 penalty of the classifier. It is fixed, since no labels are left to choose it with.
    /// </summary>
    [Range(0.0, 1e6)] public double FewShotPenalty { get; init; } = 0.01;

    /// <summary>How the network is trained with labels.</summary>
    public FineTuneOptions FineTune { get; init; } = new();

    /// <summary>Whether the pixels and the encoder before training are judged too, for comparison.</summary>
    public bool Baselines { get; init; } = true;

    /// <summary>How many images pass through the network at a time.</summary>
    [Range(1, 65_536)] public int BatchSize { get; init; } = 256;

    /// <inheritdoc/>
    public IEnumerable<Fault> Faults()
    {
        if (Shots.Count == 0) yield return new("shots", "there are none: give one or more, such as [10]");
        if (Shots.GroupBy(n => n).FirstOrDefault(g => g.Count() > 1) is { } twice)
            yield return new("shots", $"{twice.Key} is there {twice.Count()} times: give each number once");
        if (LinearPenalties.Count == 0) yield return new("linearPenalties", "there are none: give one or more, such as [1e-3]");
    }
}

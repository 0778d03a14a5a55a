using System.ComponentModel.DataAnnotations;
using SiamSharp.Options;

namespace SiamSharp.Evaluation;

/// <summary>How an encoder is judged.</summary>
public sealed record EvaluationOptions : IHasRules
{
    /// <summary>Neighbours that vote in k-NN.</summary>
    [Range(1, 10_000)] public int K { get; init; } = 20;

    /// <summary>Temperature of the k-NN weights exp(similarity / T). Source: Wu et al. 2018,
    /// arXiv 1805.01978, section 3.4.</summary>
    [Range(Knn.MinTemperature, 10.0)] public double KnnTemperature { get; init; } = 0.07;

    /// <summary>L2 penalties of the linear probe to choose among, on a tenth of the training labels held out.</summary>
    [Range(0.0, 1e6)] public IReadOnlyList<double> LinearPenalties { get; init; } = [1e-4, 1e-3, 1e-2];

    /// <summary>Most iterations of L-BFGS for one linear probe.</summary>
    [Range(1, 100_000)] public int LinearIterations { get; init; } = 200;

    /// <summary>
    /// Labels per class for few-shot: one score for each of these. Representations are standardised by mean and standard
    /// deviation of all training images, which takes no label, and not by the few drawn, which would be too few for it.
    /// </summary>
    [Range(1, 100_000)] public IReadOnlyList<int> Shots { get; init; } = [1, 2, 5, 10, 20];

    /// <summary>Draws of labels that a few-shot score is the mean of.</summary>
    [Range(2, 10_000)] public int Draws { get; init; } = 10;

    /// <summary>Seed of the draws; not the run's, so that all runs are judged with the same images.</summary>
    [Range(0, int.MaxValue)] public int DrawSeed { get; init; } = 1;

    /// <summary>A <c>draws.json</c> of another run, whose images are used instead of new draws; empty = none.</summary>
    public string DrawsFile { get; init; } = "";

    /// <summary>L2 penalty of a few-shot probe, where there are no labels to choose it with.</summary>
    [Range(0.0, 1e6)] public double FewShotPenalty { get; init; } = 0.01;

    /// <summary>How the network is trained with labels.</summary>
    public FineTuneOptions FineTune { get; init; } = new();

    /// <summary>Whether pixels and the encoder that the run started from are judged too.</summary>
    public bool Baselines { get; init; } = true;

    /// <summary>Images per forward pass.</summary>
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

using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using SiamSharp.Evaluation;
using SiamSharp.Native;
using SiamSharp.Options;
using SiamSharp.Recipes;
using TorchSharp;
using static TorchSharp.torch;

namespace SiamSharp.Training;

/// <summary>What the numbers of a run say about it.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<HealthState>))]
public enum HealthState
{
    /// <summary>Nothing is wrong that can be told without labels.</summary>
    [JsonStringEnumMemberName("healthy")] Healthy,

    /// <summary>There were too few steps to tell.</summary>
    [JsonStringEnumMemberName("undecided")] Undecided,

    /// <summary>The loss did not fall.</summary>
    [JsonStringEnumMemberName("not-learning")] NotLearning,

    /// <summary>Images are not told apart, or what was learned is forgotten at each step.</summary>
    [JsonStringEnumMemberName("collapsed")] Collapsed,
}

/// <summary>Whether a run has learned to tell images apart, by what can be measured without labels on the last batch
/// of its last epoch.</summary>
/// <param name="RankMe">Effective rank of the embeddings: dimensions in use.</param>
/// <param name="Dimensions">As many as there can be: the embedding's width, or fewer where the batch is smaller.</param>
/// <param name="Spread">Of the normalised embeddings over the sphere: 0 = all equal, about 1 = anywhere.</param>
/// <param name="Loss">Of that batch.</param>
/// <param name="LossWhenCollapsed">The loss if all embeddings were equal; null where that says nothing (BYOL, SimSiam).</param>
/// <param name="PrototypesUsed">Prototypes or outputs that the images spread over; null where there are none.</param>
/// <param name="RelativeStep">See <see cref="RelativeStepOf"/>; null in runs that did not measure it.</param>
/// <param name="Labelled">Whether the run learned from labels: a dimension for each class is enough then.</param>
public sealed record RunHealth(
    double RankMe, int Dimensions, double Spread, double Loss, double? LossWhenCollapsed, double? PrototypesUsed,
    double? RelativeStep, bool Labelled)
{
    // Healthy runs of the twelve frameworks are well on the other side of all of these (docs/EXPERIMENTS.md).
    private const int MinSteps = 30, FirstLines = 3;
    private const double MinFall = 0.005; // of the loss
    private const double MinRank = 8, MinRankShare = 0.25, MinSpread = 0.1, MinGain = 0.02,
        MinPrototypes = 2, MaxRelativeStep = 0.1;

    /// <summary>Steps of the run; null where they are not known.</summary>
    public long? Steps { get; init; }

    /// <summary>The loss that it came from: the highest of the means over its first lines, its first quarter and its second;
    /// null where it is not known.</summary>
    /// <remarks>
    /// Not the first alone: where images are compared with a memory that is empty at first, as in MoCo v2 and PIRL,
    /// the loss rises before it falls.
    /// </remarks>
    public double? LossBefore { get; init; }

    /// <summary>The mean loss of the last quarter; null where it is not known.</summary>
    public double? LossAfter { get; init; }

    /// <summary>How much of a difference between the two is chance: the standard error of the change from line to
    /// line; 0 with few lines.</summary>
    public double LossNoise { get; init; }

    /// <summary>Images that differ from one another; null where it is not known.</summary>
    public int? DifferentImages { get; init; }

    /// <summary>The largest learning rate of any step; null where it is not known.</summary>
    public double? LearningRate { get; init; }

    /// <summary>Whether all views of an image were the same, pixel by pixel, so that any network solves the task.</summary>
    internal bool ViewsTaughtNothing { get; init; }

    /// <summary>What can be said.</summary>
    public HealthState State => Steps < MinSteps ? HealthState.Undecided : Problems.Count == 0 ? HealthState.Healthy
        : LearningRate == 0 || ViewsTaughtNothing || (Problems.Count == 1 && LossDidNotFall)
        ? HealthState.NotLearning : HealthState.Collapsed;

    private bool LossDidNotFall => LossBefore is double before && LossAfter is double after
        && before - after <= Math.Max(LossNoise, MinFall * Math.Max(1, Math.Abs(before)));

    /// <summary>What is wrong, in plain words; empty for a healthy run, and for one of too few steps to tell.</summary>
    public IReadOnlyList<string> Problems
    {
        get
        {
            var problems = new List<string>();
            if (Steps < MinSteps) return problems;
            if (DifferentImages == 1) problems.Add("all images are equal");
            if (ViewsTaughtNothing) problems.Add("all views of an image were the same, so that there was nothing to learn");
            if (LearningRate == 0) problems.Add("the learning rate was 0, so that the weights stayed as they were");
            if (LossDidNotFall)
                problems.Add(Invariant($"the loss {(LossAfter < LossBefore ? "hardly fell" : "did not fall")} ({LossBefore:F3} ")
                    + Invariant($"before, {LossAfter:F3} at the end)"));
            if (Spread < MinSpread)
                problems.Add(Invariant($"all images have nearly the same embedding (spread {Spread:F3} of 1)"));
            if (!Labelled && RankMe < Math.Min(MinRank, Dimensions * MinRankShare))
                problems.Add(Invariant($"the embedding uses {RankMe:F1} of {Dimensions} dimensions"));
            if (PrototypesUsed < MinPrototypes)
                problems.Add(Invariant($"the images share {PrototypesUsed:F1} prototypes"));
            if (LossWhenCollapsed is double collapsed && Loss > collapsed - MinGain * Math.Max(1, Math.Abs(collapsed)))
                problems.Add(
                    Invariant($"the loss of {Loss:F3} is no lower than with equal embeddings for all images ({collapsed:F3})"));
            if (StepsTooLong)
                problems.Add(Invariant($"each step moves the weights by {RelativeStep * 100:F0} % of their length"));
            return problems;
        }
    }

    private bool StepsTooLong => RelativeStep > MaxRelativeStep;

    /// <summary>The verdict: what is wrong with the likely cause and what to change, or that nothing is.</summary>
    /// <param name="recipe">Of the run.</param>
    public string Verdict(Recipe recipe)
    {
        string kind = OptionsJson.KindOf(recipe.Method);
        if (State == HealthState.Undecided)
            return Invariant($"Too few steps to judge: {Steps}, and it takes {MinSteps} or more. ")
                + Invariant($"Train for longer (--set training.epochs=N), or with smaller batches (--set training.batchSize=N).");
        if (State == HealthState.Healthy)
            return Invariant($"Healthy: the embedding uses {RankMe:F0} of {Dimensions} dimensions (spread {Spread:F2} of 1).");
        if (LearningRate == 0)
            return $"Not learning: {string.Join(", ", Problems)}. Give optimizer.learningRate a value above 0.";
        if (DifferentImages < recipe.Training.BatchSize)
            return $"Not learning: {string.Join(", ", Problems)}. The cause: only {DifferentImages} of the run's images differ "
                + $"from one another, fewer than a batch of {recipe.Training.BatchSize}. Give more different images.";
        if (ViewsTaughtNothing) return $"Not learning: {Problems[0]}. Give masks or crops, as --set views.preset=mscn does.";
        if (State == HealthState.NotLearning)
            return Invariant($"Not learning: {Problems[0]}. The usual causes are too low or too high a learning rate (--set ")
                + Invariant($"optimizer.learningRate=X; it is ")
                + Invariant($"{recipe.Optimizer.LearningRate:G3}), too few epochs, or views that show nothing ")
                + Invariant($"in common (lower the mask ratios).");
        Fault[] ways = [.. recipe.Method.WaysToCollapse()];
        string lower = Invariant($"--set optimizer.learningRate={recipe.Optimizer.LearningRate / 10:G3} instead ")
            + Invariant($"of {recipe.Optimizer.LearningRate:G3}");
        string cause = ways.Length > 0
            ? "The cause: " + string.Join("; ", ways.Select(w => $"method.{w.Path} {w.Problem}"))
            : StepsTooLong
                ? $"The cause is too high a learning rate: {lower}"
                : $"The usual cause is too high a learning rate: {lower}. After that, views that show nothing in common (lower "
                    + "the mask ratios), or too few epochs";
        string what = StepsTooLong && Problems.Count == 1 ? $"Too fast, {kind} forgets what it has learned"
            : $"Collapsed, {kind} does not tell images apart";
        return $"{what}: {string.Join(", ", Problems)}. {cause}.";
    }

    /// <summary>The health of a finished run.</summary>
    /// <param name="folder">Its folder.</param>
    /// <param name="recipe">Its recipe.</param>
    /// <returns>Null where its metrics tell none.</returns>
    public static RunHealth? Read(RunFolder folder, Recipe recipe)
    {
        string[] needed = ["rankme", "dimensions", "embedding_spread"];
        IReadOnlyList<JsonObject> lines = MetricsLog.Read(folder.MetricsPath).Lines;
        if (lines.LastOrDefault(line => needed.All(line.ContainsKey)) is not { } last) return null; // or has just begun
        double? Number(string name) => (double?)last[name];
        var (before, after, noise) = Fall([.. lines.Select(l => (double)l["loss"]!)]);
        return new RunHealth(Number("rankme")!.Value, (int)Number("dimensions")!, Number("embedding_spread")!.Value,
            Number("loss")!.Value, Number("loss_when_collapsed"),
            recipe.Method.UsedTerm is { } used ? Number(used) : null, Number("relative_step"), recipe.Method.NeedsLabels)
        {
            Steps = (long)Number("step")!,
            LossBefore = before,
            LossAfter = after,
            LossNoise = noise,
            DifferentImages = RunImages.Different(folder),
            LearningRate = lines.Max(l => (double?)l["lr"]),
            ViewsTaughtNothing = recipe.ViewsTeachNothing
        };
    }

    /// <summary>What the loss came from and where it ended, with the standard error of their difference;
    /// nulls with fewer than two lines.</summary>
    internal static (double? Before, double? After, double Noise) Fall(double[] losses)
    {
        int count = losses.Length;
        if (count < 2) return (null, null, 0);
        double Mean(int from, int to) => losses[from..Math.Max(from + 1, to)].Average();
        double before =
            Math.Max(Mean(0, Math.Min(FirstLines, count / 4)), Math.Max(Mean(0, count / 4), Mean(count / 4, count / 2))),
            after = Mean(count - Math.Max(1, count / 4), count);
        if (count < 8) return (before, after, 0);
        // Two neighbouring lines differ by twice the variance of one, and a mean over a quarter has its part of that.
        double variance = losses.Zip(losses.Skip(1), (a, b) => (b - a) * (b - a)).Average() / 2;
        return (before, after, Math.Sqrt(variance * 2 / (count / 4)));
    }

    /// <summary>The numbers for metrics.jsonl at the end of an epoch; alignment only where one
    /// network embeds two views.</summary>
    /// <param name="embeddings">(V N, E), view by view.</param>
    /// <param name="samples">N.</param>
    /// <param name="lossWhenCollapsed">See <see cref="Methods.SiameseMethod.LossWhenCollapsed"/>.</param>
    internal static List<(string Name, double Value)> Measure(Tensor embeddings, int samples, double? lossWhenCollapsed)
    {
        using var scope = NewDisposeScope();
        Tensor first = embeddings.narrow(0, 0, samples);
        double[] singularValues = Spectrum.SingularValues(embeddings);
        List<(string, double)> health =
            [("rankme", Spectrum.RankMe(singularValues)), ("dimensions", singularValues.Length),
                ("uniformity", Spectrum.Uniformity(first))];
        if (embeddings.shape[0] >= 2 * samples)
            health.Add(("alignment", Spectrum.Alignment(first, embeddings.narrow(0, samples, samples))));
        if (lossWhenCollapsed is double loss) health.Add(("loss_when_collapsed", loss));
        return health;
    }

    /// <summary>How far a step moves the weights, as a share of their length at the start.</summary>
    /// <remarks>
    /// Definition: sqrt(((length now / length at the start)^2 - 1) / steps), the length of each of so many steps at right angles
    /// to the weights, which is where gradients of weights ahead of a normalisation point. 0 where the weights became shorter.
    /// </remarks>
    internal static double RelativeStepOf(double lengthAtStart, double lengthNow, long steps) =>
        lengthAtStart > 0 ? Math.Sqrt(Math.Max(0, Math.Pow(lengthNow / lengthAtStart, 2) - 1) / steps) : 0;

    /// <summary>The Euclidean length of all weights of a network: of parameters of two dimensions and more.</summary>
    internal static double Length(nn.Module network)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        Tensor[] weights = [.. network.parameters().Where(p => p.dim() > 1)];
        return weights.Length > 0 ? TorchOperators.GlobalNorm(weights).ToDouble() : 0;
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

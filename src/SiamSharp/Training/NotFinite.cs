using System.Globalization;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Methods;
using SiamSharp.Optim;
using SiamSharp.Recipes;
using SiamSharp.Views;
using TorchSharp;
using static TorchSharp.torch;

namespace SiamSharp.Training;

/// <summary>What a run says when a number is not finite: which one, and the likely cause with what to change.</summary>
/// <remarks>
/// The causes in the order in which they are looked for: images that single precision cannot hold, images on two scales,
/// images that are equal, the weights that the run began with, steps so long that only the learning rate explains them. Where
/// none is found, none is blamed.
/// Cost: nothing before something is wrong, but one pass over the weights at the start.
/// </remarks>
internal sealed class NotFinite(
    Recipe recipe, ImageDataset data, RunFolder folder, Preprocessing preprocessing, SiameseMethod method)
{
    // Healthy runs of the twelve frameworks move the weights by 0.003 to 0.02 of their length in a step, those with 100 times the
    // rate by 0.3 to 0.5 (docs/EXPERIMENTS.md).
    private const double LongStep = 0.05, TwoScales = 1e4, LargeWeight = 1e4;

    private const int FewImages = 256;

    private double _lengthAtStart;
    private long _start;

    /// <summary>Refuses what can only end so: pixels whose standardisation overflows, weights that are not finite.</summary>
    /// <param name="state">Everything that the checkpoint holds.</param>
    /// <param name="step">Steps done.</param>
    internal void CheckStart(IReadOnlyDictionary<string, Tensor> state, long step)
    {
        for (int c = 0; c < data.Channels; c++)
        {
            double deviation = preprocessing.Std[c];
            if (!double.IsFinite(deviation) || !float.IsFinite((float)(1 / deviation))
                || !float.IsFinite((float)preprocessing.Mean[c]))
                throw new RunException(Line($"Channel {c} of {data.Name} has values from {data.Range.Min:G4} ")
                    + Line($"to {data.Range.Max:G4} with a standard deviation of {deviation:G4}, ")
                    + "by which single precision cannot divide. Scale the images, such as to 0 to 1.");
        }
        if (StateDict.FirstNotFinite(state) is { } name)
            throw new RunException(step == 0
                ? $"The network has weights that are not finite before the first step: {name}. "
                    + "Let the backbone begin with other weights."
                : $"{folder.CheckpointPath} holds numbers that are not finite: {name}. "
                    + "It is damaged; start anew in another folder.");
        (_lengthAtStart, _start) = (RunHealth.Length(method), step);
    }

    /// <summary>For a loss that is not finite.</summary>
    internal RunException Loss(long step, LossTerms terms, Data.Batch batch, bool saved)
    {
        string[] Named(bool finite) => [.. terms.Terms.Select(t => (t.Name, Value: t.Value.ToDouble()))
            .Where(t => double.IsFinite(t.Value) == finite).Select(t => Line($"{t.Name} = {t.Value:G4}"))];
        string others = string.Join(", ", Named(finite: true));
        string what = Named(finite: false) is { Length: > 0 } broken ? string.Join(", ", broken)
            : Line($"the sum of its terms = {terms.Total.ToDouble():G4}");
        return Of(
            $"The loss is not finite at step {step + 1}: {what}{(others.Length > 0 ? $" ({others})" : "")}", step, batch, saved);
    }

    /// <summary>For gradients that are not finite, or too long for single precision.</summary>
    internal RunException Gradient(long step, Data.Batch batch, bool saved)
    {
        using var scope = NewDisposeScope();
        var gradients = method.named_parameters().Where(p => p.parameter.grad is not null)
            .ToDictionary(p => p.name, p => (Tensor)p.parameter.grad!);
        return Of($"The gradient is not finite at step {step + 1}: {StateDict.FirstNotFinite(gradients) ?? Largest(gradients)}",
            step, batch, saved);
    }

    /// <summary>For weights or a memory of the optimiser that are not finite after so many steps.</summary>
    internal RunException State(long steps, IReadOnlyDictionary<string, Tensor> state, bool saved) =>
        Of($"The state of the network is not finite after step {steps}: {StateDict.FirstNotFinite(state) ?? Largest(state)}",
            steps, null, saved);

    /// <summary>Where every number is finite, but not their common length in single precision.</summary>
    private static string Largest(IReadOnlyDictionary<string, Tensor> tensors)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var (name, value) = tensors.Where(t => t.Value.is_floating_point() && t.Value.numel() > 0)
            .Select(t => (t.Key, t.Value.abs().max().ToDouble())).MaxBy(t => t.Item2);
        return Line(
            $"its numbers have grown so large (up to {value:G4}, in \"{name}\") that their squares are beyond single precision");
    }

    private RunException Of(string what, long step, Data.Batch? batch, bool saved) => new(
        $"{what}. {OfTheImages(batch) ?? OfTheWeights(step) ?? OfTheRate(step)} "
        + (saved ? $"The last good state is in {folder.CheckpointPath}." : "No checkpoint had been written yet."));

    /// <param name="batch">What the step saw; null where it is not known any more.</param>
    private string? OfTheImages(Data.Batch? batch)
    {
        using var scope = NewDisposeScope();
        if (batch is not null)
        {
            Tensor unsound = preprocessing.Apply(batch.Images).isfinite().logical_not().flatten(1).any(1).nonzero();
            if (unsound.shape[0] > 0)
                return $"The image {data.PathOf(batch.Indexes[unsound[0].item<long>()])} has values that single precision cannot "
                    + "hold once they are standardised. Leave it out, or scale the images.";
        }

        // The largest value of each image; of all images where they are in memory.
        int[] looked = data.InMemory || batch is null
            ? [.. Enumerable.Range(0, data.InMemory ? data.Count : Math.Min(data.Count, FewImages))] : batch.Indexes;
        var reach = looked.Select(i => (Index: i, Value: Reach(i))).OrderBy(r => r.Value).ToArray();
        var (typical, largest) = (reach[reach.Length / 2], reach[^1]);
        if (largest.Value > TwoScales * typical.Value)
            return Line($"The images are on two scales: the values of {data.PathOf(largest.Index)} reach {largest.Value:G4}, ")
                + Line($"those of half of the images no more than {typical.Value:G4}. ")
                + "Scale all images alike, or leave out those that are far from the others.";
        if (reach.FirstOrDefault(r => r.Value > 0) is { Value: > 0 } smallest
            && largest.Value > TwoScales * TwoScales * smallest.Value)
            return Line($"The images are on two scales: the values of {data.PathOf(largest.Index)} reach {largest.Value:G4}, ")
                + Line($"those of {data.PathOf(smallest.Index)} only {smallest.Value:G4}. ")
                + "Scale all images alike.";

        int different = Enumerable.Range(0, data.Count).Select(data.HashOf).Distinct().Count();
        if (different == 1)
            return $"All {data.Count} images of {data.Name} are equal, pixel by pixel, "
                + "so that there is nothing to learn. Give different images.";
        if (different < recipe.Training.BatchSize)
            return $"{data.Name} has {data.Count} images, but only {different} different ones, fewer than a batch "
                + $"({recipe.Training.BatchSize}). Give more different images; `siam duplicates` lists the equal ones.";
        return data.BlankCount > data.Count / 2
            ? $"{data.BlankCount} of the {data.Count} images of {data.Name} are blank: "
                + "they have one value in each channel. Leave them out."
            : null;
    }

    private float Reach(int index)
    {
        float[] pixels = new float[data.Channels * data.Size * data.Size];
        try
        {
            data.Read(index, pixels);
            return pixels.Max(Math.Abs);
        }
        catch (UnreadableImageException) // a file that vanished during the run
        {
            return 0;
        }
    }

    /// <summary>Weights that are far too large already at the first step, which no learning rate has touched.</summary>
    private string? OfTheWeights(long step)
    {
        if (step > _start || recipe.Backbone.Weights.Length == 0) return null;
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var largest =
            method.named_parameters().Select(p => (p.name, Value: p.parameter.abs().max().ToDouble())).MaxBy(p => p.Value);
        return largest.Value > LargeWeight
            ? Line($"Weights from {recipe.Backbone.Weights} are far too large: {largest.name} reaches {largest.Value:G4}. ")
                + Line($"Begin with other weights (backbone.weights).")
            : null;
    }

    private string OfTheRate(long step)
    {
        string rate = Line($"optimizer.learningRate (it is {recipe.Optimizer.LearningRate:0.#########})");
        if (step == _start)
            return $"It is the first step{(step > 0 ? " since the run goes on" : "")}, and the images differ and are on one "
                + "scale: no cause was found. Try other options of the method and the backbone.";
        double usual = ((OptimizerOptions)Activator.CreateInstance(recipe.Optimizer.GetType())!).LearningRate;
        double share = RunHealth.RelativeStepOf(_lengthAtStart, RunHealth.Length(method), step - _start);
        if (share > LongStep)
            return Line($"The cause is too high a learning rate: a step moves the weights by ")
                + Line($"{(share < 10 ? Line($"{share * 100:F0} % of") : Line($"{share:G3} times"))} their length. ")
                + Line($"Begin again in another folder with a lower {rate}, ")
                + Line($"such as --set optimizer.learningRate={Math.Min(usual, recipe.Optimizer.LearningRate / 10):G3}.");
        return double.IsFinite(share)
            ? Line($"No cause was found: the images differ and are on one scale, and a step moves the weights by ")
                + Line($"{share * 100:F1} % of their length only. ")
                + $"Try --set optimizer.clipNorm=1, then a lower {rate}, each in another folder."
            : "No weights are left to tell the cause by; it may be too high a learning rate. "
                + $"Begin again in another folder with a lower {rate}.";
    }

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

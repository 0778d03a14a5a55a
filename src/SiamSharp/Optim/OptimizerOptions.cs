using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using static TorchSharp.torch;

namespace SiamSharp.Optim;

/// <summary>How gradients become steps.</summary>
/// <remarks>
/// A new optimiser is one file in this folder, or in an assembly of your own: its
/// <see cref="Options.KindAttribute"/> makes it known.
/// </remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "name")]
public abstract record OptimizerOptions
{
    /// <summary>Sets the defaults of a kind.</summary>
    /// <param name="learningRate">Peak learning rate.</param>
    /// <param name="weightDecay">Of weights.</param>
    /// <param name="warmupEpochs">Of linear warm-up.</param>
    protected OptimizerOptions(double learningRate, double weightDecay, int warmupEpochs) =>
        (LearningRate, WeightDecay, WarmupEpochs) = (learningRate, weightDecay, warmupEpochs);

    /// <summary>Peak learning rate, not scaled by the batch size.</summary>
    [Range(0.0, 1000.0)] public double LearningRate { get; init; }

    /// <summary>The rate at the end of training as a share of <see cref="LearningRate"/>.</summary>
    [Range(0.0, 1.0)] public double FinalShare { get; init; }

    /// <summary>Weight decay of parameters with two or more dimensions, constant over the run (DINO's and MSN's authors raise it
    /// from 0.04 to 0.4).</summary>
    [Range(0.0, 10.0)] public double WeightDecay { get; init; }

    /// <summary>Whether biases and normalisation parameters decay too; LARS never lets them.</summary>
    public bool DecayBiases { get; init; }

    /// <summary>Gradients longer than this Euclidean norm over all parameters together are shortened to it (DINO's authors
    /// shorten each parameter's by itself); 0 = off.</summary>
    [Range(0.0, 1e6)] public double ClipNorm { get; init; }

    /// <summary>Epochs of linear warm-up; fractions are allowed.</summary>
    [Range(0.0, 1000.0)] public double WarmupEpochs { get; init; }

    /// <summary>Builds the optimiser for all parameters of a network that ask for gradients.</summary>
    /// <param name="module">The network, on its final device.</param>
    /// <returns>An optimiser owned by the caller.</returns>
    /// <exception cref="Options.OptionsException">An option is out of its range.</exception>
    public Optimizer Create(nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        return Create(
            [.. module.named_parameters().Where(p => p.parameter.requires_grad).Select(p => (p.name, (Tensor)p.parameter))]);
    }

    /// <summary>Builds the optimiser for named parameters.</summary>
    /// <param name="parameters">Parameters by unique name; they stay the caller's.</param>
    /// <returns>An optimiser owned by the caller.</returns>
    /// <exception cref="Options.OptionsException">An option is out of its range.</exception>
    public Optimizer Create(IReadOnlyList<(string Name, Tensor Parameter)> parameters) =>
        Options.OptionsJson.Check(this, "optimizer").Build(parameters);

    /// <summary>Builds the optimiser; the options are in their ranges.</summary>
    /// <param name="parameters">Parameters by unique name; they stay the caller's.</param>
    /// <returns>An optimiser owned by the caller.</returns>
    protected abstract Optimizer Build(IReadOnlyList<(string Name, Tensor Parameter)> parameters);
}

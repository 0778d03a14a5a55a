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

    /// <summary>Highest learning rate, which is reached after the warm-up. It is not scaled by the batch size.</summary>
    [Range(0.0, 1000.0)] public double LearningRate { get; init; }

    /// <summary>
    /// Learning rate at the end, as a share of <see cref="LearningRate"/>; 0 = it falls to zero. It falls along half a
    /// cosine.
    /// </summary>
    [Range(0.0, 1.0)] public double FinalShare { get; init; }

    /// <summary>
    /// How strongly weights are pulled towards 0; constant over the run (DINO's and MSN's authors raise it from 0.04 to 0.4).
    /// It holds for parameters of two or more dimensions; for the others see <see cref="DecayBiases"/>.
    /// </summary>
    [Range(0.0, 10.0)] public double WeightDecay { get; init; }

    /// <summary>Whether weight decay holds for biases and normalisation parameters too. In LARS it never does.</summary>
    public bool DecayBiases { get; init; }

    /// <summary>
    /// Limit for the length of the gradient (its Euclidean norm), all parameters together: a longer one is shortened to it; 0
    /// = no limit. DINO's authors limit the gradient of each parameter by itself.
    /// </summary>
    [Range(0.0, 1e6)] public double ClipNorm { get; init; }

    /// <summary>
    /// Epochs at the start in which the learning rate rises evenly to its highest value. Fractions are allowed.
    /// </summary>
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

using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using static TorchSharp.torch;

namespace SiamSharp.Optim;

/// <summary>How gradients become steps.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "name")]
[JsonDerivedType(typeof(AdamWOptions), "adamw")]
[JsonDerivedType(typeof(SgdOptions), "sgd")]
[JsonDerivedType(typeof(LarsOptions), "lars")]
public abstract record OptimizerOptions
{
    private protected OptimizerOptions(double learningRate, double weightDecay, int warmupEpochs) =>
        (LearningRate, WeightDecay, WarmupEpochs) = (learningRate, weightDecay, warmupEpochs);

    /// <summary>Peak learning rate, not scaled by the batch size.</summary>
    [Range(0.0, 1000.0)] public double LearningRate { get; init; }

    /// <summary>The rate at the end of training as a share of <see cref="LearningRate"/>.</summary>
    [Range(0.0, 1.0)] public double FinalShare { get; init; }

    /// <summary>Weight decay of parameters with two or more dimensions, constant over the run (DINO's and MSN's authors raise it from 0.04 to 0.4).</summary>
    [Range(0.0, 10.0)] public double WeightDecay { get; init; }

    /// <summary>Whether biases and normalisation parameters decay too; LARS never lets them.</summary>
    public bool DecayBiases { get; init; }

    /// <summary>Gradients longer than this Euclidean norm over all parameters together are shortened to it (DINO's authors shorten each parameter's by itself); 0 = off.</summary>
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
        return Create([.. module.named_parameters().Where(p => p.parameter.requires_grad).Select(p => (p.name, (Tensor)p.parameter))]);
    }

    /// <summary>Builds the optimiser for named parameters.</summary>
    /// <param name="parameters">Parameters by unique name; they stay the caller's.</param>
    /// <returns>An optimiser owned by the caller.</returns>
    /// <exception cref="Options.OptionsException">An option is out of its range.</exception>
    public Optimizer Create(IReadOnlyList<(string Name, Tensor Parameter)> parameters) => Options.OptionsJson.Check(this, "optimizer").Build(parameters);

    private protected abstract Optimizer Build(IReadOnlyList<(string Name, Tensor Parameter)> parameters);
}

/// <summary>AdamW. Source: Loshchilov and Hutter 2017, arXiv 1711.05101.</summary>
public sealed record AdamWOptions() : OptimizerOptions(learningRate: 2e-3, weightDecay: 0.05, warmupEpochs: 1)
{
    /// <summary>Decay of the mean of the gradients.</summary>
    [Range(0.0, 0.999999)] public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the mean of their squares; PyTorch's default.</summary>
    [Range(0.0, 0.999999)] public double Beta2 { get; init; } = 0.999;

    private protected override Optimizer Build(IReadOnlyList<(string Name, Tensor Parameter)> parameters) => new FusedAdamW(this, parameters);
}

/// <summary>Stochastic gradient descent with momentum. Rate, momentum and decay are SimSiam's for a batch of 256 (arXiv 2011.10566).</summary>
/// <remarks>
/// Differences: SimSiam has no warm-up (warmupEpochs=0), lets biases and normalisations decay (decayBiases=true) and keeps the rate of its predictor constant,
/// for which there is no option.
/// </remarks>
public sealed record SgdOptions() : OptimizerOptions(learningRate: 0.05, weightDecay: 1e-4, warmupEpochs: 1)
{
    /// <summary>Share of the last step that is kept.</summary>
    [Range(0.0, 0.9999)] public double Momentum { get; init; } = 0.9;

    /// <summary>Nesterov's look-ahead.</summary>
    public bool Nesterov { get; init; }

    private protected override Optimizer Build(IReadOnlyList<(string Name, Tensor Parameter)> parameters) => new Sgd(this, parameters);
}

/// <summary>LARS, for batches of a thousand and more. The defaults are SimCLR's for a batch of 256 (arXiv 2002.05709).</summary>
/// <remarks>
/// Differences: one rate for all parameters. Barlow Twins' authors have a rate of 0.0048 for biases and normalisations where weights have 0.2, SwAV's scale those
/// like weights (LARC) and let them decay.
/// </remarks>
public sealed record LarsOptions() : OptimizerOptions(learningRate: 0.3, weightDecay: 1e-6, warmupEpochs: 10)
{
    /// <summary>Share of the last step that is kept.</summary>
    [Range(0.0, 0.9999)] public double Momentum { get; init; } = 0.9;

    /// <summary>The trust coefficient: length of a layer's update as a share of its weights' length.</summary>
    [Range(1e-6, 1.0)] public double Trust { get; init; } = 0.001;

    private protected override Optimizer Build(IReadOnlyList<(string Name, Tensor Parameter)> parameters) => new Lars(this, parameters);
}

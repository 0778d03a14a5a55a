using System.ComponentModel.DataAnnotations;
using SiamSharp.Native;
using SiamSharp.Options;
using static TorchSharp.torch;

namespace SiamSharp.Optim;

/// <summary>Stochastic gradient descent with momentum. Rate, momentum and decay are SimSiam's for a batch of 256
/// (arXiv 2011.10566).</summary>
/// <remarks>
/// Differences: SimSiam has no warm-up (warmupEpochs=0), lets biases and normalisations decay (decayBiases=true) and keeps the
/// rate of its predictor constant, for which there is no option.
/// </remarks>
[Kind("sgd")]
public sealed record SgdOptions() : OptimizerOptions(learningRate: 0.05, weightDecay: 1e-4, warmupEpochs: 1)
{
    /// <summary>Share of the last step that is kept in the next one.</summary>
    [Range(0.0, 0.9999)] public double Momentum { get; init; } = 0.9;

    /// <summary>Whether the momentum looks one step ahead, as Nesterov's does.</summary>
    public bool Nesterov { get; init; }

    /// <inheritdoc/>
    protected override Optimizer Build(IReadOnlyList<(string Name, Tensor Parameter)> parameters) => new Sgd(this, parameters);
}

/// <summary>Stochastic gradient descent with momentum, all parameters in one native call.</summary>
/// <remarks>
/// Definition: g = gradient + decay w; v = momentum v + g; w -= rate v, or with Nesterov rate (g + momentum v).
/// Source: torch.optim.SGD, without dampening. Cost: one float a parameter.
/// </remarks>
internal sealed class Sgd : Optimizer
{
    private readonly SgdOptions _options;

    /// <summary>Starts with zero momentum.</summary>
    /// <param name="options">Momentum and weight decay; the rate comes with each step.</param>
    /// <param name="parameters">Parameters by unique name, all of one dtype and device; they stay the caller's.</param>
    public Sgd(SgdOptions options, IReadOnlyList<(string Name, Tensor Parameter)> parameters) : base(parameters)
    {
        _options = OptionsJson.Check(options, "optimizer");
        AddState("momentum_buffer", p => p.detach().zeros_like());
    }

    /// <inheritdoc/>
    protected override void Update(
        string[] names, Tensor[] parameters, Tensor[] gradients, bool areWeights, double learningRate) =>
        TorchOperators.Sgd(parameters, gradients, StateOf("momentum_buffer", names),
            learningRate, _options.Momentum, areWeights || _options.DecayBiases ? _options.WeightDecay : 0, _options.Nesterov);
}

using System.ComponentModel.DataAnnotations;
using SiamSharp.Native;
using SiamSharp.Options;
using static TorchSharp.torch;

namespace SiamSharp.Optim;

/// <summary>
/// LARS, for batches of a thousand images and more: the step of each layer is in proportion to the length of its weights. The
/// defaults are SimCLR's for a batch of 256 (arXiv 2002.05709).
/// </summary>
/// <remarks>
/// Differences: one rate for all parameters. Barlow Twins' authors have a rate of 0.0048 for biases and normalisations where
/// weights have 0.2, SwAV's scale those like weights (LARC) and let them decay.
/// </remarks>
[Kind("lars")]
public sealed record LarsOptions() : OptimizerOptions(learningRate: 0.3, weightDecay: 1e-6, warmupEpochs: 10)
{
    /// <summary>Share of the last step that is kept in the next one.</summary>
    [Range(0.0, 0.9999)] public double Momentum { get; init; } = 0.9;

    /// <summary>
    /// The trust coefficient: length of a layer's update as a share of the length of its weights, before the learning rate is
    /// applied.
    /// </summary>
    [Range(1e-6, 1.0)] public double Trust { get; init; } = 0.001;

    /// <inheritdoc/>
    protected override Optimizer Build(IReadOnlyList<(string Name, Tensor Parameter)> parameters) => new Lars(this, parameters);
}

/// <summary>Layer-wise adaptive rate scaling: every layer's step is in proportion to the length of its weights.</summary>
/// <remarks>
/// Definition: g = gradient + decay w; g *= trust |w| / |g| (1 where either is 0); v = momentum v + g; w -= rate v.
/// Biases and normalisation parameters neither decay nor are scaled.
/// Source: You et al. 2017, arXiv 1708.03888, as in the authors' code of VICReg and Barlow Twins.
/// Differences: momentum is kept before the rate is applied, unlike in the paper. Cost: one float a parameter.
/// </remarks>
internal sealed class Lars : Optimizer
{
    private readonly LarsOptions _options;

    /// <summary>Starts with zero momentum.</summary>
    /// <param name="options">Momentum, weight decay and trust coefficient; the rate comes with each step.</param>
    /// <param name="parameters">Parameters by unique name, all of one dtype and device; they stay the caller's.</param>
    public Lars(LarsOptions options, IReadOnlyList<(string Name, Tensor Parameter)> parameters) : base(parameters)
    {
        _options = OptionsJson.Check(options, "optimizer");
        AddState("momentum_buffer", p => p.detach().zeros_like());
    }

    /// <inheritdoc/>
    protected override void Update(
        string[] names, Tensor[] parameters, Tensor[] gradients, bool areWeights, double learningRate)
    {
        var buffers = StateOf("momentum_buffer", names);
        if (areWeights)
            TorchOperators.Lars(parameters, gradients, buffers, learningRate, _options.Momentum,
                _options.WeightDecay, _options.Trust);
        else
            TorchOperators.Sgd(parameters, gradients, buffers, learningRate, _options.Momentum, weightDecay: 0, nesterov: false);
    }
}

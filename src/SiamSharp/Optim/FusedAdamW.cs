using System.ComponentModel.DataAnnotations;
using SiamSharp.Native;
using SiamSharp.Options;
using static TorchSharp.torch;

namespace SiamSharp.Optim;

/// <summary>
/// AdamW, the default: each weight has a step of its own, by its past gradients. Source: Loshchilov and Hutter 2017, arXiv
/// 1711.05101.
/// </summary>
[Kind("adamw")]
public sealed record AdamWOptions() : OptimizerOptions(learningRate: 2e-3, weightDecay: 0.05, warmupEpochs: 1)
{
    /// <summary>Share that the running mean of the gradients keeps of itself at each step.</summary>
    [Range(0.0, 0.999999)] public double Beta1 { get; init; } = 0.9;

    /// <summary>
    /// Share that the running mean of the squared gradients keeps of itself at each step; PyTorch's default.
    /// </summary>
    [Range(0.0, 0.999999)] public double Beta2 { get; init; } = 0.999;

    /// <inheritdoc/>
    protected override Optimizer Build(IReadOnlyList<(string Name, Tensor Parameter)> parameters) =>
        new FusedAdamW(this, parameters);
}

/// <summary>AdamW with all parameters in one native call.</summary>
/// <remarks>
/// Definition and order as torch.optim.AdamW (decay first, epsilon 1e-8 added to the root).
/// Source: Loshchilov and Hutter 2017, arXiv 1711.05101, algorithm 2.
/// Cost: two floats a parameter.
/// </remarks>
internal sealed class FusedAdamW : Optimizer
{
    private readonly AdamWOptions _options;

    /// <summary>Starts with zeros for both moments.</summary>
    /// <param name="options">Betas and weight decay; the rate comes with each step.</param>
    /// <param name="parameters">Parameters by unique name, all of one dtype and device; they stay the caller's.</param>
    public FusedAdamW(AdamWOptions options, IReadOnlyList<(string Name, Tensor Parameter)> parameters) : base(parameters)
    {
        _options = OptionsJson.Check(options, "optimizer");
        AddState("exp_avg", p => p.detach().zeros_like());
        AddState("exp_avg_sq", p => p.detach().zeros_like());
        AddState("step", p => zeros([], dtype: ScalarType.Float32, device: p.device));
    }

    /// <inheritdoc/>
    protected override void Update(
        string[] names, Tensor[] parameters, Tensor[] gradients, bool areWeights, double learningRate) =>
        TorchOperators.AdamW(parameters, gradients, StateOf("exp_avg", names),
            StateOf("exp_avg_sq", names), StateOf("step", names),
            learningRate, _options.Beta1, _options.Beta2,
            areWeights || _options.DecayBiases ? _options.WeightDecay : 0, epsilon: 1e-8);
}

using SiamSharp.Native;
using static TorchSharp.torch;

namespace SiamSharp.Optim;

/// <summary>Stochastic gradient descent with momentum, all parameters in one native call.</summary>
/// <remarks>
/// Definition: g = gradient + decay w; v = momentum v + g; w -= rate v, or with Nesterov rate (g + momentum v).
/// Source: torch.optim.SGD, without dampening. Cost: one float a parameter.
/// </remarks>
public sealed class Sgd : Optimizer
{
    private readonly SgdOptions _options;

    /// <summary>Starts with zero momentum.</summary>
    /// <param name="options">Momentum and weight decay; the rate comes with each step.</param>
    /// <param name="parameters">Parameters by unique name, all of one dtype and device; they stay the caller's.</param>
    public Sgd(SgdOptions options, IReadOnlyList<(string Name, Tensor Parameter)> parameters) : base(parameters)
    {
        _options = Options.OptionsJson.Check(options, "optimizer");
        AddState("momentum_buffer", p => p.detach().zeros_like());
    }

    private protected override void Update(
        string[] names, Tensor[] parameters, Tensor[] gradients, bool areWeights, double learningRate) =>
        TorchOperators.Sgd(parameters, gradients, StateOf("momentum_buffer", names),
            learningRate, _options.Momentum, areWeights || _options.DecayBiases ? _options.WeightDecay : 0, _options.Nesterov);
}

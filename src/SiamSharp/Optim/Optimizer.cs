using SiamSharp.Files;
using static TorchSharp.torch;

namespace SiamSharp.Optim;

/// <summary>Changes parameters by their gradients. All of its memory is in <see cref="State"/>.</summary>
public abstract class Optimizer : IDisposable
{
    private readonly (string Name, Tensor Parameter)[] _parameters;
    private readonly SortedDictionary<string, Tensor> _state = new(StringComparer.Ordinal);

    /// <summary>Begins with an empty memory.</summary>
    /// <param name="parameters">Parameters by unique name; they stay the caller's.</param>
    protected Optimizer(IReadOnlyList<(string Name, Tensor Parameter)> parameters) => _parameters = [.. parameters];

    /// <summary>The optimiser's memory by name, such as <c>exp_avg.backbone.conv1.weight</c>; owned by the optimiser.</summary>
    public IReadOnlyDictionary<string, Tensor> State => _state;

    /// <summary>Makes one step with the gradients at hand; parameters without a gradient stay as they are.</summary>
    /// <param name="learningRate">The rate of this step; <see cref="LearningRateSchedule"/> gives it.</param>
    public void Step(double learningRate)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var ready = _parameters.Select(p => (p.Name, p.Parameter, Gradient: p.Parameter.grad))
            .Where(p => p.Gradient is not null).ToArray();
        foreach (var group in ready.GroupBy(p => p.Parameter.dim() > 1))
        {
            Update([.. group.Select(p => p.Name)], [.. group.Select(p => p.Parameter)], [.. group.Select(p => p.Gradient!)],
                group.Key, learningRate);
        }
    }

    /// <summary>Forgets all gradients and frees their memory.</summary>
    public void ZeroGrad()
    {
        foreach (var (_, parameter) in _parameters) parameter.grad = null;
    }

    /// <summary>Copies a saved memory in; a run continued with it gives the same bits on the processor.</summary>
    /// <param name="state">What <see cref="State"/> held.</param>
    /// <exception cref="StateDictMismatchException">It belongs to another optimiser or network.</exception>
    public void LoadState(IReadOnlyDictionary<string, Tensor> state) => StateDict.Load(_state, state);

    /// <summary>Frees the optimiser's memory.</summary>
    public void Dispose()
    {
        foreach (var tensor in _state.Values) tensor.Dispose();
        _state.Clear();
        GC.SuppressFinalize(this);
    }

    /// <summary>Changes one group of parameters in place.</summary>
    /// <param name="names">Their names.</param>
    /// <param name="parameters">The parameters.</param>
    /// <param name="gradients">Their gradients.</param>
    /// <param name="areWeights">True for parameters of two or more dimensions, false for biases and normalisation.</param>
    /// <param name="learningRate">The rate of this step.</param>
    protected abstract void Update(string[] names, Tensor[] parameters, Tensor[] gradients, bool areWeights, double learningRate);

    /// <summary>Makes room for one tensor of zeros like each parameter.</summary>
    /// <param name="kind">What the memory is called, such as <c>exp_avg</c>.</param>
    /// <param name="zeros">Gives the tensor for a parameter.</param>
    protected void AddState(string kind, Func<Tensor, Tensor> zeros)
    {
        foreach (var (name, parameter) in _parameters) _state.Add($"{kind}.{name}", zeros(parameter).DetachFromDisposeScope());
    }

    /// <summary>The memory of some parameters.</summary>
    /// <param name="kind">As in <see cref="AddState"/>.</param>
    /// <param name="names">Of the parameters.</param>
    protected Tensor[] StateOf(string kind, string[] names) => [.. names.Select(name => _state[$"{kind}.{name}"])];
}

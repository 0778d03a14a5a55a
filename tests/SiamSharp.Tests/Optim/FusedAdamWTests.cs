using SiamSharp.Backbones;
using SiamSharp.Files;
using SiamSharp.Optim;
using SiamSharp.Tests.Reference;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Optim;

public sealed class FusedAdamWTests
{
    private static readonly AdamWOptions s_options = new() { WeightDecay = 0.1, Beta1 = 0.8, Beta2 = 0.95 };

    [Fact]
    public void Step_FourSteps_EqualsTheNaiveLoop()
    {
        using var scope = NewDisposeScope();
        var weight = RandomTensors.Normal(1, [3, 4], ScalarType.Float64).requires_grad_();
        var bias = RandomTensors.Normal(2, [4], ScalarType.Float64).requires_grad_();
        using var optimizer = s_options.Create([("weight", weight), ("bias", bias)]);
        var (expectedWeight, expectedBias) = (new NaiveAdamW(weight, decay: 0.1), new NaiveAdamW(bias, decay: 0));
        for (int step = 1; step <= 4; step++)
        {
            weight.grad = RandomTensors.Normal((ulong)(10 + step), [3, 4], ScalarType.Float64);
            bias.grad = RandomTensors.Normal((ulong)(20 + step), [4], ScalarType.Float64);
            double rate = 0.1 / step;
            expectedWeight.Step(weight.grad, rate, step);
            expectedBias.Step(bias.grad, rate, step);
            optimizer.Step(rate);
        }
        Near.Equal(tensor(expectedWeight.Values).reshape(3, 4), weight, 1e-12);
        Near.Equal(tensor(expectedBias.Values), bias, 1e-12);
        Assert.Equal(4, optimizer.State["step.weight"].item<float>());
    }

    // Loshchilov and Hutter 2017, algorithm 2, a number at a time.
    private sealed class NaiveAdamW(Tensor start, double decay)
    {
        private readonly double[] _m = new double[start.numel()], _v = new double[start.numel()];

        public double[] Values { get; } = start.detach().flatten().data<double>().ToArray();

        public void Step(Tensor gradient, double rate, int step)
        {
            double[] g = gradient.flatten().data<double>().ToArray();
            for (int i = 0; i < g.Length; i++)
            {
                _m[i] = 0.8 * _m[i] + 0.2 * g[i];
                _v[i] = 0.95 * _v[i] + 0.05 * g[i] * g[i];
                double mean = _m[i] / (1 - Math.Pow(0.8, step)), square = _v[i] / (1 - Math.Pow(0.95, step));
                Values[i] = Values[i] * (1 - rate * decay) - rate * mean / (Math.Sqrt(square) + 1e-8);
            }
        }
    }

    [Fact]
    public void Step_Float32_AgreesWithTorchSharpsAdamW()
    {
        using var scope = NewDisposeScope();
        var ours = RandomTensors.Normal(1, [64, 32]).requires_grad_();
        var theirs = ours.detach().clone().requires_grad_();
        using var optimizer = s_options.Create([("weight", ours)]);
        using var reference = optim.AdamW([new TorchSharp.Modules.Parameter(theirs)], 0.01, 0.8, 0.95, 1e-8, 0.1);
        var parameter = reference.parameters().Single();
        for (ulong step = 0; step < 5; step++)
        {
            ours.grad = RandomTensors.Normal(step, [64, 32]);
            parameter.grad = RandomTensors.Normal(step, [64, 32]);
            optimizer.Step(0.01);
            reference.step();
        }
        Near.Equal(parameter, ours, 1e-6);
    }

    [Fact]
    public void Step_ParameterWithoutGradient_StaysAsItIs()
    {
        using var scope = NewDisposeScope();
        var (used, unused) = (ones(2, 2).requires_grad_(), ones(2, 2).requires_grad_());
        using var optimizer = s_options.Create([("used", used), ("unused", unused)]);
        used.grad = ones(2, 2);
        optimizer.Step(0.1);
        Near.Same(ones(2, 2), unused);
        Assert.Equal(1, optimizer.State["step.used"].item<float>());
        Assert.Equal(0, optimizer.State["step.unused"].item<float>());
    }

    [Fact]
    public void LoadState_ThroughAFile_ContinuesWithTheSameBits()
    {
        using var scope = NewDisposeScope();
        string folder = Directory.CreateTempSubdirectory("adamw").FullName, path = Path.Combine(folder, "state.safetensors");
        using var model = new BackboneOptions { Width = 4, Depths = [1] }.Create(1, 8, seed: 1);
        using var optimizer = s_options.Create(model);
        void Train(Optimizer with, ulong step)
        {
            model.forward(RandomTensors.Normal(step, [4, 1, 8, 8])).square().sum().backward();
            with.Step(0.01);
            with.ZeroGrad();
        }

        Train(optimizer, 1);
        SafeTensors.Write(path, optimizer.State);
        var before = model.state_dict().ToDictionary(t => t.Key, t => t.Value.detach().clone());
        Train(optimizer, 2);
        var expected = model.state_dict().ToDictionary(t => t.Key, t => t.Value.detach().clone());

        StateDict.Load(model, before);
        using var restored = s_options.Create(model);
        using (var file = SafeTensors.Read(path)) restored.LoadState(file.Tensors);
        Train(restored, 2);
        Assert.All(model.state_dict(), t => Near.Same(expected[t.Key], t.Value));
        Assert.All(restored.State, t => Near.Same(optimizer.State[t.Key], t.Value));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void LoadState_AnotherOptimizersState_NamesWhatIsMissing()
    {
        using var scope = NewDisposeScope();
        var weight = ones(2, 2).requires_grad_();
        using var adam = s_options.Create([("weight", weight)]);
        using var sgd = new SgdOptions().Create([("weight", weight)]);
        var mismatch = Assert.Throws<StateDictMismatchException>(() => adam.LoadState(sgd.State));
        Assert.Equal(["exp_avg.weight", "exp_avg_sq.weight", "step.weight"], mismatch.Missing);
        Assert.Equal(["momentum_buffer.weight"], mismatch.Unexpected);
    }

    [Fact]
    public void ZeroGrad_AfterBackward_LeavesNoGradientAndNoTensor()
    {
        using var weight = ones(2, 2).requires_grad_();
        using var optimizer = s_options.Create([("weight", weight)]);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (NewDisposeScope())
        {
            weight.sum().backward();
            optimizer.Step(0.1);
        }
        optimizer.ZeroGrad();
        Assert.Null(weight.grad);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }
}

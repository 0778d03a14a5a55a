using SiamSharp.Optim;
using SiamSharp.Tests.Reference;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Optim;

public sealed class SgdTests
{
    [Theory]
    [InlineData(0.9, false, false)]
    [InlineData(0.9, true, false)]
    [InlineData(0.0, false, true)]
    public void Step_FourSteps_EqualsTheNaiveLoop(double momentum, bool nesterov, bool decayBiases)
    {
        using var scope = NewDisposeScope();
        var options = new SgdOptions { Momentum = momentum, Nesterov = nesterov, WeightDecay = 0.1, DecayBiases = decayBiases };
        Tensor[] parameters =
        [
            RandomTensors.Normal(1, [3, 4], ScalarType.Float64).requires_grad_(),
            RandomTensors.Normal(2, [4], ScalarType.Float64).requires_grad_(),
        ];
        double[] decays = [0.1, decayBiases ? 0.1 : 0];
        double[][] values = [.. parameters.Select(p => p.detach().flatten().data<double>().ToArray())];
        double[][] buffers = [.. values.Select(v => new double[v.Length])];
        using var optimizer = options.Create([("weight", parameters[0]), ("bias", parameters[1])]);
        for (int step = 1; step <= 4; step++)
        {
            double rate = 0.1 / step;
            for (int p = 0; p < 2; p++)
            {
                parameters[p].grad = RandomTensors.Normal((ulong)(10 * p + step), parameters[p].shape, ScalarType.Float64);
                double[] gradient = parameters[p].grad!.flatten().data<double>().ToArray();
                for (int i = 0; i < gradient.Length; i++)
                {
                    double g = gradient[i] + decays[p] * values[p][i];
                    buffers[p][i] = momentum * buffers[p][i] + g;
                    values[p][i] -= rate * (nesterov ? g + momentum * buffers[p][i] : buffers[p][i]);
                }
            }
            optimizer.Step(rate);
        }
        Near.Equal(tensor(values[0]).reshape(3, 4), parameters[0], 1e-12);
        Near.Equal(tensor(values[1]), parameters[1], 1e-12);
    }
}

using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using SiamSharp.Randomness;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SiamSharp.Backbones;

/// <summary>Initial weights as a function of the seed and each parameter's name, whatever the order of construction.</summary>
/// <remarks>
/// Definition: convolution weights normal with variance 2 / (output channels x kernel area) (He, "fan out", all groups together);
/// linear weights and biases, and convolution biases, uniform within 1 / sqrt(fan in); normalisation 1 and 0.
/// Source: torchvision's ResNet for convolutions, PyTorch's nn.Linear (kaiming_uniform_ with a = sqrt 5) for the rest.
/// Cost: one pass over the weights, on all processors.
/// </remarks>
public static class Initialization
{
    /// <summary>Draws every parameter of the convolutions, linear layers and batch normalisations in
    /// <paramref name="module"/>.</summary>
    /// <param name="module">float32 parameters on the CPU; layers of other kinds keep their weights.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="prefix">Put before each parameter's name, so that two networks with equal names differ.</param>
    public static void Draw(nn.Module module, ulong seed, string prefix = "")
    {
        // named_modules leaves out the module itself.
        var layers = module.named_modules().Append(("", module));
        Parallel.ForEach(layers.ToArray(), layer => DrawLayer(layer.Item2, seed, Join(prefix, layer.Item1)));
    }

    /// <summary>As transformers and ConvNeXt are drawn: weights normal with deviation 0.02, biases 0;
    /// normalisations keep 1 and 0.</summary>
    /// <remarks>Source: torchvision's ConvNeXt (whose truncation at 100 deviations has no effect).</remarks>
    /// <param name="module">float32 parameters on the CPU.</param>
    /// <param name="seed">The run's seed.</param>
    internal static void DrawNormal(nn.Module module, ulong seed)
    {
        const double deviation = 0.02;
        Parallel.ForEach(module.named_parameters().ToArray(), p =>
        {
            bool isBias = p.name.EndsWith("bias", StringComparison.Ordinal);
            if (isBias) Values(p.parameter).Clear();
            else if (p.parameter.dim() is 2 or 4) FillNormal(p.parameter, seed, p.name, deviation);
        });
    }

    /// <summary>Residual blocks that pass their input on: the scale of their last batch normalisation 0.</summary>
    /// <remarks>Source: Goyal et al. 2017, arXiv 1706.02677, section 5.1.</remarks>
    /// <param name="module">float32 parameters on the CPU.</param>
    internal static void ZeroResiduals(nn.Module module)
    {
        foreach (IResidualBlock block in module.modules().OfType<IResidualBlock>())
            Values(block.LastNormalization.weight!).Clear();
    }

    /// <summary>Position embeddings: normal with deviation 0.02.</summary>
    internal static void DrawPositions(Tensor positions, ulong seed) => FillNormal(positions, seed, "pos_embedding", 0.02);

    private static void DrawLayer(nn.Module layer, ulong seed, string name)
    {
        switch (layer)
        {
            case Convolution conv:
                long kernel = conv.weight.shape[2] * conv.weight.shape[3];
                FillNormal(conv.weight, seed, Join(name, "weight"), Math.Sqrt(2.0 / (conv.weight.shape[0] * kernel)));
                if (conv.bias is not null)
                    FillUniform(conv.bias, seed, Join(name, "bias"), 1 / Math.Sqrt(conv.weight.shape[1] * kernel));
                break;
            case PointwiseConvolution conv:
                FillNormal(conv.Weight, seed, Join(name, "weight"), Math.Sqrt(2.0 / conv.Weight.shape[0]));
                break;
            case Linear linear:
                double bound = 1 / Math.Sqrt(linear.weight.shape[1]);
                FillUniform(linear.weight, seed, Join(name, "weight"), bound);
                if (linear.bias is not null) FillUniform(linear.bias, seed, Join(name, "bias"), bound);
                break;
            case BatchNorm norm when norm.weight is not null:
                Values(norm.weight).Fill(1);
                Values(norm.bias!).Clear();
                break;
        }
    }

    private static void FillNormal(Tensor tensor, ulong seed, string name, double deviation)
    {
        var stream = Stream(seed, name);
        var values = Values(tensor);
        stream.FillNormal(values);
        foreach (ref float value in values) value *= (float)deviation;
    }

    private static void FillUniform(Tensor tensor, ulong seed, string name, double bound)
    {
        var stream = Stream(seed, name);
        foreach (ref float value in Values(tensor)) value = (float)stream.Uniform(-bound, bound);
    }

    private static RandomStream Stream(ulong seed, string name) =>
        new(seed, RandomPurpose.Weights, sample: XxHash32.HashToUInt32(Encoding.UTF8.GetBytes(name)));

    private static Span<float> Values(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    private static string Join(string prefix, string name) =>
        prefix.Length > 0 && name.Length > 0 ? $"{prefix}.{name}" : prefix + name;
}

using SiamSharp.Backbones;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>What follows the last layer of a head.</summary>
internal enum HeadEnd
{
    /// <summary>Nothing; the last layer has a bias.</summary>
    Bias,

    /// <summary>Nothing; the last layer has no bias.</summary>
    Plain,

    /// <summary>A batch normalisation with scale and shift.</summary>
    Normalized,

    /// <summary>A batch normalisation without scale and shift.</summary>
    Standardized,
}

/// <summary>The small networks on top of a backbone: projectors and predictors.</summary>
internal static class Mlp
{
    /// <summary>Linear layers with batch normalisation and ReLU between them: (N, widths[0]) to (N, widths[^1]).</summary>
    /// <remarks>Layers ahead of a batch normalisation have no bias: the normalisation would take it out again.</remarks>
    /// <param name="name">Put before the names of the weights when they are drawn, so that two heads differ.</param>
    /// <param name="seed">Seed of the weights.</param>
    /// <param name="end">What follows the last layer.</param>
    /// <param name="widths">Width of the input, of each hidden layer and of the output; 2 or more.</param>
    public static nn.Module<Tensor, Tensor> Create(string name, ulong seed, HeadEnd end, params ReadOnlySpan<int> widths)
    {
        var layers = new List<nn.Module<Tensor, Tensor>>();
        for (int i = 1; i < widths.Length; i++)
        {
            bool last = i == widths.Length - 1;
            layers.Add(nn.Linear(widths[i - 1], widths[i], hasBias: last && end == HeadEnd.Bias));
            if (!last)
            {
                layers.Add(new BatchNormalization(widths[i]));
                layers.Add(nn.ReLU(inplace: true));
            }
        }
        if (end is HeadEnd.Normalized or HeadEnd.Standardized)
            layers.Add(new BatchNormalization(widths[^1], affine: end == HeadEnd.Normalized));
        var head = nn.Sequential(layers.Select((layer, i) => ($"{i}", layer)));
        Initialization.Draw(head, seed, name);
        return head;
    }
}

using SiamSharp.Backbones;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>The small network between representation and embedding.</summary>
internal static class Projector
{
    /// <summary>Linear, batch normalisation, ReLU, linear: (N, input) to (N, output); no biases before a normalisation.</summary>
    /// <param name="input">Width of the representation.</param>
    /// <param name="hidden">Width between the two linear layers.</param>
    /// <param name="output">Width of the embedding.</param>
    /// <param name="normalizeOutput">Whether a batch normalisation follows the last layer.</param>
    /// <param name="seed">Seed of the weights.</param>
    public static nn.Module<Tensor, Tensor> Create(int input, int hidden, int output, bool normalizeOutput, ulong seed)
    {
        var layers = new List<(string, nn.Module<Tensor, Tensor>)>
        {
            ("0", nn.Linear(input, hidden, hasBias: false)),
            ("1", nn.BatchNorm1d(hidden)),
            ("2", nn.ReLU(inplace: true)),
            ("3", nn.Linear(hidden, output, hasBias: !normalizeOutput)),
        };
        if (normalizeOutput) layers.Add(("4", nn.BatchNorm1d(output)));
        var projector = nn.Sequential(layers);
        Initialization.Draw(projector, seed, nameof(Projector));
        return projector;
    }
}

using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>What a method is built around.</summary>
/// <param name="MakeBackbone">
/// Gives a new network, float32 (N, C, H, W) to (N, D), at each call; called once, or twice by methods with a target network,
/// which then takes the first one's weights.
/// </param>
/// <param name="Width">D, the width of the representation.</param>
/// <param name="Seed">Seed of the weights of the heads.</param>
public sealed record MethodSetup(Func<nn.Module<Tensor, Tensor>> MakeBackbone, int Width, ulong Seed)
{
    /// <summary>Images of the data set; what a memory bank holds a row for.</summary>
    public int Samples { get; init; }

    /// <summary>How many of the views are target views; only methods with a queue for each look at it.</summary>
    public int TargetViews { get; init; } = 2;
}

using static TorchSharp.torch;

namespace SiamSharp.Backbones;

/// <summary>A network from images to representations.</summary>
/// <param name="name">Name of the architecture.</param>
public abstract class Backbone(string name) : nn.Module<Tensor, Tensor>(name)
{
    /// <summary>Width D of the representation.</summary>
    public abstract int OutputWidth { get; }

    /// <summary>Gives all parameters their first values.</summary>
    internal virtual void Draw(ulong seed) => Initialization.Draw(this, seed);
}

using SiamSharp.Onnx;
using SiamSharp.Options;
using static TorchSharp.torch;

namespace SiamSharp.Backbones;

/// <summary>A network from images to representations.</summary>
/// <param name="name">Name of the architecture.</param>
public abstract class Backbone(string name) : nn.Module<Tensor, Tensor>(name), IOnnxLayer
{
    /// <summary>Refuses options that break a rule.</summary>
    private protected Backbone(BackboneOptions options) : this(OptionsJson.Check(options, "backbone").Name) { }

    /// <summary>Width D of the representation.</summary>
    public abstract int OutputWidth { get; }

    /// <summary>Adds what <c>forward</c> computes to an ONNX graph.</summary>
    internal virtual string Export(OnnxGraph graph, string x) =>
        throw new NotSupportedException($"{GetName()} is a backbone of your own, which cannot be exported to ONNX.");

    string IOnnxLayer.Export(OnnxGraph graph, string x) => Export(graph, x);

    /// <summary>Whether it takes images of any size once exported.</summary>
    internal virtual bool ExportsAnySize => true;

    /// <summary>Gives all parameters their first values.</summary>
    internal virtual void Draw(ulong seed) => Initialization.Draw(this, seed);
}

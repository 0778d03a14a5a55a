using System.ComponentModel.DataAnnotations;
using SiamSharp.Backbones;
using SiamSharp.Methods;
using SiamSharp.Native;
using SiamSharp.Options;
using TorchSharp.Modules;
using static SiamSharp.Native.HeldScalars;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Docs;

// What docs/METHODS.md shows; OwnFrameworkTests runs it.

[Kind("align-uniform")]   // Wang and Isola 2020, arXiv 2005.10242
public sealed record AlignUniformOptions() : MethodOptions(minViews: 2, maxViews: 2)
{
    [Range(0.1, 100.0)] public double Sharpness { get; init; } = 2;

    protected override SiameseMethod Build(MethodSetup setup) => new AlignUniform(this, setup);
}

public sealed class AlignUniform : SiameseMethod
{
    private readonly Linear projector;
    private readonly double _sharpness;

    public AlignUniform(AlignUniformOptions options, MethodSetup setup) : base("AlignUniform", setup.MakeBackbone())
    {
        (projector, _sharpness) = (nn.Linear(setup.Width, 64), options.Sharpness);
        Initialization.Draw(projector, setup.Seed, "projector");
        RegisterComponents();
    }

    public override LossTerms Loss(ViewBatch batch)
    {
        CheckBatch(batch, "AlignUniform");
        using var scope = NewDisposeScope();
        Tensor z = Normalize(projector.forward(Represent(Backbone, batch.Views)));
        Tensor align = (z[..(int)batch.Samples] - z[(int)batch.Samples..]).Squared().sum(dim: 1).mean();
        Tensor uniform = (Held(_sharpness) * (Held(2) * z.mm(z.t()) - Held(2))).exp().mean().log();
        return Terms(align.Plus(uniform), z, ("align", align.detach()), ("uniform", uniform.detach()));
    }
}

using SiamSharp.Native;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>The second branch of a siamese network, which follows the first as an exponential moving average
/// and gets no gradient.</summary>
/// <remarks>
/// Definition: after each step, target parameter = decay * target + (1 - decay) * online. Batch statistics are its own: it runs
/// in training mode and only its parameters follow, as in the authors' code of MoCo, BYOL and DINO.
/// </remarks>
internal sealed class TargetNetwork : nn.Module
{
    private readonly nn.Module<Tensor, Tensor> backbone, projector;
    private readonly nn.Module<Tensor, Tensor>[] _online;
    // looked up at the first step, when the networks are on the device where they stay
    private (Tensor[] Own, Tensor[] Online)? _lists;

    /// <summary>Takes the weights of the online branch, statistics included.</summary>
    /// <param name="backbone">Like the online backbone; owned from here on.</param>
    /// <param name="projector">Like the online projector; owned from here on.</param>
    /// <param name="onlineBackbone">What to follow.</param>
    /// <param name="onlineProjector">What to follow.</param>
    public TargetNetwork(nn.Module<Tensor, Tensor> backbone, nn.Module<Tensor, Tensor> projector,
        nn.Module<Tensor, Tensor> onlineBackbone, nn.Module<Tensor, Tensor> onlineProjector) : base(nameof(TargetNetwork))
    {
        (this.backbone, this.projector) = (backbone, projector);
        RegisterComponents();
        Files.StateDict.Load(backbone, onlineBackbone.state_dict());
        Files.StateDict.Load(projector, onlineProjector.state_dict());
        foreach (var parameter in parameters()) parameter.requires_grad = false;
        _online = [onlineBackbone, onlineProjector];
    }

    /// <summary>(N, C, H, W) to (N, D).</summary>
    public nn.Module<Tensor, Tensor> Backbone => backbone;

    /// <summary>Embeddings of some views.</summary>
    /// <param name="views">V views: (N, C, S, S) each.</param>
    /// <returns>(V N, E), view by view, not differentiable, owned by the caller.</returns>
    public Tensor Embed(IReadOnlyList<Tensor> views)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        return projector.forward(SiameseMethod.Represent(backbone, views)).MoveToOuterDisposeScope();
    }

    /// <summary>Moves all parameters towards those of the online branch.</summary>
    /// <param name="decay">0 = take them over, 1 = stay.</param>
    public void Follow(double decay)
    {
        using var noGradient = no_grad();
        _lists ??= (Parameters(backbone, projector), Parameters(_online));
        TorchOperators.Lerp(_lists.Value.Own, _lists.Value.Online, 1 - decay);

        static Tensor[] Parameters(params nn.Module<Tensor, Tensor>[] networks) =>
            [.. networks.SelectMany(network => network.parameters())];
    }

    /// <summary>The decay at some moment of a run: half a cosine from the first value up to 1.</summary>
    /// <remarks>Source: Grill et al. 2020, arXiv 2006.07733, section 3.1.</remarks>
    /// <param name="first">At the start.</param>
    /// <param name="progress">Share of training that is done, 0 to 1.</param>
    public static double DecayAt(double first, double progress) => 1 - (1 - first) * (Math.Cos(Math.PI * progress) + 1) / 2;
}

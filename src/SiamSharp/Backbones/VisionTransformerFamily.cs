using SiamSharp.Masking;
using SiamSharp.Options;

namespace SiamSharp.Backbones;

/// <summary>Vision transformers.</summary>
[Kind("vit")]
internal sealed class VisionTransformerFamily : BackboneFamily
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> Names { get; } = [.. VisionTransformer.Architectures.Keys];

    /// <inheritdoc/>
    public override int MaxStages => 1;

    /// <inheritdoc/>
    public override IEnumerable<Fault> Faults(BackboneOptions options)
    {
        int heads = VisionTransformer.Architectures[options.Name].Heads;
        if (options.Stem != Stem.Auto) yield return new("stem", $"{options.Name} has none: set backbone.patchSize instead");
        if (options.PoolSize != 1)
            yield return new("poolSize", $"{options.Name} has no map to average: leave it 1, or choose a ConvNet");
        if (options.PretrainPoolSize > 1)
            yield return new("pretrainPoolSize", $"{options.Name} has no map to average: leave it 0, or choose a ConvNet");
        if (options.Width % heads != 0)
            yield return new("width", $"{options.Width} is no multiple of {heads}, the heads of {options.Name}: "
                + $"choose {Math.Max(1, options.Width / heads) * heads}");
    }

    /// <inheritdoc/>
    public override IEnumerable<Fault> FaultsFor(BackboneOptions options, int size, IEnumerable<int> views)
    {
        int patch = VisionTransformer.PatchSizeFor(options, size);
        foreach (int side in views.Append(size).Distinct().Where(side => side % patch != 0))
            yield return new("patchSize", $"patches of {patch} px do not divide {(side == size ? "images" : "views")} "
                + $"of {side} px: choose a divisor of {side}");
    }

    /// <inheritdoc/>
    public override int ViewMultiple(BackboneOptions options, int size) => VisionTransformer.PatchSizeFor(options, size);

    /// <inheritdoc/>
    public override string? ProblemOfDropping(BackboneOptions options, Mask mask, int side, int size) =>
        mask.ProblemOfDropping(VisionTransformer.PatchSizeFor(options, size), side);

    /// <inheritdoc/>
    public override (int Width, IReadOnlyList<int> Depths) Published(string name) =>
        (VisionTransformer.Architectures[name].Width, [VisionTransformer.Architectures[name].Depth]);

    /// <inheritdoc/>
    public override Backbone Build(BackboneOptions options, int channels, int size) =>
        new VisionTransformer(options, channels, size);

    /// <inheritdoc/>
    public override long ParameterCount(BackboneOptions options, int channels, int size)
    {
        var (published, depth, _) = VisionTransformer.Architectures[options.Name];
        long width = options.Width > 0 ? options.Width : published,
            patch = VisionTransformer.PatchSizeFor(options, size), side = size / patch;
        return width * (channels * patch * patch + side * side + 5
            + (12 * width + 13) * (options.Depths.Count > 0 ? options.Depths[0] : depth));
    }
}

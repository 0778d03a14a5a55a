using SiamSharp.Messages;
using SiamSharp.Options;

namespace SiamSharp.Backbones;

/// <summary>Families whose members halve a map from stage to stage and average the last one.</summary>
public abstract class ConvNetFamily : BackboneFamily
{
    /// <summary>The first layers for images of up to 64 px.</summary>
    public virtual Stem SmallStem => Stem.Small;

    /// <summary>Side of the last map in pixels.</summary>
    /// <param name="options">Of a member.</param>
    /// <param name="side">Of the images in pixels.</param>
    /// <param name="size">Of the images that the network is made for, which decides its stem.</param>
    public virtual int MapSide(BackboneOptions options, int side, int size) =>
        (side + (1 << Halvings(options, size)) - 1) >> Halvings(options, size);

    /// <inheritdoc/>
    public override IEnumerable<Fault> Faults(BackboneOptions options)
    {
        if (options.PatchSize != 0) yield return new("patchSize", $"{options.Name} has no patches: leave it 0, or choose a ViT");
        if (options.Pooling != Pooling.ClassToken)
            yield return new("pooling", $"{options.Name} always averages over its pixels: leave it out, or choose a ViT");
    }

    /// <inheritdoc/>
    public override IEnumerable<Fault> FaultsFor(BackboneOptions options, int size, IEnumerable<int> views)
    {
        foreach (int side in views.Append(size).Distinct().Where(side => MapSide(options, side, size) < 1))
        {
            string what = side == size ? "images" : "views";
            yield return new("depths",
                $"{options.Name} halves {what} of {side} px to nothing: choose a smaller stem, fewer stages or larger {what}");
        }
        if (ProblemOfPooling(options, size) is { } problem) yield return new("poolSize", problem);
        if (options.PretrainPoolSize > 0 && ProblemOfPooling(options.InPretraining, size) is { } other)
            yield return new("pretrainPoolSize", other);
    }

    /// <summary>Why the last map cannot be averaged as <see cref="BackboneOptions.PoolSize"/> says; null when it can.</summary>
    internal string? ProblemOfPooling(BackboneOptions options, int size) =>
        options.PoolSize == 1 || options.PoolSize <= MapSide(options, size, size) ? null
        : $"is {options.PoolSize}, but the last map of {size} px is only "
            + $"{Plural.Of(MapSide(options, size, size), "pixel")} wide: "
            + "choose at most that, a smaller stem or fewer stages (backbone.depths)";

    /// <summary>The first layers for images of this size: never <see cref="Stem.Auto"/>.</summary>
    internal Stem StemFor(BackboneOptions options, int size) =>
        options.Stem != Stem.Auto ? options.Stem : size > 64 ? Stem.ImageNet : SmallStem;

    /// <summary>How often a map is halved, stem included.</summary>
    private protected int Halvings(BackboneOptions options, int size) =>
        StemFor(options, size) switch { Stem.Small => 0, Stem.Half => 1, _ => 2 }
            + (options.Depths.Count > 0 ? options.Depths.Count : 4) - 1;
}

using SiamSharp.Masking;
using SiamSharp.Options;

namespace SiamSharp.Backbones;

/// <summary>A family of networks: what its members are called, what options they take, and how one is built.</summary>
/// <remarks>
/// A new family is one file in this folder, or in an assembly of your own: its <see cref="KindAttribute"/> makes it known.
/// </remarks>
public abstract class BackboneFamily
{
    /// <summary>What <see cref="BackboneOptions.Name"/> can be.</summary>
    public abstract IReadOnlyList<string> Names { get; }

    /// <summary>Stages that its members can have.</summary>
    public virtual int MaxStages => 6;

    /// <summary>Whether its members have batch normalisations, not others.</summary>
    public virtual bool HasBatchNormalization => false;

    /// <summary>Builds a member; its weights are drawn, or read from a file, afterwards.</summary>
    /// <param name="options">Which, and how large.</param>
    /// <param name="channels">C, 1 or more.</param>
    /// <param name="size">Side of the images in pixels.</param>
    /// <returns>float32 (N, C, H, W) to (N, D), on the CPU; owned by the caller.</returns>
    public abstract Backbone Build(BackboneOptions options, int channels, int size);

    /// <summary>How many numbers a member learns, without building it.</summary>
    /// <param name="options">Which, and how large.</param>
    /// <param name="channels">C, 1 or more.</param>
    /// <param name="size">Side of the images in pixels.</param>
    public abstract long ParameterCount(BackboneOptions options, int channels, int size);

    /// <summary>Width and blocks of a member as published.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    public abstract (int Width, IReadOnlyList<int> Depths) Published(string name);

    /// <summary>Options that its members do not take.</summary>
    /// <param name="options">Of a member.</param>
    public virtual IEnumerable<Fault> Faults(BackboneOptions options) => [];

    /// <summary>What does not fit images of this size.</summary>
    /// <param name="options">Of a member.</param>
    /// <param name="size">Side of the images in pixels.</param>
    /// <param name="views">Sides of the views.</param>
    public virtual IEnumerable<Fault> FaultsFor(BackboneOptions options, int size, IEnumerable<int> views) => [];

    /// <summary>What the sides of small views are rounded to multiples of.</summary>
    /// <param name="options">Of a member.</param>
    /// <param name="size">Side of the images in pixels.</param>
    public virtual int ViewMultiple(BackboneOptions options, int size) => 4;

    /// <summary>Why a member cannot leave out what a mask drops; null when it can.</summary>
    /// <param name="options">Of a member.</param>
    /// <param name="mask">A mask that drops.</param>
    /// <param name="side">Of the views in pixels.</param>
    /// <param name="size">Of the images in pixels.</param>
    public virtual string? ProblemOfDropping(BackboneOptions options, Mask mask, int side, int size) =>
        $"only a ViT can leave out what is dropped, but backbone.name is {options.Name}: choose another fill, such as zero";

    /// <summary>All names of all families.</summary>
    internal static IEnumerable<string> AllNames => Kinds.All<BackboneFamily>().SelectMany(family => family.Names);

    /// <summary>The family of a name; null where there is none.</summary>
    internal static BackboneFamily? Of(string name) =>
        Kinds.All<BackboneFamily>().FirstOrDefault(family => family.Names.Contains(name));
}

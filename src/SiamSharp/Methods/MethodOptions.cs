using System.Text.Json.Serialization;
using SiamSharp.Recipes;
using SiamSharp.Views;

namespace SiamSharp.Methods;

/// <summary>Which siamese framework trains the backbone, and its settings.</summary>
/// <remarks>A new framework is one file in this folder and one line here.</remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "name")]
[JsonDerivedType(typeof(SimClrOptions), "simclr")]
[JsonDerivedType(typeof(MoCoV2Options), "moco-v2")]
[JsonDerivedType(typeof(MoCoV3Options), "moco-v3")]
[JsonDerivedType(typeof(ByolOptions), "byol")]
[JsonDerivedType(typeof(SimSiamOptions), "simsiam")]
[JsonDerivedType(typeof(SwavOptions), "swav")]
[JsonDerivedType(typeof(BarlowTwinsOptions), "barlow-twins")]
[JsonDerivedType(typeof(VicRegOptions), "vicreg")]
[JsonDerivedType(typeof(DinoOptions), "dino")]
[JsonDerivedType(typeof(MsnOptions), "msn")]
[JsonDerivedType(typeof(PirlOptions), "pirl")]
[JsonDerivedType(typeof(SiamesePairsOptions), "siamese-pairs")]
public abstract record MethodOptions : IHasRules
{
    private protected MethodOptions(int minViews, int maxViews) => (MinViews, MaxViews) = (minViews, maxViews);

    /// <summary>The fewest views of an image that the method can learn from.</summary>
    [JsonIgnore] public int MinViews { get; }

    /// <summary>The most views of an image that the method can learn from.</summary>
    [JsonIgnore] public int MaxViews { get; }

    /// <summary>Whether the method learns from the classes of the images.</summary>
    [JsonIgnore] public virtual bool NeedsLabels => false;

    /// <inheritdoc/>
    public virtual IEnumerable<Fault> Faults() => [];

    /// <summary>What does not fit batches of this size.</summary>
    /// <param name="batchSize">Images in a step, 2 or more.</param>
    public virtual IEnumerable<Fault> FaultsFor(int batchSize) => [];

    /// <summary>The views of the framework's paper; the preset <c>paper</c>.</summary>
    /// <param name="size">Side of the images in pixels; 2 or more.</param>
    /// <param name="channels">C; where it is not 3, what needs red, green and blue is left out.</param>
    public virtual IReadOnlyList<BranchOptions> PaperViews(int size, int channels) => PaperBranches.SimClr(size, channels);

    /// <summary>Builds the method around a backbone.</summary>
    /// <param name="setup">The backbone and what else the method is built for.</param>
    /// <returns>A method in training mode on the CPU, owned by the caller.</returns>
    public abstract SiameseMethod Create(MethodSetup setup);
}

using System.Text.Json.Serialization;
using SiamSharp.Backbones;
using SiamSharp.Options;
using SiamSharp.Views;

namespace SiamSharp.Methods;

/// <summary>Which siamese framework trains the backbone, and its settings.</summary>
/// <remarks>
/// A new framework is one file in this folder, or in an assembly of your own: its <see cref="KindAttribute"/> makes it known.
/// </remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "name")]
public abstract record MethodOptions : IHasRules
{
    /// <summary>Says how many views of an image the method can learn from.</summary>
    /// <param name="minViews">2 or more.</param>
    /// <param name="maxViews">As many or more.</param>
    protected MethodOptions(int minViews, int maxViews) => (MinViews, MaxViews) = (minViews, maxViews);

    /// <summary>The fewest views of an image that the method can learn from.</summary>
    [JsonIgnore] public int MinViews { get; }

    /// <summary>The most views of an image that the method can learn from.</summary>
    [JsonIgnore] public int MaxViews { get; }

    /// <summary>Whether the method learns from the classes of the images.</summary>
    [JsonIgnore] public virtual bool NeedsLabels => false;

    /// <summary>The term of the loss that counts the prototypes or outputs that images spread over; few of them mean a collapse.
    /// Null where there are none.</summary>
    [JsonIgnore] public virtual string? UsedTerm => null;

    /// <inheritdoc/>
    public virtual IEnumerable<Fault> Faults() => [];

    /// <summary>What does not fit batches of this size.</summary>
    /// <param name="batchSize">Images in a step, 2 or more.</param>
    public virtual IEnumerable<Fault> FaultsFor(int batchSize) => [];

    /// <summary>What does not fit this backbone.</summary>
    /// <param name="backbone">The network that the method is to train.</param>
    public virtual IEnumerable<Fault> FaultsFor(BackboneOptions backbone) => [];

    /// <summary>What is allowed, but is probably not meant for so many images: whole sentences that say what
    /// to set, often none.</summary>
    /// <param name="images">Images to learn from.</param>
    /// <param name="batchSize">Images in a step.</param>
    /// <param name="epochs">How often all images are seen.</param>
    public virtual IEnumerable<string> NotesFor(int images, int batchSize, int epochs) => [];

    /// <summary>Settings that let all embeddings become equal; allowed, since a study may want to show it.</summary>
    public virtual IEnumerable<Fault> WaysToCollapse() => [];

    /// <summary>The views of the framework's paper; the preset <c>paper</c>.</summary>
    /// <param name="size">Side of the images in pixels; 2 or more.</param>
    /// <param name="channels">C; where it is not 3, what needs red, green and blue is left out.</param>
    public virtual IReadOnlyList<ViewPolicy> PaperViews(int size, int channels) => PaperPolicies.SimClr(size, channels);

    /// <summary>Builds the method around a backbone.</summary>
    /// <param name="setup">The backbone and what else the method is built for.</param>
    /// <returns>A method in training mode on the CPU, owned by the caller.</returns>
    /// <exception cref="OptionsException">An option is out of its range, or breaks a rule.</exception>
    public SiameseMethod Create(MethodSetup setup) => OptionsJson.Check(this, "method").Build(setup);

    /// <summary>Builds the method; the options are in their ranges.</summary>
    /// <param name="setup">The backbone and what else the method is built for.</param>
    /// <returns>A method in training mode on the CPU, owned by the caller.</returns>
    protected abstract SiameseMethod Build(MethodSetup setup);
}

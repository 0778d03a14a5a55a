using System.Reflection;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using SiamSharp.Backbones;
using SiamSharp.Options;
using SiamSharp.Training;
using SiamSharp.Views;

namespace SiamSharp.Methods;

/// <summary>Which siamese framework trains the backbone, and its settings.</summary>
/// <remarks>A new framework is one file in this folder, or in a program that uses this library: its <see cref="FrameworkAttribute"/> makes it known.</remarks>
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

    /// <inheritdoc/>
    public virtual IEnumerable<Fault> Faults() => [];

    /// <summary>What does not fit batches of this size.</summary>
    /// <param name="batchSize">Images in a step, 2 or more.</param>
    public virtual IEnumerable<Fault> FaultsFor(int batchSize) => [];

    /// <summary>What does not fit this backbone.</summary>
    /// <param name="backbone">The network that the method is to train.</param>
    public virtual IEnumerable<Fault> FaultsFor(BackboneOptions backbone) => [];

    /// <summary>What is allowed, but is probably not meant for so many images: whole sentences that say what to set, often none.</summary>
    /// <param name="images">Images to learn from.</param>
    /// <param name="training">Epochs and batch size.</param>
    public virtual IEnumerable<string> NotesFor(int images, TrainingOptions training) => [];

    /// <summary>Settings that let all embeddings become equal; allowed, since a study may want to show it.</summary>
    public virtual IEnumerable<Fault> WaysToCollapse() => [];

    /// <summary>The views of the framework's paper; the preset <c>paper</c>.</summary>
    /// <param name="size">Side of the images in pixels; 2 or more.</param>
    /// <param name="channels">C; where it is not 3, what needs red, green and blue is left out.</param>
    public virtual IReadOnlyList<BranchOptions> PaperViews(int size, int channels) => PaperBranches.SimClr(size, channels);

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

/// <summary>The name of a framework on the command line and in recipes.</summary>
/// <param name="name">Lower case, words joined by hyphens.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class FrameworkAttribute(string name) : Attribute
{
    /// <summary>Such as <c>moco-v2</c>.</summary>
    public string Name { get; } = name;

    /// <summary>Makes the frameworks of this library and of the running program known to the serialiser.</summary>
    internal static void AddKinds(JsonTypeInfo type)
    {
        if (type.Type.IsSubclassOf(typeof(MethodOptions)))
        {
            // An override of NeedsLabels, which would be written and then refused as an option: JsonIgnore is not inherited.
            foreach (JsonPropertyInfo readOnly in type.Properties.Where(p => p.Set is null).ToArray()) type.Properties.Remove(readOnly);
        }
        if (type.Type != typeof(MethodOptions)) return;
        Assembly library = typeof(MethodOptions).Assembly, program = Assembly.GetEntryAssembly() ?? library;
        var frameworks = from assembly in new[] { library, program }.Distinct()
                         from found in assembly.GetTypes()
                         let name = found.GetCustomAttribute<FrameworkAttribute>()?.Name
                         where name is not null
                         orderby name
                         select new JsonDerivedType(found, name);
        foreach (JsonDerivedType framework in frameworks) type.PolymorphismOptions!.DerivedTypes.Add(framework);
    }
}

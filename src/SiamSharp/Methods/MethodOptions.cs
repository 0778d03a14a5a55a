using System.Text.Json.Serialization;
using SiamSharp.Recipes;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>Which siamese framework trains the backbone, and its settings.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "name")]
[JsonDerivedType(typeof(SimClrOptions), "simclr")]
public abstract record MethodOptions : IHasRules
{
    private protected MethodOptions(int minViews, int maxViews) => (MinViews, MaxViews) = (minViews, maxViews);

    /// <summary>The fewest views of an image that the method can learn from.</summary>
    [JsonIgnore] public int MinViews { get; }

    /// <summary>The most views of an image that the method can learn from.</summary>
    [JsonIgnore] public int MaxViews { get; }

    /// <inheritdoc/>
    public virtual IEnumerable<Fault> Faults() => [];

    /// <summary>Builds the method around a backbone.</summary>
    /// <param name="backbone">float32 (N, C, H, W) to (N, D); owned by the method from then on.</param>
    /// <param name="backboneWidth">D.</param>
    /// <param name="seed">Seed of the weights of the heads.</param>
    /// <returns>A method in training mode on the CPU, owned by the caller.</returns>
    public abstract SiameseMethod Create(nn.Module<Tensor, Tensor> backbone, int backboneWidth, ulong seed);
}

using SiamSharp.Backbones;
using SiamSharp.Messages;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SiamSharp.Methods;

/// <summary>Directions that embeddings are compared with: a linear layer without bias whose rows have norm 1.</summary>
internal sealed class Prototypes : nn.Module
{
    /// <summary>The term of a loss that says how many prototypes are in use; metrics.jsonl has it.</summary>
    public const string UsedTerm = "prototypes_used";

    private readonly Linear directions;

    /// <param name="count">P.</param>
    /// <param name="width">E.</param>
    /// <param name="seed">Seed of the weights.</param>
    public Prototypes(int count, int width, ulong seed) : base(nameof(Prototypes))
    {
        directions = nn.Linear(width, count, hasBias: false);
        RegisterComponents();
        Initialization.Draw(this, seed, nameof(Prototypes));
        Normalize();
    }

    /// <summary>A sentence where there are more prototypes than images; null where there are not.</summary>
    /// <param name="option">Their number's path in a recipe.</param>
    /// <param name="count">P.</param>
    /// <param name="images">Images to learn from.</param>
    internal static string? TooMany(string option, int count, int images) => count <= images ? null
        : $"{option} is {count}, but there are only {Plural.Of(images, "image")}: an image can have a prototype of its own, "
            + $"and nothing is grouped. Take about a tenth of the images: --set {option}={Math.Max(2, images / 10)}.";

    /// <summary>Brings the rows back to norm 1, outside of the gradient.</summary>
    public void Normalize()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        directions.weight.copy_(SiameseMethod.Normalize(directions.weight));
    }

    /// <summary>Cosines with all prototypes.</summary>
    /// <param name="z">(N, E), rows of norm 1.</param>
    /// <param name="frozen">No gradient to the prototypes.</param>
    /// <param name="projected">
    /// Whether the rows are divided by their norms inside of the gradient (DINO, MSN), which then has no part along them. SwAV's
    /// gradient has; its rows are brought back by <see cref="Normalize()"/> after each step.
    /// </param>
    /// <returns>(N, P), -1 to 1, differentiable, owned by the caller.</returns>
    public Tensor Score(Tensor z, bool frozen = false, bool projected = false)
    {
        using var scope = NewDisposeScope();
        Tensor weight = frozen ? directions.weight.detach() : directions.weight;
        return z.mm((projected ? SiameseMethod.Normalize(weight) : weight).t()).MoveToOuterDisposeScope();
    }
}

using SiamSharp.Data;

namespace SiamSharp.Recipes;

/// <summary>A recipe that cannot be used. It lists every fault, not the first.</summary>
public sealed class RecipeException : Exception
{
    /// <summary>Reports the faults of one document.</summary>
    /// <param name="faults">One or more.</param>
    public RecipeException(IReadOnlyList<Fault> faults) : base(Describe(faults)) => Faults = faults;

    /// <summary>Everything that is wrong.</summary>
    public IReadOnlyList<Fault> Faults { get; }

    private static string Describe(IReadOnlyList<Fault> faults) => faults.Count == 1
        ? Shown.Text($"{faults[0].Path}: {faults[0].Problem}")
        : $"{faults.Count} faults in the recipe:\n" + string.Join('\n', faults.Select(f => Shown.Text($"  {f.Path}: {f.Problem}")));
}

namespace SiamSharp.Options;

/// <summary>One thing wrong with a recipe.</summary>
/// <param name="Path">Where, such as <c>views.branches.0.masks.0.cell</c>; relative to the options that report it.</param>
/// <param name="Problem">The value found and what would be allowed.</param>
public readonly record struct Fault(string Path, string Problem);

/// <summary>Options with rules beyond the range of a single value.</summary>
/// <remarks>
/// Ranges of single numbers are declared with <see cref="System.ComponentModel.DataAnnotations.RangeAttribute"/>.
/// </remarks>
public interface IHasRules
{
    /// <summary>All broken rules; empty when there are none.</summary>
    IEnumerable<Fault> Faults();
}

using SiamSharp.Messages;

namespace SiamSharp.Options;

/// <summary>Options that cannot be used, from a file, the command line or code. It lists every fault, not the first.</summary>
public sealed class OptionsException : ArgumentException
{
    /// <summary>Reports the faults of one document.</summary>
    /// <param name="faults">One or more.</param>
    public OptionsException(IReadOnlyList<Fault> faults) : base(Describe(faults)) => Faults = faults;

    /// <summary>Everything that is wrong.</summary>
    public IReadOnlyList<Fault> Faults { get; }

    private static string Describe(IReadOnlyList<Fault> faults) => faults.Count == 1
        ? Shown.Text($"{faults[0].Path}: {faults[0].Problem}")
        : $"{faults.Count} faults in the options:\n"
            + string.Join('\n', faults.Select(f => Shown.Text($"  {f.Path}: {f.Problem}")));
}

using System.Globalization;

namespace SiamSharp.Torture;

/// <summary>How much is tried: whatever is reached first.</summary>
/// <param name="Count">Trials.</param>
/// <param name="Seconds">Time; 0 = any.</param>
/// <param name="Seed">What is drawn; the same seed draws the same trials.</param>
/// <param name="Rest">What else the command line says, for the command itself.</param>
internal sealed record Bounds(int Count, int Seconds, ulong Seed, IReadOnlyList<string> Rest)
{
    /// <summary>Reads --count, --seconds and --seed.</summary>
    /// <exception cref="ArgumentException">A value is missing or is no number from 0.</exception>
    public static Bounds Parse(string[] args, int count)
    {
        var (bounds, rest) = (new Bounds(count, 0, 1, []), new List<string>());
        for (int i = 0; i < args.Length; i++)
        {
            bounds = args[i] switch
            {
                "--count" => bounds with { Count = Number() },
                "--seconds" => bounds with { Seconds = Number() },
                "--seed" => bounds with { Seed = (ulong)Number() },
                _ => Keep(),
            };
            int Number() => ++i < args.Length
                && int.TryParse(args[i], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                ? number
                : throw new ArgumentException($"{args[i - 1]} needs a number from 0.");
            Bounds Keep()
            {
                rest.Add(args[i]);
                return bounds;
            }
        }
        return bounds with { Rest = rest };
    }

    /// <summary>A random stream of one trial.</summary>
    public static Random Draw(ulong seed, long trial) =>
        new(unchecked((int)(System.IO.Hashing.XxHash64.HashToUInt64(BitConverter.GetBytes(trial), (long)seed) & 0x7fffffff)));
}

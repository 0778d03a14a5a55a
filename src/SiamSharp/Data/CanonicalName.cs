using System.Text;
using HarfBuzzSharp;

namespace SiamSharp.Data;

/// <summary>Names as they look: an accent may be part of a letter or follow it, and macOS and Linux choose differently.</summary>
internal static class CanonicalName
{
    /// <summary>The canonical decomposition (NFD) of a name.</summary>
    /// <remarks>
    /// Source: Unicode standard annex 15. .NET does not normalise where it runs without the data of cultures,
    /// as here; HarfBuzz knows the tables.
    /// </remarks>
    public static string Of(string name)
    {
        if (Ascii.IsValid(name)) return name;
        var points = new List<(int Class, Rune Rune)>();
        foreach (Rune rune in name.EnumerateRunes()) Decompose(rune.Value, points);
        // Marks between two letters are in the order of their classes.
        for (int start = 0; start < points.Count;)
        {
            int end = start;
            while (end < points.Count && points[end].Class != 0) end++;
            if (end - start > 1)
            {
                (int, Rune)[] marks = [.. points.GetRange(start, end - start).OrderBy(p => p.Class)];
                for (int i = 0; i < marks.Length; i++) points[start + i] = marks[i];
            }
            start = end + 1;
        }
        return string.Concat(points.Select(p => p.Rune.ToString()));
    }

    private static void Decompose(int point, List<(int, Rune)> points)
    {
        if (UnicodeFunctions.Default.TryDecompose(point, out int first, out int second) && first != point)
        {
            Decompose(first, points);
            if (second != 0) Decompose(second, points);
        }
        else points.Add(((int)UnicodeFunctions.Default.GetCombiningClass(point), new Rune(point)));
    }
}

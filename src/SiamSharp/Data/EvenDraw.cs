using SiamSharp.Randomness;

namespace SiamSharp.Data;

/// <summary>Some images of many: folders are sorted by class, so the first ones would be the first classes.</summary>
internal static class EvenDraw
{
    /// <summary>Draws an index from each of equal parts of 0 to <paramref name="count"/> - 1;
    /// the same ones for the same two numbers.</summary>
    /// <remarks>Drawn, because fixed steps would meet one class only where classes take turns.</remarks>
    /// <param name="count">Images there are, 0 or more.</param>
    /// <param name="most">Images wanted at most.</param>
    /// <returns>Ascending, each once; all where there are no more than wanted.</returns>
    internal static int[] Of(int count, int most)
    {
        if (count <= most) return [.. Enumerable.Range(0, count)];
        var random = new RandomStream(1, RandomPurpose.Evaluation, view: 4);
        int[] drawn = new int[most];
        for (int i = 0; i < most; i++)
        {
            int start = (int)((long)i * count / most), end = (int)((i + 1L) * count / most);
            drawn[i] = start + (int)(random.NextDouble() * (end - start));
        }
        return drawn;
    }
}

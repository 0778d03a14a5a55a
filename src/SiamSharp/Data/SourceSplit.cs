using SiamSharp.Messages;
using SiamSharp.Randomness;

namespace SiamSharp.Data;

/// <summary>Divides a source in two.</summary>
internal static class SourceSplit
{
    /// <summary>Draws two parts without overlap, each class divided in the same proportion.</summary>
    /// <remarks>
    /// Definition: each class (images without a label are one, too) is shuffled by the seed; of a class of n images the first
    /// part gets n firstCount / N, rounded down, and the classes with the largest remainders one more (the lower label first)
    /// until there are firstCount. Both parts keep the order of the source.
    /// </remarks>
    /// <param name="source">N images.</param>
    /// <param name="firstCount">Images in the first part; 1 to N - 1.</param>
    /// <param name="seed">The same seed gives the same parts.</param>
    /// <exception cref="DataSourceException">One part would be empty.</exception>
    public static (SubsetSource First, SubsetSource Second) Split(this IImageSource source, int firstCount, ulong seed)
    {
        int total = source.Count;
        if (firstCount < 1 || firstCount >= total)
            throw new DataSourceException(
                $"The first part of '{source.Name}' must hold 1 to {total - 1} of its "
                + $"{Plural.Of(total, "image")} so that no part "
                + $"is empty, but {firstCount} are asked for.");
        int[][] classes = [.. Enumerable.Range(0, total).GroupBy(source.LabelOf).OrderBy(g => g.Key).Select(g => g.ToArray())];
        int[] quota = [.. classes.Select(c => (int)((long)c.Length * firstCount / total))];
        var byRemainder = Enumerable.Range(0, classes.Length)
            .OrderByDescending(k => (long)classes[k].Length * firstCount % total);
        foreach (int k in byRemainder.Take(firstCount - quota.Sum())) quota[k]++;

        bool[] inFirst = new bool[total];
        for (int k = 0; k < classes.Length; k++)
        {
            // The last view number: few-shot draws and the like use the first ones.
            new RandomStream(seed, RandomPurpose.Evaluation, sample: k, view: ushort.MaxValue).Shuffle<int>(classes[k]);
            foreach (int i in classes[k].AsSpan(0, quota[k])) inFirst[i] = true;
        }
        return (Part(true), Part(false));

        SubsetSource Part(bool first)
        {
            int[] indexes = [.. Enumerable.Range(0, total).Where(i => inFirst[i] == first)];
            return new SubsetSource(source, indexes, $"{source.Name} ({indexes.Length} of {total}, seed {seed})");
        }
    }
}

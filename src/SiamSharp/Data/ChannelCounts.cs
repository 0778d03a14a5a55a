namespace SiamSharp.Data;

/// <summary>The rule that all images of a set have the same number of channels.</summary>
internal static class ChannelCounts
{
    /// <summary>Checks the rule for the given images of a source.</summary>
    /// <param name="source">Where the images come from.</param>
    /// <param name="images">Indexes into the source.</param>
    /// <param name="channelsOf">Number of channels of an image, by its index in the source.</param>
    /// <exception cref="DataSourceException">The numbers differ; says how many there are of each, with an example.</exception>
    public static void MustAgree(IImageSource source, IReadOnlyList<int> images, Func<int, int> channelsOf)
    {
        var groups = images.GroupBy(channelsOf).OrderBy(g => g.Key).ToArray();
        if (groups.Length <= 1) return;
        string found = string.Join(" and ", groups.Select(g => $"{g.Count()} with {g.Key} (such as "
            + $"'{source.PathOf(g.First())}')"));
        bool mendable = groups.All(g => g.Key is 1 or 3);
        string fix = mendable
            ? "make all of them RGB with --set data.channels=3, or grey with --set data.channels=1"
            : "put each kind into a source of its own"
                + (source.Options?.Pages == Pages.Channels ? ", or leave data.pages out" : "");
        throw new DataSourceException(
            $"All images of '{source.Name}' must have the same number of channels, but there are {found}: {fix}.")
        { ChannelsDiffer = mendable };
    }
}

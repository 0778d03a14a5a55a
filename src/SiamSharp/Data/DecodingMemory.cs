namespace SiamSharp.Data;

/// <summary>The memory of images while they are decoded: one budget over all threads, so that large images
/// wait for one another.</summary>
/// <remarks>The budget is half of the memory that the process may use, a container's limit included.</remarks>
internal static class DecodingMemory
{
    private static readonly object s_changed = new();
    private static long s_taken;

    /// <summary>Bytes for all images that are being decoded.</summary>
    public static long Budget { get; } = Math.Max(1L << 30, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2);

    /// <summary>Waits until there is room.</summary>
    /// <param name="path">For the message.</param>
    /// <param name="bytes">What the image needs at most, with everything made of it on the way.</param>
    /// <returns>Gives the room back when it is disposed of.</returns>
    /// <exception cref="UnreadableImageException">The image alone needs more than the budget.</exception>
    public static IDisposable Take(string path, long bytes)
    {
        if (bytes > Budget)
            throw new UnreadableImageException(path, $"needs up to {Gigabytes(bytes)} GiB while it is decoded, "
                + $"more than half of the memory here, {Gigabytes(Budget)} GiB: make it smaller");
        lock (s_changed)
        {
            while (s_taken + bytes > Budget) Monitor.Wait(s_changed);
            s_taken += bytes;
        }
        return new Room(bytes);
    }

    private static string Gigabytes(long bytes) =>
        (bytes / (double)(1L << 30)).ToString("0.0", System.Globalization.CultureInfo.InvariantCulture);

    private sealed class Room(long bytes) : IDisposable
    {
        private long _bytes = bytes;

        public void Dispose()
        {
            lock (s_changed)
            {
                s_taken -= _bytes;
                _bytes = 0;
                Monitor.PulseAll(s_changed);
            }
        }
    }
}

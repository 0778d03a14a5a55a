namespace SiamSharp.Data;

/// <summary>A batch in the making. The counters belong to the loader's lock.</summary>
internal sealed class Filling(int epoch, int step, int[] indexes, float[] values, int length)
{
    public int Epoch => epoch;
    public int Step => step;

    /// <summary>Which images of the set, in order.</summary>
    public int[] Indexes => indexes;

    /// <summary>Pixels of all images, (N, C, H, W); may be longer.</summary>
    public float[] Values => values;

    /// <summary>C * H * W.</summary>
    public int Length => length;

    /// <summary>Images that turned out unreadable.</summary>
    public bool[] Unreadable { get; } = new bool[indexes.Length];

    /// <summary>Images handed to a thread.</summary>
    public int Taken { get; set; }

    /// <summary>Images not done yet.</summary>
    public int Left { get; set; } = indexes.Length;

    /// <summary>Where an image goes.</summary>
    public Span<float> Slot(int slot) => values.AsSpan(slot * length, length);

    /// <summary>Closes the gaps that unreadable images leave, and gives the indexes that remain.</summary>
    public int[] KeepReadable()
    {
        int kept = 0;
        int[] remaining = new int[indexes.Length];
        for (int i = 0; i < indexes.Length; i++)
        {
            if (Unreadable[i]) continue;
            if (kept != i) Slot(i).CopyTo(Slot(kept));
            remaining[kept++] = indexes[i];
        }
        return remaining[..kept];
    }
}

namespace SiamSharp.Masking;

/// <summary>Order statistics without sorting.</summary>
internal static class Selection
{
    /// <summary>The value at a place of the sorted order; the values are rearranged.</summary>
    /// <remarks>Definition: Hoare's quickselect with the middle element as pivot. Cost: O(n) on average.</remarks>
    /// <param name="values">No NaN among them.</param>
    /// <param name="n">0 = the smallest.</param>
    public static float NthSmallest(Span<float> values, int n)
    {
        int low = 0, high = values.Length - 1;
        while (low < high)
        {
            float pivot = values[(low + high) / 2];
            int i = low, j = high;
            while (i <= j)
            {
                while (values[i] < pivot) i++;
                while (values[j] > pivot) j--;
                if (i > j) break;
                (values[i], values[j]) = (values[j], values[i]);
                i++;
                j--;
            }
            if (n <= j) high = j;
            else if (n >= i) low = i;
            else break;
        }
        return values[n];
    }
}

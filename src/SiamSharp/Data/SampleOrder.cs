using SiamSharp.Randomness;

namespace SiamSharp.Data;

/// <summary>The order of the samples in an epoch, cut into batches.</summary>
internal sealed class SampleOrder
{
    private readonly int _count, _batchSize;
    private readonly ulong _seed;
    private int[] _order = [];
    private int _epoch = -1;

    /// <exception cref="ArgumentException">A batch of less than one image, or no full batch to be had.</exception>
    public SampleOrder(int count, int batchSize, ulong seed, bool dropLast)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        if (dropLast && batchSize > count)
            throw new ArgumentException($"A batch must not hold more images than there are, but it holds {batchSize} of {count}: "
                + $"choose {count} or fewer.", nameof(batchSize));
        (_count, _batchSize, _seed) = (count, batchSize, seed);
        StepsPerEpoch = dropLast ? count / batchSize : (count + batchSize - 1) / batchSize;
    }

    public int StepsPerEpoch { get; }

    /// <summary>
    /// Indexes of one batch: all of an epoch's batches together are a permutation, but for the images left over.
    /// </summary>
    public int[] Batch(int epoch, int step)
    {
        if (epoch != _epoch)
        {
            _order = [.. Enumerable.Range(0, _count)];
            new RandomStream(_seed, RandomPurpose.Order, epoch).Shuffle<int>(_order);
            _epoch = epoch;
        }
        int start = step * _batchSize;
        return _order[start..Math.Min(start + _batchSize, _count)];
    }
}

namespace SiamSharp.Randomness;

/// <summary>What a stream of random numbers is for. Streams of different purposes never overlap.</summary>
public enum RandomPurpose
{
    /// <summary>The order of the samples in an epoch.</summary>
    Order = 1,

    /// <summary>Crops, flips and photometric changes of a view.</summary>
    View = 2,

    /// <summary>Where the masks of a view lie.</summary>
    Mask = 3,

    /// <summary>What fills the holes of a mask.</summary>
    Fill = 4,

    /// <summary>Initial weights.</summary>
    Weights = 5,

    /// <summary>Splits and draws of an evaluation.</summary>
    Evaluation = 6,

    /// <summary>What a sample is contrasted with.</summary>
    Negatives = 7,

    /// <summary>The order in which a batch is divided into parts.</summary>
    Splits = 8,
}

/// <summary>A counter-based stream of random numbers: a pure function of its key, whatever was drawn elsewhere.</summary>
/// <remarks>
/// Definition: Philox4x32-10. Key = seed; counter = (block, sample, epoch, purpose and view).
/// Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", section 4.3; known answers of Random123.
/// A mutable struct: pass it by reference.
/// </remarks>
public struct RandomStream
{
    private readonly ulong _seed;
    private readonly uint _sample, _epoch, _purposeAndView;
    private uint _block;
    private UInt128 _words;
    private int _left;

    /// <summary>Opens the stream of one purpose, epoch, sample and view.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="purpose">What the numbers are for.</param>
    /// <param name="epoch">0 or more.</param>
    /// <param name="sample">Index of the sample in its source; 0 to 2^32 - 1.</param>
    /// <param name="view">Index of the view; 0 to 65,535.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is outside its range.</exception>
    public RandomStream(ulong seed, RandomPurpose purpose, int epoch = 0, long sample = 0, int view = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(sample);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sample, uint.MaxValue);
        ArgumentOutOfRangeException.ThrowIfNegative(view);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(view, ushort.MaxValue);
        _seed = seed;
        _sample = (uint)sample;
        _epoch = (uint)epoch;
        _purposeAndView = ((uint)purpose << 16) | (uint)view;
    }

    /// <summary>The next 32 random bits.</summary>
    public uint NextUInt32()
    {
        if (_left == 0)
        {
            var (w0, w1, w2, w3) = Philox(_block++, _sample, _epoch, _purposeAndView, (uint)_seed, (uint)(_seed >> 32));
            _words = new UInt128(((ulong)w3 << 32) | w2, ((ulong)w1 << 32) | w0);
            _left = 4;
        }
        uint word = (uint)_words;
        _words >>= 32;
        _left--;
        return word;
    }

    /// <summary>A uniform number in [0, 1) with 53 random bits.</summary>
    public double NextDouble()
    {
        ulong high = NextUInt32(), low = NextUInt32();
        return (((high << 32) | low) >> 11) * (1.0 / (1ul << 53));
    }

    /// <summary>A uniform number in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    public double Uniform(double low, double high) => low + (high - low) * NextDouble();

    /// <summary>True with the given probability, 0 to 1.</summary>
    public bool Bernoulli(double probability) => NextDouble() < probability;

    /// <summary>A uniform integer in [0, <paramref name="count"/>), without bias.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is less than 1.</exception>
    public int NextInt(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        // Lemire 2019: reject the few words that would favour some results.
        uint threshold = (uint)-count % (uint)count;
        ulong product;
        do product = (ulong)NextUInt32() * (uint)count;
        while ((uint)product < threshold);
        return (int)(product >> 32);
    }

    /// <summary>Shuffles the items in place (Fisher-Yates).</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = NextInt(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>One standard normal number.</summary>
    public double NextNormal()
    {
        double radius = Math.Sqrt(-2 * Math.Log(1 - NextDouble()));
        return radius * Math.Cos(2 * Math.PI * NextDouble());
    }

    /// <summary>Fills the span with standard normal numbers (Box-Muller, single precision, 24 random bits each).</summary>
    public void FillNormal(Span<float> values)
    {
        const float unit = 1f / (1 << 24);
        for (int i = 0; i < values.Length; i += 2)
        {
            float radius = MathF.Sqrt(-2 * MathF.Log(((NextUInt32() >> 8) + 1) * unit));
            var (sin, cos) = MathF.SinCos(2 * MathF.PI * ((NextUInt32() >> 8) * unit));
            values[i] = radius * cos;
            if (i + 1 < values.Length) values[i + 1] = radius * sin;
        }
    }

    /// <summary>The Philox4x32-10 block function: four counter words and two key words to four random words.</summary>
    internal static (uint, uint, uint, uint) Philox(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = (ulong)c0 * 0xD2511F53, p1 = (ulong)c2 * 0xCD9E8D57;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        return (c0, c1, c2, c3);
    }
}

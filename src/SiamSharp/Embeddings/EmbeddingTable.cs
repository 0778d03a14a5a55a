using System.Numerics.Tensors;

namespace SiamSharp.Embeddings;

/// <summary>Representations of many images with their paths and labels.</summary>
/// <remarks>
/// The vectors of a .npy file stay in the file, which is mapped into memory; those of a .parquet file are read once, a row group
/// at a time, into the memory
/// in which they stay. Safe to read from many threads. Every member but <see cref="Dispose"/> throws <see
/// cref="ObjectDisposedException"/> after <see cref="Dispose"/>.
/// </remarks>
public sealed class EmbeddingTable : IDisposable
{
    private readonly ReadOnlyMemory<float>[] _blocks;
    private readonly int[] _starts;
    private readonly int _count, _width;
    private readonly IReadOnlyList<string> _paths;
    private readonly IReadOnlyList<string?> _labels;
    private readonly IDisposable? _file;
    private readonly Lazy<float[]> _norms;
    private int _uses = 1; // the owner's, and those of calls that go on
    private int _disposed;

    /// <summary>Puts a table together.</summary>
    /// <param name="width">D, 1 or more.</param>
    /// <param name="blocks">Whole rows of D numbers each, one block after the other.</param>
    /// <param name="paths">Of each row.</param>
    /// <param name="labels">Of each row, or null where it has none.</param>
    /// <param name="file">What the blocks lie in, if anything; disposed with the table.</param>
    /// <param name="origin">What made the vectors, where it is known.</param>
    /// <exception cref="ArgumentException">Paths or labels are not one for each row.</exception>
    public EmbeddingTable(
        int width, IReadOnlyList<ReadOnlyMemory<float>> blocks, IReadOnlyList<string> paths, IReadOnlyList<string?> labels,
        IDisposable? file = null, EmbeddingOrigin? origin = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        (_width, _paths, _labels, _file, Origin) = (width, paths, labels, file, origin);
        _blocks = [.. blocks.Where(block => !block.IsEmpty)];
        _starts = new int[_blocks.Length];
        for (int b = 0; b < _blocks.Length; b++)
        {
            if (_blocks[b].Length % width != 0)
                throw new ArgumentException($"Block {b} has {_blocks[b].Length} numbers, which are no whole rows of {width}.");
            _starts[b] = _count;
            _count = checked(_count + _blocks[b].Length / width);
        }
        if (paths.Count != _count || labels.Count != _count)
            throw new ArgumentException(
                $"There are {_count} vectors, but {paths.Count} paths and {labels.Count} labels: one of each is needed.");
        _norms = new(Norms);
    }

    /// <summary>N.</summary>
    public int Count => Open(_count);

    /// <summary>D.</summary>
    public int Width => Open(_width);

    /// <summary>Where each image comes from.</summary>
    public IReadOnlyList<string> Paths => Open(_paths);

    /// <summary>Label of each image; null where it has none.</summary>
    public IReadOnlyList<string?> Labels => Open(_labels);

    /// <summary>What made the vectors; null where that is not known.</summary>
    public EmbeddingOrigin? Origin { get => Open(field); }

    /// <summary>What the user should know of the file that was read, such as that it carries no checksum.</summary>
    public IReadOnlyList<string> Notes { get => Open(field); init; } = [];

    /// <summary>One vector.</summary>
    /// <param name="row">0 to <see cref="Count"/> - 1.</param>
    /// <returns>D numbers, which must not be read after <see cref="Dispose"/>.</returns>
    public ReadOnlySpan<float> this[int row]
    {
        get
        {
            if ((uint)row >= (uint)Count) throw new ArgumentOutOfRangeException(nameof(row), row, $"There are {_count} rows.");
            return Row(row);
        }
    }

    /// <summary>One vector, for calls that hold the table by <see cref="Use"/>.</summary>
    internal ReadOnlySpan<float> Row(int row)
    {
        int b = Array.BinarySearch(_starts, row);
        if (b < 0) b = ~b - 1;
        return _blocks[b].Span.Slice((row - _starts[b]) * _width, _width);
    }

    /// <summary>Reads a file of embeddings.</summary>
    /// <param name="path">.npy (with NAME.csv and NAME.npy.json beside it) or .parquet, as <see cref="EmbeddingFile"/> writes
    /// them.</param>
    /// <exception cref="EmbeddingFileException">It is none, or damaged.</exception>
    public static EmbeddingTable Read(string path) => EmbeddingFile.Read(path);

    /// <summary>The rows that are most like a vector.</summary>
    /// <remarks>
    /// Definition: greatest cosine, x . y / (|x| |y|); rows of zeros have 0. Exact: every row is looked at, on all processors.
    /// Cost: one pass over N D numbers.
    /// </remarks>
    /// <param name="query">D numbers.</param>
    /// <param name="count">Rows wanted, 1 or more.</param>
    /// <returns>At most <paramref name="count"/> rows with their cosine, best first; of equal ones the lower row first.</returns>
    /// <exception cref="ArgumentException">The query has another width, or a number that is not finite.</exception>
    public IReadOnlyList<Neighbour> Nearest(ReadOnlySpan<float> query, int count)
    {
        using var use = new Use(this);
        if (query.Length != _width)
            throw new ArgumentException(
                $"The query has {query.Length} numbers, but the vectors here have {_width}: use the encoder that made them.");
        if (!TensorPrimitives.IsFiniteAll(query))
            throw new ArgumentException("The query holds a number that is not finite, which is like nothing.");
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        float[] unit = Unit(query), norms = _norms.Value;

        var best = new PriorityQueue<Neighbour, Neighbour>(Neighbour.WorstFirst);
        Parallel.ForEach(Pieces(), () => new PriorityQueue<Neighbour, Neighbour>(Neighbour.WorstFirst),
            (piece, _, own) =>
            {
                ReadOnlySpan<float> vectors = piece.Vectors.Span;
                for (int i = 0; i < vectors.Length / _width; i++)
                    Keep(own,
                        new(piece.Start + i, Cosine(vectors.Slice(i * _width, _width), unit, norms[piece.Start + i])), count);
                return own;
            },
            own =>
            {
                lock (best)
                    foreach (var (neighbour, _) in own.UnorderedItems) Keep(best, neighbour, count);
            });
        return [.. best.UnorderedItems.Select(i => i.Element).OrderDescending(Neighbour.WorstFirst)];
    }

    /// <summary>A vector's direction: of length 1, or zeros where it is zeros.</summary>
    internal static float[] Unit(ReadOnlySpan<float> vector)
    {
        float[] unit = vector.ToArray();
        float norm = TensorPrimitives.Norm(vector);
        if (IsExact(norm))
        {
            TensorPrimitives.Divide(vector, norm, unit);
            return unit;
        }
        double exact = 0;
        foreach (float x in vector) exact += (double)x * x;
        exact = Math.Sqrt(exact);
        for (int d = 0; d < unit.Length; d++) unit[d] = exact > 0 ? (float)(vector[d] / exact) : 0;
        return unit;
    }

    /// <summary>Cosine between a vector and a direction; 0 where the vector is zeros.</summary>
    /// <param name="vector">D finite numbers.</param>
    /// <param name="unit">From <see cref="Unit"/>.</param>
    /// <param name="norm">The vector's length in single precision.</param>
    internal static float Cosine(ReadOnlySpan<float> vector, float[] unit, float norm) =>
        IsExact(norm) ? TensorPrimitives.Dot(vector, unit) / norm
            : norm == 0 && !vector.ContainsAnyExcept(0) ? 0 : TensorPrimitives.Dot<float>(Unit(vector), unit);

    /// <summary>Whether the squares of a vector of this length neither overflow nor vanish in single precision.</summary>
    private static bool IsExact(float norm) => norm is > 1e-15f and < 1e15f;

    /// <summary>Keeps the file mapped during a call, also where another thread disposes of the table.</summary>
    internal readonly struct Use : IDisposable
    {
        private readonly EmbeddingTable _table;

        public Use(EmbeddingTable table)
        {
            _table = table;
            int uses;
            do ObjectDisposedException.ThrowIf((uses = Volatile.Read(ref table._uses)) == 0 || table._disposed != 0, table);
            while (Interlocked.CompareExchange(ref table._uses, uses + 1, uses) != uses);
            if (table._file is not MappedFloats { IsWhole: false }) return;
            Dispose();
            throw new IOException("The file of embeddings was shortened while it was open. Open it again.");
        }

        public void Dispose()
        {
            if (Interlocked.Decrement(ref _table._uses) == 0) _table._file?.Dispose();
        }
    }

    private T Open<T>(T value)
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);
        return value;
    }

    /// <summary>The blocks in pieces of about a megabyte.</summary>
    private IEnumerable<(int Start, ReadOnlyMemory<float> Vectors)> Pieces()
    {
        int rows = Math.Max(1, (1 << 18) / _width);
        for (int b = 0; b < _blocks.Length; b++)
        {
            int count = _blocks[b].Length / _width;
            for (int i = 0; i < count; i += rows)
                yield return (_starts[b] + i, _blocks[b].Slice(i * _width, Math.Min(rows, count - i) * _width));
        }
    }

    private static void Keep(PriorityQueue<Neighbour, Neighbour> best, Neighbour candidate, int count)
    {
        if (best.Count < count) best.Enqueue(candidate, candidate);
        else if (Neighbour.WorstFirst.Compare(candidate, best.Peek()) > 0) best.EnqueueDequeue(candidate, candidate);
    }

    private float[] Norms()
    {
        float[] norms = new float[_count];
        Parallel.ForEach(Pieces(), piece =>
        {
            for (int i = 0; i < piece.Vectors.Length / _width; i++)
                norms[piece.Start + i] = TensorPrimitives.Norm(piece.Vectors.Span.Slice(i * _width, _width));
        });
        return norms;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0 && Interlocked.Decrement(ref _uses) == 0) _file?.Dispose();
    }
}

/// <summary>A row that is like a query.</summary>
/// <param name="Row">Of the table.</param>
/// <param name="Cosine">-1 to 1.</param>
public readonly record struct Neighbour(int Row, float Cosine)
{
    internal static readonly Comparer<Neighbour> WorstFirst =
        Comparer<Neighbour>.Create((a, b) => a.Cosine != b.Cosine ? a.Cosine.CompareTo(b.Cosine) : b.Row.CompareTo(a.Row));
}

using System.Numerics.Tensors;

namespace SiamSharp.Embeddings;

/// <summary>Representations of many images with their paths and labels.</summary>
/// <remarks>
/// The vectors of a .npy file stay in the file, which is mapped into memory; those of a .parquet file are read once, a row group at a time, into the memory
/// in which they stay. Safe to read from many threads.
/// </remarks>
public sealed class EmbeddingTable : IDisposable
{
    private readonly ReadOnlyMemory<float>[] _blocks;
    private readonly int[] _starts;
    private readonly IDisposable? _file;
    private readonly Lazy<float[]> _norms;

    /// <summary>Puts a table together.</summary>
    /// <param name="width">D.</param>
    /// <param name="blocks">Whole rows of D numbers each, one block after the other.</param>
    /// <param name="paths">Of each row.</param>
    /// <param name="labels">Of each row, or null where it has none.</param>
    /// <param name="file">What the blocks lie in, if anything; disposed with the table.</param>
    /// <exception cref="ArgumentException">Paths or labels are not one for each row.</exception>
    public EmbeddingTable(int width, IReadOnlyList<ReadOnlyMemory<float>> blocks, IReadOnlyList<string> paths, IReadOnlyList<string?> labels, IDisposable? file = null)
    {
        (Width, Paths, Labels, _file) = (width, paths, labels, file);
        _blocks = [.. blocks];
        _starts = new int[_blocks.Length];
        int rows = 0;
        for (int b = 0; b < _blocks.Length; b++)
        {
            _starts[b] = rows;
            rows = checked(rows + _blocks[b].Length / width);
        }
        if (paths.Count != rows || labels.Count != rows)
            throw new ArgumentException($"There are {rows} vectors, but {paths.Count} paths and {labels.Count} labels: one of each is needed.");
        _norms = new(Norms);
    }

    /// <summary>N.</summary>
    public int Count => Paths.Count;

    /// <summary>D.</summary>
    public int Width { get; }

    /// <summary>Where each image comes from.</summary>
    public IReadOnlyList<string> Paths { get; }

    /// <summary>Label of each image; null where it has none.</summary>
    public IReadOnlyList<string?> Labels { get; }

    /// <summary>One vector.</summary>
    /// <param name="row">0 to <see cref="Count"/> - 1.</param>
    /// <returns>D numbers.</returns>
    public ReadOnlySpan<float> this[int row]
    {
        get
        {
            int b = Array.BinarySearch(_starts, row);
            if (b < 0) b = ~b - 1;
            while (_blocks[b].IsEmpty) b++;
            return _blocks[b].Span.Slice((row - _starts[b]) * Width, Width);
        }
    }

    /// <summary>Reads a file of embeddings.</summary>
    /// <param name="path">.npy (with NAME.csv beside it) or .parquet, as <see cref="EmbeddingFile"/> writes them.</param>
    /// <exception cref="EmbeddingFileException">It is none.</exception>
    public static EmbeddingTable Read(string path) => EmbeddingFile.Read(path);

    /// <summary>The rows that are most like a vector.</summary>
    /// <remarks>
    /// Definition: greatest cosine, x . y / (|x| |y|); rows of zeros have 0. Exact: every row is looked at, on all processors. Cost: one pass over N D numbers.
    /// </remarks>
    /// <param name="query">D numbers.</param>
    /// <param name="count">Rows wanted, 1 or more.</param>
    /// <returns>At most <paramref name="count"/> rows with their cosine, best first; of equal ones the lower row first.</returns>
    /// <exception cref="ArgumentException">The query has another width.</exception>
    public IReadOnlyList<Neighbour> Nearest(ReadOnlySpan<float> query, int count)
    {
        if (query.Length != Width) throw new ArgumentException($"The query has {query.Length} numbers, but the vectors here have {Width}: use the encoder that made them.");
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        float[] unit = query.ToArray(), norms = _norms.Value;
        float length = TensorPrimitives.Norm(query);
        if (length > 0) TensorPrimitives.Divide(query, length, unit);

        var best = new PriorityQueue<Neighbour, Neighbour>(Neighbour.WorstFirst);
        Parallel.ForEach(Pieces(), () => new PriorityQueue<Neighbour, Neighbour>(Neighbour.WorstFirst),
            (piece, _, own) =>
            {
                ReadOnlySpan<float> vectors = piece.Vectors.Span;
                for (int i = 0; i < vectors.Length / Width; i++)
                {
                    float norm = norms[piece.Start + i];
                    Keep(own, new(piece.Start + i, norm > 0 ? TensorPrimitives.Dot(vectors.Slice(i * Width, Width), unit) / norm : 0), count);
                }
                return own;
            },
            own =>
            {
                lock (best)
                    foreach (var (neighbour, _) in own.UnorderedItems) Keep(best, neighbour, count);
            });
        return [.. best.UnorderedItems.Select(i => i.Element).OrderDescending(Neighbour.WorstFirst)];
    }

    /// <summary>The blocks in pieces of about a megabyte.</summary>
    private IEnumerable<(int Start, ReadOnlyMemory<float> Vectors)> Pieces()
    {
        int rows = Math.Max(1, (1 << 18) / Width);
        for (int b = 0; b < _blocks.Length; b++)
        {
            int count = _blocks[b].Length / Width;
            for (int i = 0; i < count; i += rows) yield return (_starts[b] + i, _blocks[b].Slice(i * Width, Math.Min(rows, count - i) * Width));
        }
    }

    private static void Keep(PriorityQueue<Neighbour, Neighbour> best, Neighbour candidate, int count)
    {
        if (best.Count < count) best.Enqueue(candidate, candidate);
        else if (Neighbour.WorstFirst.Compare(candidate, best.Peek()) > 0) best.EnqueueDequeue(candidate, candidate);
    }

    private float[] Norms()
    {
        float[] norms = new float[Count];
        Parallel.ForEach(Pieces(), piece =>
        {
            for (int i = 0; i < piece.Vectors.Length / Width; i++) norms[piece.Start + i] = TensorPrimitives.Norm(piece.Vectors.Span.Slice(i * Width, Width));
        });
        return norms;
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();
}

/// <summary>A row that is like a query.</summary>
/// <param name="Row">Of the table.</param>
/// <param name="Cosine">-1 to 1.</param>
public readonly record struct Neighbour(int Row, float Cosine)
{
    internal static readonly Comparer<Neighbour> WorstFirst =
        Comparer<Neighbour>.Create((a, b) => a.Cosine != b.Cosine ? a.Cosine.CompareTo(b.Cosine) : b.Row.CompareTo(a.Row));
}

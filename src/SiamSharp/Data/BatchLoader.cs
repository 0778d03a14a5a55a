using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace SiamSharp.Data;

/// <summary>Endless batches in the order of (seed, epoch), made ahead of the consumer on background threads.</summary>
/// <remarks>
/// The batches do not depend on the number of threads. A set in memory is served by one thread, one batch ahead; otherwise all of
/// the set's threads decode into the next batches. One consumer at a time.
/// </remarks>
internal sealed class BatchLoader : IDisposable
{
    private readonly object _gate = new();
    private readonly ImageDataset _dataset;
    private readonly SampleOrder _order;
    private readonly TimeProvider _time;
    private readonly int _ahead;
    private readonly Thread[] _threads;
    private readonly Queue<Filling> _queue = new();
    private readonly Stack<float[]> _spare = new();
    private Filling? _open;
    private int _epoch, _step;
    private bool _stopped;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Starts making batches at once.</summary>
    /// <param name="dataset">The images.</param>
    /// <param name="batchSize">N; 1 or more.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="dropLast">Whether an epoch ends with its last full batch.</param>
    /// <param name="startEpoch">Epoch of the first batch; 0 or more.</param>
    /// <param name="startStep">Step of the first batch; <see cref="StepsPerEpoch"/> or more goes on into later epochs.</param>
    /// <param name="threads">0 = one for a set in memory, otherwise as the set was loaded with.</param>
    /// <param name="time">The clock behind <see cref="Waited"/>.</param>
    /// <exception cref="ArgumentException">
    /// The set holds less than one full batch and <paramref name="dropLast"/> is on.
    /// </exception>
    public BatchLoader(ImageDataset dataset, int batchSize, ulong seed, bool dropLast = true, int startEpoch = 0,
        int startStep = 0, int threads = 0, TimeProvider? time = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(startEpoch);
        ArgumentOutOfRangeException.ThrowIfNegative(startStep);
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        _dataset = dataset;
        _order = new SampleOrder(dataset.Count, batchSize, seed, dropLast);
        _epoch = startEpoch + startStep / _order.StepsPerEpoch;
        _step = startStep % _order.StepsPerEpoch;
        _time = time ?? TimeProvider.System;
        int count = threads != 0 ? threads : dataset.InMemory ? 1 : DecodingThreads.Count(dataset.Threads);
        _ahead = dataset.InMemory ? 1 : 2;
        _threads = new Thread[count];
        for (int t = 0; t < count; t++)
        {
            _threads[t] = new Thread(Work) { IsBackground = true, Name = $"batch {t}" };
            _threads[t].Start();
        }
    }

    /// <summary>Batches in an epoch.</summary>
    public int StepsPerEpoch => _order.StepsPerEpoch;

    /// <summary>How long <see cref="Next"/> has waited for batches that were not ready, in total.</summary>
    public TimeSpan Waited { get; private set; }

    /// <summary>The next batch; after the last step of an epoch comes step 0 of the next.</summary>
    /// <returns>
    /// A batch whose images belong to the caller. It is smaller where a file has become unreadable since the set was loaded;
    /// such a file is added to <see cref="ImageDataset.Skipped"/>.
    /// </returns>
    /// <exception cref="DataSourceException">Not one image of the batch is readable any more.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while waiting; the batch is not lost.</exception>
    public Batch Next(CancellationToken cancellationToken = default)
    {
        var filling = Take(cancellationToken);
        var (kept, length) = (filling.KeepReadable(), filling.Length);
        if (kept.Length == 0)
            throw new DataSourceException(
                $"No image of epoch {filling.Epoch}, step {filling.Step} of '{_dataset.Name}' is readable any "
                + "more, though all were when the set was loaded: is the disk or the network share still there?");
        var images = empty([kept.Length, _dataset.Channels, _dataset.Size, _dataset.Size]);
        images.bytes = MemoryMarshal.AsBytes(filling.Values.AsSpan(0, kept.Length * length));
        lock (_gate) _spare.Push(filling.Values);
        return new Batch(images, [.. kept.Select(i => (long)_dataset.SourceIndexOf(i))], kept, filling.Epoch, filling.Step);
    }

    /// <summary>Stops the threads; a batch in the making is thrown away.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopped = true;
            Monitor.PulseAll(_gate);
        }
        foreach (var thread in _threads) thread.Join();
    }

    private Filling Take(CancellationToken cancellationToken)
    {
        using var wake = cancellationToken.Register(() =>
        {
            lock (_gate) Monitor.PulseAll(_gate);
        });
        lock (_gate)
        {
            long start = _time.GetTimestamp();
            bool waited = false;
            while (!_stopped && _failure is null && !cancellationToken.IsCancellationRequested && !Ready())
            {
                waited = true;
                Monitor.Wait(_gate);
            }
            if (waited) Waited += _time.GetElapsedTime(start);
            ObjectDisposedException.ThrowIf(_stopped, this);
            _failure?.Throw();
            cancellationToken.ThrowIfCancellationRequested();
            Monitor.PulseAll(_gate);
            return _queue.Dequeue();
        }
        bool Ready() => _queue.TryPeek(out var first) && first.Left == 0;
    }

    private void Work()
    {
        try
        {
            while (TakeSlot() is var (filling, slot))
            {
                try
                {
                    _dataset.Read(filling.Indexes[slot], filling.Slot(slot));
                }
                catch (UnreadableImageException e)
                {
                    _dataset.Skip(e);
                    filling.Unreadable[slot] = true;
                }
                lock (_gate)
                    if (--filling.Left == 0) Monitor.PulseAll(_gate);
            }
        }
        catch (Exception e)
        {
            lock (_gate)
            {
                _failure ??= ExceptionDispatchInfo.Capture(e);
                Monitor.PulseAll(_gate);
            }
        }
    }

    // The next image of the batch that is being filled; opens another batch while fewer than _ahead are waiting. Null = stopped.
    private (Filling, int)? TakeSlot()
    {
        lock (_gate)
        {
            while (!_stopped && _failure is null)
            {
                if (_open is { } open && open.Taken < open.Indexes.Length) return (open, open.Taken++);
                if (_queue.Count < _ahead) Open();
                else Monitor.Wait(_gate);
            }
            return null;
        }
    }

    private void Open()
    {
        int[] indexes = _order.Batch(_epoch, _step);
        int length = _dataset.Channels * _dataset.Size * _dataset.Size;
        if (!_spare.TryPop(out float[]? values) || values.Length < indexes.Length * length)
            values = GC.AllocateUninitializedArray<float>(indexes.Length * length);
        _open = new Filling(_epoch, _step, indexes, values, length);
        _queue.Enqueue(_open);
        if (++_step == _order.StepsPerEpoch) (_epoch, _step) = (_epoch + 1, 0);
    }
}

using System.Runtime.ExceptionServices;

namespace SiamSharp.Data;

/// <summary>Runs the same work for many indexes on threads of its own.</summary>
internal static class DecodingThreads
{
    /// <summary>The number of threads to use.</summary>
    /// <param name="threads">As in <see cref="DataOptions.Threads"/>: 0 = one per processor.</param>
    public static int Count(int threads) => threads == 0 ? Environment.ProcessorCount : threads;

    /// <summary>Calls <paramref name="work"/> for 0 to <paramref name="count"/> - 1, each once, in no particular order.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; no thread is left behind.</exception>
    /// <remarks>The first exception of any thread stops all of them and is thrown here.</remarks>
    public static void Run(int threads, int count, Action<int> work, CancellationToken cancellationToken)
    {
        int next = -1;
        ExceptionDispatchInfo? failure = null;
        var workers = new Thread[Math.Max(1, Math.Min(Count(threads), count))];
        for (int t = 0; t < workers.Length; t++)
        {
            workers[t] = new Thread(Work) { IsBackground = true, Name = $"decode {t}" };
            workers[t].Start();
        }
        foreach (var worker in workers) worker.Join();
        failure?.Throw();
        cancellationToken.ThrowIfCancellationRequested();

        void Work()
        {
            try
            {
                while (failure is null && !cancellationToken.IsCancellationRequested)
                {
                    int i = Interlocked.Increment(ref next);
                    if (i >= count) return;
                    work(i);
                }
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(e), null);
            }
        }
    }
}

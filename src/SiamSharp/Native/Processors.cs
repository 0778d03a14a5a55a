using Microsoft.ML.OnnxRuntime;
using TorchSharp;

namespace SiamSharp.Native;

/// <summary>As many threads as the process may use processors: .NET counts a container's quota, libtorch and ONNX Runtime
/// count the machine's.</summary>
internal static class Processors
{
    private static readonly Lock s_once = new();
    private static bool s_chosen;

    /// <summary>Lets libtorch compute with so many threads from now on.</summary>
    public static void Use(int threads)
    {
        lock (s_once)
        {
            s_chosen = true;
            torch.set_num_threads(threads);
        }
    }

    /// <summary>Lets libtorch compute with at most one thread for each processor, unless a number was chosen.</summary>
    public static void FollowQuota()
    {
        lock (s_once)
        {
            if (s_chosen) return;
            s_chosen = true;
            if (torch.get_num_threads() > Environment.ProcessorCount) torch.set_num_threads(Environment.ProcessorCount);
        }
    }

    /// <summary>The same for a session of ONNX Runtime; owned by the caller.</summary>
    public static SessionOptions Session() => new() { IntraOpNumThreads = Environment.ProcessorCount };
}

using System.Runtime.CompilerServices;
using SiamSharp.Native;
using TorchSharp;

namespace SiamSharp.Tests;

internal static class Setup
{
    [ModuleInitializer]
    internal static void BeforeAnyTest()
    {
        FreedMemory.Keep();
        // The tests run side by side already; threads that wait for each other on busy processors are very slow.
        torch.set_num_threads(1);
    }
}

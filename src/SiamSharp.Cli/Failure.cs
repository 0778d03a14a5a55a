using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Embeddings;
using SiamSharp.Files;
using SiamSharp.Native;
using SiamSharp.Options;

namespace SiamSharp.Cli;

/// <summary>What went wrong, in a line that a person can act on, and the exit code for it.</summary>
internal static class Failure
{
    private const long MinHeap = 512L << 20;

    // of libtorch on processors and GPUs
    private static readonly string[] s_outOfMemory = ["alloc", "out of memory", "not enough memory"];

    private static bool IsOutOfMemory(Exception failure) => failure is OutOfMemoryException
        || s_outOfMemory.Any(words => failure.Message.Contains(words, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether a part of the program could not be loaded, such as where too few files may be open.</summary>
    internal static bool IsMissingAssembly(Exception? failure) => failure is not null
        && (failure.Message.StartsWith("Could not load file or assembly", StringComparison.Ordinal)
            || IsMissingAssembly(failure.InnerException));

    internal static int Show(Exception failure, Screen screen)
    {
        switch (failure)
        {
            case OperationCanceledException:
                screen.Say("Interrupted.");
                return 130;
            case FileNotFoundException { FileName: null }: // of Environment.CurrentDirectory
                screen.Fail("The current folder does not exist any more: change to one that does (cd).");
                return 1;
            case OptionsException:
                screen.Fail(failure.Message);
                return 2;
            case UnreadableImageException: // the one image that was given; of many it is left out
                screen.Fail($"{failure.Message.TrimEnd('.')}. Give another image, or an undamaged copy of it.");
                return 1;
            case UnauthorizedAccessException:
                screen.Fail($"{failure.Message.TrimEnd('.')}. Where it is yours, chmod u+rw gives the right; "
                    + "else its owner must give it, such as with chmod o+r for reading.");
                return 1;
            case SafeTensorsException:
                screen.Fail(failure.Message.TrimEnd('.') + ".");
                return 1;
            case DataSourceException or RunException or PyTorchFileException
                or EmbeddingFileException or StateDictMismatchException
                or ArgumentException or NotSupportedException or IOException:
                screen.Fail(failure.Message);
                return 1;
            case TypeInitializationException or DllNotFoundException or BadImageFormatException
                when NativeLibraries.Inspect() is { Works: false } native:
                foreach (string problem in native.Problems) screen.Fail(problem);
                return 1;
            case OutOfMemoryException or System.Runtime.InteropServices.ExternalException when IsOutOfMemory(failure):
                long heap = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
                screen.Fail(heap < MinHeap ? $"The .NET heap may take {heap >> 20} MiB only, by DOTNET_GCHeapHardLimit or "
                    + "the container's memory. Give more."
                    : "The memory is not enough for this. Less is needed with a smaller training.batchSize, data.size or network "
                        + "(backbone.width, backbone.name), and with data.memoryGiB=0, which decodes images anew in each epoch. "
                        + "A limit that was set for the shell (ulimit -v) counts too.");
                return 1;
            case System.Runtime.InteropServices.ExternalException:
                screen.Fail($"libtorch: {failure.Message.Split('\n')[0].Split("Exception raised from")[0].Trim().TrimEnd('.')}. "
                    + "(An error in SiamSharp itself, or an operation that this device does not "
                    + "have; add --debug for the details.)");
                return 1;
            default:
                screen.Fail($"{failure.GetType().Name}: {failure.Message.ReplaceLineEndings(" ")} (an error in SiamSharp "
                    + "itself; add --debug for the details)");
                return 1;
        }
    }
}

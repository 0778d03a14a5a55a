using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Embeddings;
using SiamSharp.Interop;
using SiamSharp.Native;
using SiamSharp.Recipes;
using SiamSharp.Training;

namespace SiamSharp.Cli;

/// <summary>What went wrong, in a line that a person can act on, and the exit code for it.</summary>
internal static class Failure
{
    internal static int Show(Exception failure, Screen screen)
    {
        switch (failure)
        {
            case OperationCanceledException:
                screen.Say("Interrupted.");
                return 130;
            case RecipeException:
                screen.Fail(failure.Message);
                return 2;
            case DataSourceException or RunException or SafeTensorsException or PyTorchFileException or EmbeddingFileException or StateDictMismatchException or UnreadableImageException
                or ArgumentException or NotSupportedException or IOException or UnauthorizedAccessException:
                screen.Fail(failure.Message);
                return 1;
            case TypeInitializationException or DllNotFoundException or BadImageFormatException when NativeLibraries.Inspect() is { Works: false } native:
                foreach (string problem in native.Problems) screen.Fail(problem);
                return 1;
            default:
                screen.Fail($"{failure.GetType().Name}: {failure.Message.ReplaceLineEndings(" ")} (an error in SiamSharp itself; add --debug for the details)");
                return 1;
        }
    }
}

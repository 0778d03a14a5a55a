using System.Runtime.CompilerServices;
using PublicApiGenerator;
using Xunit;

namespace SiamSharp.Tests.Conventions;

/// <summary>What the library promises: a change to it is seen in docs/public-api.txt.</summary>
public sealed class PublicApiTests
{
    private static string File([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "../../../docs/public-api.txt"));

    [Fact]
    public void PublicApi_OfTheLibrary_IsThatOfTheFile()
    {
        string actual = typeof(Encoder).Assembly.GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false })
            .ReplaceLineEndings("\n").TrimEnd() + "\n";
        string expected = System.IO.File.Exists(File()) ? System.IO.File.ReadAllText(File()) : "";
        if (expected == actual) return;
        System.IO.File.WriteAllText(File() + ".new", actual);
        Assert.Fail($"The public API has changed. Compare {File()}.new with {File()}, and where the change is meant, "
            + "move the first over the second.");
    }
}

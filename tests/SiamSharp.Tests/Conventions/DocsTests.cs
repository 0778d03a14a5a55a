using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Xunit;

namespace SiamSharp.Tests.Conventions;

/// <summary>The C# of the documents compiles: every line of it stands, in order, in a file of the Docs
/// folder or in a sample.</summary>
public sealed partial class DocsTests
{
    private static string Root([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "../../.."));

    public static TheoryData<string> Documents => [.. new[] { "README.md" }.Concat(
        Directory.GetFiles(Path.Combine(Root(), "docs"), "*.md").Select(path => Path.GetRelativePath(Root(), path)))];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Samples_OfADocument_AreCompiled(string document)
    {
        string[] programs = [.. Directory.GetDirectories(Path.Combine(Root(), "samples"))
            .Select(folder => Path.Combine(folder, "Program.cs")).Where(File.Exists)];
        string[][] compiled =
            [.. Directory.GetFiles(Path.Combine(Root(), "tests/SiamSharp.Tests/Docs"), "*.cs").Concat(programs).Select(Lines)];
        foreach (Match block in CSharp().Matches(File.ReadAllText(Path.Combine(Root(), document))))
        {
            string[] sample = [.. block.Groups[1].Value.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0)];
            Assert.True(compiled.Any(file => IsInOrder(sample, file)),
                $"{document}: no file in Docs/ and no sample has this:\n{block.Value}");
        }
    }

    private static string[] Lines(string path) => [.. File.ReadLines(path).Select(l => l.Trim())];

    private static bool IsInOrder(string[] sample, string[] file)
    {
        int at = -1;
        return sample.All(line => (at = Array.IndexOf(file, line, at + 1)) >= 0);
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CSharp();
}

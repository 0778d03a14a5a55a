using System.Runtime.CompilerServices;
using Xunit;

namespace SiamSharp.Tests.Conventions;

/// <summary>How long lines and files are: a line fits the screen, and a file has one subject.</summary>
public sealed class LayoutTests
{
    private const int LongestLine = 130, LongestFile = 250, MedianFile = 80;

    [Fact]
    public void Lines_FitTheScreen()
    {
        string[] files = [.. FilesOf("src", "tests", "benchmarks", "samples")];
        Assert.True(files.Length > 300, $"Only {files.Length} files were found.");
        Assert.Equal([], files.SelectMany(file => File.ReadLines(file).Index()
            .Where(line => line.Item.Length > LongestLine)
            .Select(line => $"{Short(file)}, line {line.Index + 1} has {line.Item.Length} characters")));
    }

    [Fact]
    public void Files_HaveOneSubject()
    {
        (string Name, int Lines)[] files = [.. FilesOf("src").Select(file => (Short(file), File.ReadLines(file).Count()))];
        Assert.Equal([], files.Where(file => file.Lines > LongestFile)
            .Select(file => $"{file.Name} has {file.Lines} lines: give its second subject a class of its own"));
        int[] lengths = [.. files.Select(file => file.Lines).Order()];
        int median = lengths[lengths.Length / 2];
        Assert.True(median < MedianFile, $"Half of the files have {median} lines or more.");
    }

    private static IEnumerable<string> FilesOf(params string[] folders) => folders
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root(), folder), "*.cs", SearchOption.AllDirectories))
        .Where(path => !Short(path).Split('/').Any(part => part is "obj" or "bin"));

    private static string Short(string path) => Path.GetRelativePath(Root(), path).Replace('\\', '/');

    private static string Root([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "../../.."));
}

using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace SiamSharp.Tests.Conventions;

/// <summary>Which room of the library may use which: only those on floors below its own (docs/ARCHITECTURE.md).</summary>
public sealed class HouseTests
{
    // From the ground up. A file that stands beside the rooms is a room of its own.
    private static readonly string[][] s_floors =
    [
        ["Messages", "Native", "Randomness"],
        ["Files", "Filters"],
        ["Options"],
        ["Onnx"],
        ["Data", "Masking"],
        ["Views", "Backbones", "Optim"],
        ["Methods"],
        ["FileMetadata"],
        ["Encoder"],
        ["Evaluation", "Export"],
        ["ClassifierReport"],
        ["Recipes"],
        ["Training"],
        ["Embeddings"],
        ["Classifier", "Predictions"],
        ["Reporting"],
        ["Studies"],
    ];

    // The two files of one floor that belong together: a prediction names its classifier.
    private static readonly string[] s_together = ["Classifier", "Predictions"];

    [Fact]
    public void Rooms_UseOnlyFloorsBelow()
    {
        string root = Path.Combine(Root(), "src", "SiamSharp");
        SyntaxTree[] files = [.. Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            .Where(path => RoomOf(root, path) is not ("obj" or "bin"))
            .Select(path => CSharpSyntaxTree.ParseText(File.ReadAllText(path), path: path))];
        Assert.True(files.Length > 150);
        Assert.Equal(
            [], files.Select(file => RoomOf(root, file.FilePath)).Distinct().Except(s_floors.SelectMany(floor => floor)));

        CSharpCompilation library = CSharpCompilation.Create("House", [.. files, s_implicitUsings], References(),
            new(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true));
        var up = new SortedSet<string>(StringComparer.Ordinal);
        int down = 0;
        foreach (SyntaxTree file in files)
        {
            string own = RoomOf(root, file.FilePath);
            SemanticModel model = library.GetSemanticModel(file);
            foreach (SimpleNameSyntax name in file.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>())
            {
                ISymbol? used = model.GetSymbolInfo(name).Symbol;
                if ((used as INamedTypeSymbol ?? used?.ContainingType)?.OriginalDefinition is not { } type) continue;
                string? room =
                    type.DeclaringSyntaxReferences.Select(part => RoomOf(root, part.SyntaxTree.FilePath)).FirstOrDefault();
                if (room is null || room == own || s_together.Contains(room) && s_together.Contains(own)) continue;
                if (FloorOf(room) < FloorOf(own)) down++;
                else up.Add($"{own}/{Path.GetFileName(file.FilePath)} uses {type.Name} of {room}");
            }
        }
        Assert.True(up.Count == 0, $"These look up or sideways:\n{string.Join('\n', up)}");
        Assert.True(down > 3000, $"Only {down} uses were found: the library was not understood.");
    }

    private static int FloorOf(string room) => Array.FindIndex(s_floors, floor => floor.Contains(room));

    /// <summary>The folder of a file, or the name of the type where the file stands beside the rooms.</summary>
    private static string RoomOf(string root, string path) =>
        Path.GetRelativePath(root, path).Split(Path.DirectorySeparatorChar) is [var folder, _, ..] ? folder
            : Path.GetFileName(path).Split('.')[0];

    private static IEnumerable<MetadataReference> References() => ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
        .Split(Path.PathSeparator)
        .Where(path => Path.GetFileName(path) != "SiamSharp.dll")
        .Select(path => MetadataReference.CreateFromFile(path));

    private static readonly SyntaxTree s_implicitUsings = CSharpSyntaxTree.ParseText(string.Concat(
        new[] { "System", "System.IO", "System.Linq", "System.Collections.Generic", "System.Threading", "System.Threading.Tasks" }
            .Select(space => $"global using global::{space};\n")));

    private static string Root([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "../../.."));
}

using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Xunit;

namespace SiamSharp.Tests.Conventions;

/// <summary>Which room of the library may use which: only those on floors below its own (docs/ARCHITECTURE.md).</summary>
public sealed partial class HouseTests
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
        ["Evaluation"],
        ["Recipes"],
        ["Training"],
        ["Embeddings"],
        ["Classifier", "Predictions"],
        ["Export"],
        ["Reporting"],
        ["Studies"],
    ];

    // What still looks up, and how it is to go.
    private static readonly string[] s_lookingUp =
    [
        "Data/DataOptions uses Encoder", // For(Encoder) belongs to the encoder
        "Embeddings/Embedder uses OnnxExport", // the encoder's part of the export goes below the classifier's
        "Embeddings/Embedder uses OnnxOptions",
        "Encoder/Encoder uses Recipe", // Untrained takes the options of a backbone and a seed
        "Encoder/Encoder uses RunFolder",
        "Evaluation/ScoreVerdict uses Recipe", // the verdict takes the options that it names
        "Methods/Dino uses TrainingOptions", // notes need batch size and epochs, not all options of training
        "Methods/MethodOptions uses TrainingOptions",
        "Methods/MoCoV2 uses TrainingOptions",
        "Methods/Msn uses TrainingOptions",
        "Methods/Pirl uses TrainingOptions",
        "Methods/Swav uses TrainingOptions",
        "Views/Presets uses MethodOptions", // presets go to the recipes
        "Views/ViewsOptions uses MethodOptions",
        "Views/ViewsOptions uses SimClrOptions",
        "Views/ViewsOptions uses ViewBatch",
    ];

    private sealed record SourceFile(string Room, string Name, string[] Usings, string Code);

    [Fact]
    public void Rooms_UseOnlyFloorsBelow()
    {
        SourceFile[] files = [.. Files()];
        Assert.True(files.Length > 150);
        Assert.Equal([], files.Select(f => f.Room).Distinct().Except(s_floors.SelectMany(floor => floor)));
        ILookup<string, string> rooms = files.SelectMany(f => Declared().Matches(f.Code).Select(m => (Type: m.Groups[1].Value, f.Room))).Distinct().ToLookup(t => t.Type, t => t.Room);
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (SourceFile file in files)
            foreach (string type in Used().Matches(file.Code).Select(m => m.Value).Distinct())
                if (!rooms[type].Contains(file.Room) && rooms[type].Any(room => FloorOf(room) >= FloorOf(file.Room) && (file.Usings.Contains(room) || Beside(room))
                    && !(FloorOf(room) == FloorOf(file.Room) && Beside(room) && Beside(file.Room))))
                    found.Add($"{file.Room}/{file.Name} uses {type}");
        string[] fresh = [.. found.Except(s_lookingUp)], gone = [.. s_lookingUp.Except(found)];
        Assert.True(fresh.Length == 0, $"These look up:\n{string.Join('\n', fresh)}");
        Assert.True(gone.Length == 0, $"These look up no longer, take them off the list:\n{string.Join('\n', gone)}");
    }

    private static int FloorOf(string room) => Array.FindIndex(s_floors, floor => floor.Contains(room));

    private static bool Beside(string room) => room is "FileMetadata" or "Encoder" or "Classifier" or "Predictions";

    private static IEnumerable<SourceFile> Files()
    {
        string root = Path.Combine(Root(), "src", "SiamSharp");
        foreach (string path in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories))
        {
            string[] parts = Path.GetRelativePath(root, path).Split(Path.DirectorySeparatorChar);
            if (parts[0] is "obj" or "bin") continue;
            string text = File.ReadAllText(path), name = Path.GetFileNameWithoutExtension(path);
            yield return new(parts.Length == 1 ? name : parts[0], name, [.. Using().Matches(text).Select(m => m.Groups[1].Value)], Literal().Replace(Comment().Replace(text, ""), "\"\""));
        }
    }

    private static string Root([CallerFilePath] string thisFile = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "../../.."));

    [GeneratedRegex(@"^using SiamSharp\.(\w+);|\bSiamSharp\.(\w+)\.", RegexOptions.Multiline)] private static partial Regex Using();
    [GeneratedRegex("//.*")] private static partial Regex Comment();
    [GeneratedRegex("\"(?:\\\\.|[^\"\\\\\\n])*\"")] private static partial Regex Literal();
    [GeneratedRegex(@"\b(?:class|record struct|record|struct|interface|enum)\s+([A-Z]\w*)")] private static partial Regex Declared();
    [GeneratedRegex(@"(?<![.\w])[A-Z]\w*\b(?!\s*(?:=>|\{\s*(?:get|set|init)|=(?!=)))(?=\s*[.<>(){},?\[\]]|\s+[a-z_]|;)")] private static partial Regex Used();
}

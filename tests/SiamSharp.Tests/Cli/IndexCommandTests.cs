using System.Text.Json.Nodes;
using SiamSharp.Backbones;
using SiamSharp.Cli;
using SiamSharp.Data;
using SiamSharp.Embeddings;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Tests.Data;
using SiamSharp.Training;
using SiamSharp.Views;
using Xunit;

namespace SiamSharp.Tests.Cli;

/// <summary><c>siam embed</c>, <c>search</c>, <c>duplicates</c> and <c>diverse</c> as a user who makes
/// mistakes meets them.</summary>
public sealed class IndexCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public IndexCommandTests()
    {
        for (int i = 0; i < 6; i++)
            TestImages.Save(TestImages.Make(1, 16, 16, (_, y, x) => (byte)(x * i * 7 + y * 9 % 50)),
                _folder.At($"images/{i}.png"));
        foreach (var (name, seed) in new[] { ("runs/a", 1UL), ("runs/b", 2UL) })
        {
            var run = new RunFolder(_folder.At(name));
            run.Create();
            Recipe recipe = Recipe.Resolve([], ["backbone.width=4", "backbone.depths=[1,1]", "data.size=16", "data.channels=1"],
                options => ImageSources.Open(Images, options));
            File.WriteAllText(run.RecipePath, OptionsJson.Write(recipe).ToJsonString());
            using Backbone network = recipe.Backbone.Create(1, 16, seed);
            Encoder.Save(run.EncoderPath, network, recipe.Backbone,
                new Preprocessing(new HighPassOptions { Sigma = 0 }, [0.5], [0.25]), 1, 16, recipe.Data);
        }
    }

    public void Dispose() => _folder.Dispose();

    private string A => _folder.At("runs/a");

    private string B => _folder.At("runs/b");

    private string Images => _folder.At("images");

    private static async Task<(int ExitCode, string Output, string Error)> Run(params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        int exitCode = await Siam.RunAsync(arguments, output, error);
        return (exitCode, output.ToString(), error.ToString());
    }

    private async Task<string> Index(string name, params string[] more)
    {
        var (exitCode, _, error) = await Run(["embed", "--run", A, "--data", Images, "--out", _folder.At(name), .. more]);
        Assert.True(exitCode == 0, error);
        return _folder.At(name);
    }

    private static string Line(string error)
    {
        string[] lines = [.. error.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
        Assert.DoesNotContain("SiamSharp itself", error);
        return Assert.Single(lines, line => line.StartsWith("error:", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("x.npy")]
    [InlineData("x.parquet")]
    public async Task Search_EncoderOrDecodingOfAnother_IsRefusedWithBothNames(string name)
    {
        string index = await Index(name, "--set", "data.alpha=white"), query = Path.Combine(Images, "3.png");
        var (exitCode, output, error) = await Run("search", "--index", index, "--run", A, "--query", query, "--json");
        Assert.True(exitCode == 0, error);
        Assert.Equal(query, (string)JsonNode.Parse(output)!["results"]![0]!["path"]!);

        (exitCode, _, error) = await Run("search", "--index", index, "--run", B, "--query", query);
        Assert.Equal(1, exitCode);
        Assert.Contains($"made with the encoder of {A}", Line(error));
        Assert.Contains($"but {B} holds another one", error);

        // The index says how its images were decoded; only what is asked for otherwise differs.
        (exitCode, _, error) = await Run("search", "--index", index, "--run", A, "--query", query, "--set", "data.alpha=black");
        Assert.Equal(1, exitCode);
        Assert.Contains("data.alpha=white, but these are with data.alpha=black", Line(error));
    }

    [Fact]
    public async Task Search_IndexOfTheVersionBefore_SaysWhatCannotBeChecked()
    {
        string index = await Index("x.npy");
        File.Delete(index + ".json");
        var (exitCode, _, error) = await Run("search", "--index", index, "--run", B, "--query", Path.Combine(Images, "3.png"));
        Assert.Equal(0, exitCode);
        Assert.Contains("note: ", error);
        Assert.Contains("neither its encoder nor damage can be checked", error);
    }

    [Fact]
    public async Task Search_AnswersToMistakes_SayWhatToDo()
    {
        string index = await Index("x.parquet"), query = Path.Combine(Images, "3.png");
        async Task<string> Fails(int expected, params string[] more)
        {
            var (exitCode, _, error) = await Run(["search", "--run", A, .. more]);
            Assert.Equal(expected, exitCode);
            return Line(error);
        }
        Assert.Contains("does not exist", await Fails(1, "--index", _folder.At("absent.npy"), "--query", query));
        Assert.Contains("it is a folder", await Fails(1, "--index", Images, "--query", query));
        Assert.Contains("must end in .npy or .parquet", await Fails(1, "--index", query, "--query", query));
        Assert.Contains("absent.png", await Fails(1, "--index", index, "--query", _folder.At("absent.png")));
        Assert.Contains("which the command reads", await Fails(1, "--index", index, "--query", query, "--out", query));
        Assert.Contains("lies among the images of the index",
            await Fails(1, "--index", index, "--query", query, "--out", Path.Combine(Images, "found.png")));
        Assert.Equal(6, Directory.GetFiles(Images).Length);

        var (code, output, error) = await Run("search", "--run", A, "--index", index, "--query", query, "-k", "99", "--json");
        Assert.Equal((0, 6), (code, JsonNode.Parse(output)!["results"]!.AsArray().Count));
        Assert.Contains("-k is 99, but the index holds 6 images.", error);

        // Images that were moved since.
        Directory.Move(Images, _folder.At("moved"));
        (code, _, error) = await Run("search", "--run", A, "--index", index, "--query", _folder.At("moved/3.png"),
            "--out", _folder.At("sheet.png"));
        Assert.Equal(0, code);
        Assert.Contains("6 of the 6 images found are not where the index says", error);
        Assert.Contains("or give --data SRC", error);
        (_, _, error) = await Run("search", "--run", A, "--index", index, "--query", _folder.At("moved/3.png"),
            "--out", _folder.At("sheet.png"), "--data", _folder.At("moved"));
        Assert.Contains(
            $"The --data given, {_folder.At("moved")}, does not hold them: give the source that was embedded.", error);
        Assert.True(File.Exists(_folder.At("sheet.png")));
    }

    [Fact]
    public async Task Search_SeveralQueriesInColour_AreTold()
    {
        string index = await Index("x.parquet");
        for (int i = 0; i < 2; i++)
            TestImages.Save(TestImages.Make(3, 16, 16, (c, y, x) => (byte)(x * 9 + y * c)), _folder.At($"colours/{i}.png"));
        var (exitCode, _, error) = await Run("search", "--index", index, "--run", A, "--query", _folder.At("colours"));
        Assert.Equal(0, exitCode);
        Assert.Contains($"holds 2 images: the query is the first of them, {_folder.At("colours/0.png")}.", error);
        Assert.Contains("is RGB and becomes grey", error);
    }

    [Theory]
    [InlineData("x.npy")]
    [InlineData("x.parquet")]
    public async Task Embed_OverAnIndexOfAnotherEncoder_IsTold(string name)
    {
        string index = await Index(name);
        var (_, _, again) = await Run("embed", "--run", A, "--data", Images, "--out", index);
        Assert.DoesNotContain("another encoder", again);
        var (exitCode, _, error) = await Run("embed", "--run", B, "--data", Images, "--out", index);
        Assert.Equal(0, exitCode);
        Assert.Contains($"holds vectors of another encoder, {A}: they are replaced", error);
    }

    [Theory]
    [InlineData("embed", "x.npy")]
    [InlineData("embed", "x.parquet")]
    [InlineData("views", "x.png")]
    public async Task Out_IsAPipe_IsRefusedWithoutWaiting(string command, string name)
    {
        if (!OperatingSystem.IsLinux()) return;
        string pipe = _folder.At(name);
        using (var made = System.Diagnostics.Process.Start("mkfifo", [pipe]))
            await made.WaitForExitAsync(TestContext.Current.CancellationToken);
        var (exitCode, _, error) = await Run([command, "--data", Images, "--out", pipe,
            .. command == "embed" ? new[] { "--run", A } : []]);
        Assert.Equal(1, exitCode);
        Assert.Contains("exists and is another kind of file than", Line(error));
    }

    [Fact]
    public async Task Search_EmptyIndex_IsRefused()
    {
        using (var none = new EmbeddingTable(8, [], [], [])) EmbeddingFile.Write(_folder.At("x.npy"), none);
        foreach (string[] command in new string[][] { ["search", "--run", A, "--query", Path.Combine(Images, "3.png")],
            ["duplicates"], ["diverse"] })
        {
            var (exitCode, _, error) = await Run([.. command, "--index", _folder.At("x.npy")]);
            Assert.Equal(1, exitCode);
            Assert.Contains("it holds no vectors", Line(error));
        }
    }

    [Fact]
    public async Task Duplicates_GroupOfALargePart_IsTold()
    {
        string index = await Index("x.npy");
        var (exitCode, output, error) = await Run("duplicates", "--index", index, "--threshold", "0.0001");
        Assert.Equal(0, exitCode);
        Assert.Contains("group 1", output);
        Assert.Contains("6 of the 6 images", error);
        Assert.Contains("--threshold", error);
        (_, _, error) = await Run("duplicates", "--index", index, "--threshold", "1");
        Assert.DoesNotContain("note:", error);
    }
}

using System.Diagnostics;
using System.Text.Json.Nodes;
using SiamSharp.Training;
using Xunit;

namespace SiamSharp.Tests.Cli;

/// <summary>A study and its runs as processes.</summary>
public sealed class StudyCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("study").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string StudyFile(string name, string test = "#9800..", string second = "training.epochs=2")
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, $$"""
            {
              // Two small rows.
              "pretrain": "fashion-mnist:sample#..400", "test": "fashion-mnist:sample{{test}}",
              "protocols": ["knn", "rankme"], "seeds": [1, 2],
              "recipe": { "backbone": { "width": 16, "depths": [1], "stem": "half" }, "optimizer": { "warmupEpochs": 0 },
                          "training": { "epochs": 2, "batchSize": 50, "checkpointSteps": 1 } },
              "rows": [{ "name": "naive masks", "recipe": { "views": { "preset": "naive-mask" } } },
                       { "name": "+ high-pass", "set": ["{{second}}"] }],
            }
            """);
        return path;
    }

    private static async Task WaitUntil(Func<bool> holds)
    {
        for (int waits = 0; !holds(); waits++)
        {
            Assert.True(waits < 15_000, "nothing happened for five minutes");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Whether no process holds the lock any more; the file itself stays.</summary>
    private static bool IsFree(string lockFile)
    {
        try
        {
            using var held = new FileStream(lockFile, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private string Out(string name) => Path.Combine(_folder, name);

    [Fact(Explicit = true)] // slow
    public async Task Study_KilledAndStartedAgain_EndsWithTheSameTable()
    {
        string file = StudyFile("study.json");
        SiamProcess.Ended whole = await SiamProcess.Run("study", file, "--out", Out("whole"), "--json");
        Assert.Equal(0, whole.ExitCode);
        JsonNode table = JsonNode.Parse(whole.Output)!["table"]!;
        Assert.Equal(["pixels", "untrained", "naive masks", "+ high-pass"],
            table["rows"]!.AsArray().Select(r => (string)r!["name"]!));
        Assert.Null(table["rows"]![0]!["cells"]![1]); // no RankMe of pixels
        Assert.All(table["rows"]!.AsArray().Skip(1), r => Assert.Equal(2, (int)r!["cells"]![0]!["runs"]!));

        string page = File.ReadAllText(Path.Combine(Out("whole"), "report.html"));
        foreach (string each in new[] { "naive-masks-1", "naive-masks-2", "high-pass-1", "high-pass-2" })
        {
            Assert.Matches($"{each}: (Too few steps|Healthy|Collapsed|Too fast)", page);
            Assert.Contains("What it is worth", File.ReadAllText(Path.Combine(Out("whole"), each, "report.html")));
        }
        SiamProcess.Ended ofRun = await SiamProcess.Run("report", Path.Combine(Out("whole"), "naive-masks-1"),
            "--data", "fashion-mnist:sample#..60", "--json");
        Assert.Equal(0, ofRun.ExitCode);
        Assert.Equal(60, File.ReadAllText((string)JsonNode.Parse(ofRun.Output)!["file"]!).Split("<circle ").Length - 1);
        SiamProcess.Ended ofStudy = await SiamProcess.Run("report", Out("whole"), "--data", "fashion-mnist:sample");
        Assert.Equal(2, ofStudy.ExitCode);
        Assert.Contains("Name one of the runs in it for a map", ofStudy.Error);

        // Killed while a run is at work: that run notices, saves and ends by itself.
        string lockFile = Path.Combine(Out("killed"), "high-pass-1", ".lock");
        using (Process process = SiamProcess.Start("study", file, "--out", Out("killed"), "--jobs", "1"))
        {
            while (await process.StandardError.ReadLineAsync() is { } line && line != "started high-pass-1") { }
            await WaitUntil(() => File.Exists(lockFile));
            process.Kill();
            await process.WaitForExitAsync();
        }
        await WaitUntil(() => IsFree(lockFile));

        SiamProcess.Ended again = await SiamProcess.Run("study", file, "--out", Out("killed"));
        Assert.Equal((0, true), (again.ExitCode, again.Error.Contains("of 4 runs are done already", StringComparison.Ordinal)));
        foreach (string name in new[] { "table.md", "table.json", "high-pass-1/metrics.jsonl", "naive-masks-2/evaluation.json" })
            Assert.Equal(File.ReadAllText(Path.Combine(Out("whole"), name)), File.ReadAllText(Path.Combine(Out("killed"), name)));

        // Scores on other images that someone adds to a run do not enter the table.
        var run = new RunFolder(Path.Combine(Out("whole"), "naive-masks-1"));
        run.AddScores([.. run.ReadScores().Select(s => s with { Value = 0.5, DataHash = "others" })]);
        string before = File.ReadAllText(Path.Combine(Out("whole"), "table.md"));
        Assert.Equal(0, (await SiamProcess.Run("study", file, "--out", Out("whole"))).ExitCode);
        Assert.Equal(before, File.ReadAllText(Path.Combine(Out("whole"), "table.md")));

        // Scores of one run in another's place are not believed.
        File.Copy(Path.Combine(Out("whole"), "high-pass-1", "study-scores.json"),
            Path.Combine(Out("whole"), "naive-masks-1", "study-scores.json"), overwrite: true);
        Assert.Contains("3 of 4 runs are done already", (await SiamProcess.Run("study", file, "--out", Out("whole"))).Error);
        Assert.Equal(before, File.ReadAllText(Path.Combine(Out("whole"), "table.md")));

        // The same folder is not for other images, nor for other recipes.
        SiamProcess.Ended images = await SiamProcess.Run("study",
            StudyFile("images.json", test: "#9900.."), "--out", Out("whole"));
        Assert.Equal(1, images.ExitCode);
        Assert.Contains("on other images (test was", images.Error);
        SiamProcess.Ended recipe = await SiamProcess.Run("study",
            StudyFile("recipe.json", second: "training.epochs=3"), "--out", Out("whole"));
        Assert.Equal(1, recipe.ExitCode);
        Assert.Contains("training.epochs: the run has 2, asked for is 3", recipe.Error);
    }

    [Fact]
    public async Task Study_RunThatFails_IsNamedAndTheOthersGoOn()
    {
        foreach (string taken in new[] { "high-pass-1", "high-pass-2" })
        {
            Directory.CreateDirectory(Out("out"));
            File.WriteAllText(Path.Combine(Out("out"), taken), "");
        }
        SiamProcess.Ended ended = await SiamProcess.Run("study", StudyFile("study.json"), "--out", Out("out"), "--json");
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains(
            $"high-pass-1 failed: The run folder {Path.Combine(Out("out"), "high-pass-1")} cannot be written to", ended.Error);
        JsonNode result = JsonNode.Parse(ended.Output)!;
        Assert.Equal(["high-pass-1", "high-pass-2"], result["failed"]!.AsArray().Select(n => (string)n!).Order());
        Assert.Equal(2, (int)result["table"]!["rows"]![2]!["cells"]![0]!["runs"]!);
        Assert.Contains("cannot be written to", File.ReadAllText(Path.Combine(Out("out"), "high-pass-2.log")));
        Assert.True(File.Exists(new RunFolder(Path.Combine(Out("out"), "naive-masks-1")).EncoderPath));
    }

    [Fact]
    public async Task Study_RowWithMoreImagesAStepThanThereAre_IsRefusedBeforeARunBegins()
    {
        SiamProcess.Ended ended = await SiamProcess.Run("study",
            StudyFile("study.json", second: "training.batchSize=401"), "--out", Out("out"));
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains("Row \"+ high-pass\": A step needs training.batchSize = 401 images, "
            + "but fashion-mnist:sample#..400 has 400 readable images. "
            + "Give more images, or \"set\": [\"training.batchSize=200\"] in that row.", ended.Error);
        Assert.False(Directory.Exists(Path.Combine(Out("out"), "naive-masks-1")));
    }

    [Fact]
    public async Task Study_RowWhoseWeightsAreNotThere_IsRefusedBeforeARunBegins()
    {
        SiamProcess.Ended ended = await SiamProcess.Run("study",
            StudyFile("study.json", second: "backbone.weights=none.pth"), "--out", Out("out"));
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains("Row \"+ high-pass\": backbone.weights: the file \"none.pth\" does not exist", ended.Error);
        Assert.False(Directory.Exists(Path.Combine(Out("out"), "naive-masks-1")));
    }

    [Fact]
    public async Task Study_OnlyUnknownRun_NamesThoseThereAre()
    {
        SiamProcess.Ended ended = await SiamProcess.Run("study", StudyFile("study.json"), "--out", Out("out"), "--only", "x-1");
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("naive-masks-1, high-pass-1", ended.Error);
    }
}

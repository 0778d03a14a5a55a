using System.Text.Json.Nodes;
using SiamSharp.Cli;
using SiamSharp.Data;
using SiamSharp.Tests.Data;
using Xunit;

namespace SiamSharp.Tests.Cli;

/// <summary>Exit codes and words of the commands.</summary>
public sealed class CommandTests
{
    private static async Task<(int ExitCode, string Output, string Error)> Run(params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        int exitCode = await Siam.RunAsync(arguments, output, error);
        return (exitCode, output.ToString(), error.ToString());
    }

    private static async Task<JsonNode> Json(params string[] arguments)
    {
        var (exitCode, output, error) = await Run([.. arguments, "--json"]);
        Assert.True(exitCode == 0, error);
        return JsonNode.Parse(output)!;
    }

    /// <summary>Two classes of real pictures: stripes across and stripes down, at random phases.</summary>
    private static void SaveStripes(TempFolder folder, string name, int seed)
    {
        var random = new Random(seed);
        foreach (bool across in new[] { true, false })
            for (int i = 0; i < 12; i++)
            {
                int phase = random.Next(6), shade = random.Next(40);
                TestImages.Save(TestImages.Make(1, 16, 16,
                    (_, y, x) => (byte)(((across ? y : x) + phase) / 3 % 2 * 180 + shade + (x * y % 7))),
                    folder.At($"{name}/{(across ? "across" : "down")}/{i}.png"));
            }
    }

    [Fact]
    public async Task PretrainThenEvaluate_FolderOfTwoClasses_GivesScoresOfTheContract()
    {
        using var folder = new TempFolder();
        SaveStripes(folder, "train", 1);
        SaveStripes(folder, "test", 2);
        string run = folder.At("run");
        JsonNode pretrained = await Json("pretrain", "--data", folder.At("train"), "--out", run,
            "--set", "data.size=16", "--set", "backbone.width=16",
            "--set", "backbone.depths=[1]", "--set", "training.epochs=2", "--set", "training.batchSize=12",
            "--set", "training.threads=1");
        Assert.Equal(4, (int)pretrained["steps"]!);
        Assert.All(
            ["recipe.json", "metrics.jsonl", "checkpoint.safetensors", "encoder.safetensors", "skipped.jsonl", "report.html"],
            name => Assert.True(File.Exists(Path.Combine(run, name)), name));

        JsonArray results = (await Json("evaluate", "knn", "--run", run, "--train", folder.At("train"),
            "--test", folder.At("test")))["results"]!.AsArray();
        Assert.Equal(["pixels", "untrained", "pretrained"], results.Select(r => (string)r!["encoder"]!));
        Assert.All(results, r =>
        {
            Assert.Equal(["protocol", "encoder", "metric", "value", "k", "shots", "seed", "train_count", "test_count",
                "test_in_train", "train", "test", "data_hash", "penalty", "xxhash128"],
                r!.AsObject().Select(p => p.Key).Where(key => key is not ("notes" or "encoder_hash")));
            Assert.Equal((string)r["encoder"]! == "pretrained" ? 32 : null, ((string?)r["encoder_hash"])?.Length);
            Assert.Equal(("knn", "top1", 24, 24),
                ((string)r["protocol"]!, (string)r["metric"]!, (int)r["train_count"]!, (int)r["test_count"]!));
            Assert.InRange((double)r["value"]!, 0, 1);
        });
        Assert.True(JsonNode.DeepEquals(results, JsonNode.Parse(File.ReadAllText(Path.Combine(run, "evaluation.json")))));

        JsonArray all = (await Json("evaluate", "all", "--run", run, "--train", folder.At("train"), "--test", folder.At("test"),
            "--set", "evaluation.shots=[2]", "--set", "evaluation.baselines=false"))["results"]!.AsArray();
        Assert.Equal(["knn", "linear", "few-shot", "rankme"], all.Select(r => (string)r!["protocol"]!));
        Assert.True(JsonNode.DeepEquals(results[2], all[0]));

        var (exitCode, _, error) = await Run("evaluate", "knn", "--run", run, "--train", folder.At("train"),
            "--test", folder.At("test"), "--set", "views.preset=crop");
        Assert.Equal(2, exitCode);
        Assert.Contains("belongs to the run", error);
        (exitCode, _, error) = await Run("pretrain", "--data", folder.At("train"), "--out", run);
        Assert.Equal(1, exitCode);
        Assert.Contains("--resume", error);
    }

    [Fact]
    public async Task DataInspect_Json_IsTheInspection()
    {
        JsonNode found = await Json("data", "inspect", "fashion-mnist:sample");
        Assert.Equal((10_000, 1, 10), ((int)found["readable"]!, (int)found["channels"]!, found["classes"]!.AsArray().Count));
        Assert.Equal((0f, 1f), ((float)found["min"]!, (float)found["max"]!));
    }

    [Fact]
    public async Task Views_Sample_WritesTheSheet()
    {
        using var folder = new TempFolder();
        string file = folder.At("views.png");
        Assert.Equal(file, (string)(await Json("views", "--data", "fashion-mnist:sample", "--out", file))["file"]!);
        Assert.Equal("PNG"u8, File.ReadAllBytes(file).AsSpan(1, 3));
    }

    [Fact]
    public async Task Options_All_HaveValueAndMeaning()
    {
        JsonArray options = (await Json("options")).AsArray();
        Assert.True(options.Count > 60);
        Assert.All(options, o => Assert.NotEmpty((string)o!["meaning"]!));
        JsonNode epochs = options.Single(o => (string)o!["path"]! == "training.epochs")!;
        Assert.Equal(("100", "1 to 100000"), ((string)epochs["value"]!, (string)epochs["allowed"]!));
        Assert.Contains("byol", (string)options.Single(o => (string)o!["path"]! == "method.name")!["allowed"]!);
        // Every path listed is one that --set takes.
        foreach (JsonNode? option in options)
            Assert.NotEmpty(
                (await Json("options", (string)option!["path"]!, "--set", $"{option["path"]}={option["value"]}")).AsArray());
        Assert.Equal(2, (await Run("options", "nothing")).ExitCode);
    }

    [Fact]
    public async Task Doctor_Here_FindsALibraryThatWorks()
    {
        JsonNode report = await Json("doctor");
        Assert.True((bool)report["torch"]!["works"]!);
        Assert.Null((string?)report["data"]![0]!["problem"]);
    }

    [Theory]
    [InlineData(1, "nowhere", "data", "inspect", "nowhere")]
    [InlineData(1, "There is no folder", "evaluate", "knn", "--run", "nowhere", "--train", "fashion-mnist:sample",
        "--test", "fashion-mnist:sample")]
    [InlineData(1, "There is no folder", "report", "nowhere")]
    [InlineData(2, "there is no command 'pretend'", "pretend")]
    [InlineData(2, "choose one of: knn, linear, few-shot, rankme, all, linear-sgd, fine-tune, corruption",
        "evaluate", "svm", "--run", "x")]
    [InlineData(2, "--data", "pretrain", "--out", "x")]
    [InlineData(2, "must end in .png", "views", "--data", "fashion-mnist:sample", "--out", "x.jpg")]
    [InlineData(2, "training.epoch", "pretrain", "--data", "fashion-mnist:sample", "--out", "x", "--set", "training.epoch=3")]
    [InlineData(2, "views.branches.0.masks.0.cell", "pretrain", "--data", "fashion-mnist:sample", "--out", "x",
        "--set", "views.branches.0.masks.0.cell=2000")]
    public async Task Mistake_Any_IsOneReadableLine(int expected, string word, params string[] arguments)
    {
        var (exitCode, output, error) = await Run(arguments);
        Assert.Equal(expected, exitCode);
        Assert.Empty(output);
        Assert.Contains(word, error);
        Assert.StartsWith("error: ", error);
        Assert.DoesNotContain("   at ", error);
        (exitCode, output, _) = await Run([.. arguments, "--json"]);
        Assert.Equal(expected, exitCode);
        JsonNode failure = JsonNode.Parse(output)!;
        Assert.Contains(word, (string)failure["error"]!);
        Assert.Equal(expected, (int)failure["exitCode"]!);
    }

    [Fact]
    public async Task Pretrain_IntoTheImagesFolder_IsRefused()
    {
        using var folder = new TempFolder();
        SaveStripes(folder, "train", 1);
        var (exitCode, _, error) = await Run("pretrain", "--data", folder.At("train"), "--out", folder.At("train/run"));
        Assert.Equal(1, exitCode);
        Assert.Contains("lies within the folder of images", error);
        Assert.False(Directory.Exists(folder.At("train/run")));
    }

    [Fact]
    public async Task DataInspect_PagesOfDifferentNumbers_IsOneError()
    {
        using var folder = new TempFolder();
        foreach (int pages in new[] { 2, 3 })
        {
            using var stack = NetVips.Image.Arrayjoin(
                [.. Enumerable.Range(0, pages).Select(page => VipsPixels.ToImage(TestImages.Rgb(8, 8)))], across: 1);
            using var saved = stack.Mutate(m => m.Set(NetVips.GValue.GIntType, "page-height", 8));
            saved.WriteToFile(folder.At($"{pages}.tif"));
        }
        var (exitCode, _, error) = await Run("data", "inspect", folder.Root, "--set", "data.pages=channels");
        Assert.Equal(1, exitCode);
        Assert.StartsWith("error: All images of", error);
        Assert.Contains("1 with 6 (such as", error);
        Assert.DoesNotContain("data.channels", error);
    }

    [Fact]
    public async Task Views_FloatsThatAreNotScaled_AreRefusedAsByPretrain()
    {
        using var folder = new TempFolder();
        TestImages.Save(TestImages.Make(1, 20, 20, (_, y, x) => (float)(y * 8 + x)), folder.At("a/1.tif"));
        var (exitCode, _, error) = await Run("views", "--data", folder.At("a"), "--out", folder.At("v.png"),
            "--set", "views.preset=paper");
        Assert.Equal(1, exitCode);
        Assert.Contains(" or change the images: divide them by 255, or save them as 8-bit integers.", error);
        Assert.False(File.Exists(folder.At("v.png")));
    }

    [Fact]
    public async Task DataInspect_FolderNamedLikeABuiltInSet_IsTold()
    {
        using var folder = new TempFolder();
        folder.Write("fashion-mnist/a.png", "x");
        SiamProcess.Ended ended = await SiamProcess.RunIn(folder.Root, "data", "inspect", "fashion-mnist#..10");
        Assert.Contains("write ./fashion-mnist for it.", ended.Output + ended.Error);
    }

    [Fact]
    public async Task DataInspect_MixedChannelsAndBlankImages_DescribesThem()
    {
        using var folder = new TempFolder();
        TestImages.Save(TestImages.Rgb(20, 20), folder.At("a/1.png"));
        TestImages.Save(TestImages.Make(1, 20, 20, (_, _, _) => (byte)9), folder.At("a/2.png"));
        JsonNode found = await Json("data", "inspect", folder.At("a"));
        Assert.Equal((2, 3, 1), ((int)found["readable"]!, (int)found["channels"]!, (int)found["blank"]!));
        var (_, output, error) = await Run("data", "inspect", folder.At("a"));
        Assert.DoesNotContain("note:", error);
        Assert.Contains("1 of 2 images is grey and becomes RGB", output);
        Assert.Contains("1 of 2 images is blank, of one colour only", output);
    }
}

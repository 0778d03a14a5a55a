using System.Text.Json.Nodes;
using SiamSharp.Cli;
using SiamSharp.Tests.Data;
using Xunit;

namespace SiamSharp.Tests.Cli;

/// <summary>What a first-time user gets wrong: each answer names what was found and what to write instead.</summary>
public sealed class MistakesTests : IClassFixture<MistakesTests.World>
{
    private readonly World _world;

    public MistakesTests(World world) => _world = world;

    /// <summary>Photographs, a classifier's classes, a finished run with an index and a classifier,
    /// and an unfinished one.</summary>
    public sealed class World : IDisposable
    {
        private readonly TempFolder _folder = new();
        private readonly string _root;

        public World()
        {
            _root = Path.GetDirectoryName(_folder.At("x"))!;
            for (int i = 0; i < 8; i++)
            {
                TestImages.Save(TestImages.Make(3, 16, 16, (c, y, x) => (byte)(x * 13 + y * 7 * (i + 1) + c * 40)),
                    _folder.At($"photos/{i}.png"));
                foreach (string name in new[] { "cat", "dog" })
                    TestImages.Save(TestImages.Make(3, 16, 16, (c, y, x) => (byte)((name == "cat" ? x : y) * 15 + i * 9 + c)),
                        _folder.At($"classes/{name}/{i}.png"));
            }
            Directory.CreateDirectory(_folder.At("empty"));
            File.WriteAllText(_folder.At("notes.txt"), "hello");
            TestImages.Save(TestImages.Make(3, 16, 16, (c, y, x) => (byte)(x * 13 + y)), _folder.At("mixed/0.png"));
            foreach (string name in new[] { "1", "2" }) File.WriteAllText(_folder.At($"mixed/{name}.png"), "no image");
            File.WriteAllText(_folder.At("labels.csv"), "path,label\n0.png,a\n1.png,b\n");
            File.WriteAllText(_folder.At("manifest.csv"), "path,label\nphotos/0.png,a\nphotos/1.png,b\n");
            Directory.CreateSymbolicLink(_folder.At("linked"), _folder.At("photos"));
            Directory.CreateSymbolicLink(_folder.At("dangling"), "/nowhere/run");
            File.WriteAllText(_folder.At("lost-study.json"),
                """{ "pretrain": "photos", "test": "classes", "rows": [{ "name": "a" }] }""");
            Check("pretrain", "--data", "@classes", "--out", "@run", "--recipe", "simclr", "--set", "data.size=16",
                "--set", "backbone.depths=[1]", "--set", "training.epochs=1",
                "--set", "training.batchSize=8", "--set", "training.threads=1");
            Check("embed", "--run", "@run", "--data", "@classes", "--out", "@index.parquet");
            Check("classify", "fit", "--run", "@run", "--data", "@classes", "--out", "@classifier.safetensors");
            Directory.CreateDirectory(_folder.At("unfinished"));
            foreach (string name in new[] { "recipe.json", "metrics.jsonl", "checkpoint.safetensors" })
                File.Copy(_folder.At($"run/{name}"), _folder.At($"unfinished/{name}"));
            Directory.CreateDirectory(_folder.At("lost"));
            foreach (string name in new[] { "metrics.jsonl", "checkpoint.safetensors" })
                File.Copy(_folder.At($"run/{name}"), _folder.At($"lost/{name}"));
            File.WriteAllText(_folder.At("a-study.json"), """{ "pretrain": "photos", "test": "classes", "rows": [] }""");
            File.WriteAllText(_folder.At("a-recipe.json"), """{ "training": { "epochs": 1 } }""");
            File.WriteAllText(_folder.At("archive.zip"), "PK\u0003\u0004 model.onnx");
            File.WriteAllText(_folder.At("appsettings.json"),
                """{ "Logging": {}, "SiamSharp": { "training": { "epochs": 1 } } }""");
            File.WriteAllText(_folder.At("powershell.json"), """{ "training": "@{epochs=1}", "backbone": "@{width=16}" }""");
            File.WriteAllText(_folder.At("listing.json"),
                "The values shown are for grey images of 28 px.\nmethod.name = simclr\n");
            File.WriteAllText(_folder.At("varied-study.json"), """{ "pretrain": "photos", "test": "classes" """
                + """, "rows": [{ "name": "a", "vary": "method.temperature", "values": [0.2, 0.2] }] }""");
            File.WriteAllText(_folder.At("two-sources.json"),
                """{ "pretrain": ["photos", "classes"], "test": "classes", "rows": [{ "name": "a" }] }""");
            Directory.CreateDirectory(_folder.At("runs/a"));
            foreach (string name in new[] { "recipe.json", "metrics.jsonl", "checkpoint.safetensors" })
                File.Copy(_folder.At($"run/{name}"), _folder.At($"runs/a/{name}"));
            File.WriteAllText(_folder.At("a-list.json"), "[1, 2]");
            File.WriteAllText(_folder.At("nested.json"), """{ "training": { "optimizer": { "learningRate": 0.1 } } }""");
            Directory.CreateDirectory(_folder.At("mine"));
            File.WriteAllText(_folder.At("mine/recipe.json"), """{ "flour": 500 }""");
            Directory.CreateDirectory(_folder.At("table"));
            File.WriteAllText(_folder.At("table/table.json"), "{}");
            File.WriteAllText(_folder.At("dotted.json"), """{ "training.epochs": 1 }""");
            File.WriteAllText(_folder.At("curly.json"), "{ \u201Ctraining\u201D: { \u201Cepochs\u201D: 1 } }");
            File.WriteAllText(_folder.At("named-study.json"),
                """{ "pretrain": "photos", "test": "classes", "recipe": "simclr", "rows": [{ "name": "a" }] }""");
            File.WriteAllText(_folder.At("stopped.parquet.partial"), "");
            File.Copy(_folder.At("index.parquet"), _folder.At("renamed.npy"));
            Directory.CreateDirectory(_folder.At("study"));
            File.WriteAllText(_folder.At("study/study.json"), "{}");
        }

        /// <summary>Arguments in which @ stands for the folder.</summary>
        public string[] Arguments(params string[] arguments) =>
            [.. arguments.Select(a => a.StartsWith('@') ? Path.Combine(_root, a[1..]) : a)];

        private void Check(params string[] arguments)
        {
            using StringWriter output = new(), error = new();
            int exitCode = Siam.RunAsync(Arguments(arguments), output, error).GetAwaiter().GetResult();
            Assert.True(exitCode == 0, error.ToString());
        }

        public string[] Files() => [.. Directory.GetFiles(_root, "*", SearchOption.AllDirectories).Order()];

        public void Dispose() => _folder.Dispose();
    }

    [Fact]
    public async Task LoneHyphens_KeptFromDotnetRun_AreTold()
    {
        using StringWriter output = new(), error = new();
        Assert.Equal(2, await Siam.RunAsync(["pretrain", "--", "--data", "photos", "--out", "new"], output, error));
        Assert.Contains("leave out the -- that stands alone", error.ToString());
    }

    [Theory]
    [InlineData("quickstart", "--out", "@classes")]
    [InlineData("pretrain", "--data", "@photos", "--out", "@classes")]
    public async Task Out_FolderOfFoldersOfImages_IsRefused(params string[] arguments)
    {
        string[] before = _world.Files();
        using StringWriter output = new(), error = new();
        Assert.Equal(1, await Siam.RunAsync(_world.Arguments(arguments), output, error));
        Assert.Contains("holds folders of images (cat, dog), and what is written would lie among them. Choose a new folder.",
            error.ToString());
        Assert.Equal(before, _world.Files());
    }

    [Fact]
    public async Task Evaluate_SeveralFaults_AreOneLineEach()
    {
        using StringWriter output = new(), error = new();
        Assert.Equal(1, await Siam.RunAsync(
            _world.Arguments("evaluate", "knn", "--run", "@run", "--train", "@photos", "--test", "@photos"), output, error));
        Assert.StartsWith("error: 2 things are to be mended before anything can be judged:\n  ",
            error.ToString().ReplaceLineEndings("\n"));
        Assert.DoesNotContain("\\n", error.ToString());
    }

    [Fact]
    public async Task StandardOutput_IsFull_IsAFailure()
    {
        if (!OperatingSystem.IsLinux()) return;
        string siam = $"dotnet {Path.Combine(AppContext.BaseDirectory, "siam.dll")} data inspect fashion-mnist:sample#..9";
        using var process = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("sh", ["-c", $"{siam} > /dev/full"]) { RedirectStandardError = true })!;
        string error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Contains("The result could not be written to standard output (No space left", error);
        Assert.Equal(1, process.ExitCode);
    }

    [Fact]
    public void Failure_OfLibtorch_IsOneLineWithoutItsTrace()
    {
        using StringWriter output = new(), error = new();
        var screen = new SiamSharp.Cli.Terminal.Screen(output, error, json: false);
        Failure.Show(Thrown("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory\n"
            + "frame #0: c10::ThrowEnforceNotMet"), screen);
        Failure.Show(Thrown("mat1 and mat2 must have the same dtype\n"
            + "Exception raised from x at y.cpp:1 (most recent call first):\nframe #0: c10::Error"), screen);
        Assert.Collection(error.ToString().Trim().Split('\n'), line => Assert.StartsWith("error: The memory is not enough", line),
            line => Assert.StartsWith("error: libtorch: mat1 and mat2 must have the same dtype. (", line));
    }

#pragma warning disable CA2201 // as TorchSharp throws it
    private static System.Runtime.InteropServices.ExternalException Thrown(string message) => new(message);
#pragma warning restore CA2201

    [Fact]
    public async Task Resume_WithARecipeThatDoesNotGoWithTheRun_SaysSoFirst()
    {
        using StringWriter output = new(), error = new();
        Assert.Equal(2, await Siam.RunAsync(_world.Arguments("pretrain", "--data", "@classes", "--out", "@run",
            "--resume", "--set", "backbone.poolSize=64"), output, error));
        Assert.Contains("holds a run, and what is given does not go with its recipe: leave out --set", error.ToString());
    }

    [Theory]
    // Names.
    [InlineData(2, "Did you mean siam data inspect?", "inspect", "@photos")]
    [InlineData(2, "begins with a long dash, as text programs make of two hyphens: write --data", "pretrain", "\u2013data",
        "@photos", "\u2013out", "@new")]
    [InlineData(2, "Did you mean --set training.seed=2?", "pretrain", "--data", "@photos", "--out", "@new",
        "--set", "training.seed", "=", "2")]
    [InlineData(2, "the threshold belongs to the classifier", "classify", "predict", "--model", "@classifier.safetensors",
        "--data", "@photos", "--threshold", "0.5")]
    [InlineData(2, "--recipe runs/a/recipe.json", "views", "--run", "runs/a", "--out", "v.png")]
    [InlineData(1, "is the folder of a run, not of images", "pretrain", "--data", "@run", "--out", "@new")]
    [InlineData(1, "Make one with `siam embed", "diverse", "--index", "@classifier.safetensors")]
    [InlineData(2, "--index takes one name, but there are ", "duplicates",
        "--index", "@index.parquet", "@classifier.safetensors")]
    [InlineData(1, "is no classifier: it is a zip archive, but not one that torch.save has written. "
        + "Give the .safetensors file that `siam classify fit` wrote",
        "classify", "predict", "--model", "@archive.zip", "--data", "@photos")]
    [InlineData(2, "DIR is empty: a variable that is not set?", "report", "")]
    [InlineData(2, "--index is empty: a variable that is not set? Give --index", "duplicates", "--index", " ")]
    [InlineData(2, "--data is empty: a variable that is not set?", "pretrain", "--data", "", "--out", "@new")]
    [InlineData(2, "A command that goes on in the next line ends in ", "pretrain", "--data", "@photos", "\\", "--out", "@new")]
    [InlineData(2, "leave out --resume: the same siam embed goes on", "embed", "--run", "@run", "--data", "@classes",
        "--out", "@v.npy", "--resume")]
    [InlineData(2, "Each setting has its own: --set training.epochs=2 --set training.seed=2", "pretrain", "--data", "@photos",
        "--out", "@new", "--set", "training.epochs=2", "training.seed=2")]
    [InlineData(2, "each setting has its own --set: --set training.seed=2", "views", "--data", "@photos", "--out", "@v.png",
        "--set", "training.epochs=2 training.seed=2")]
    [InlineData(2, "was given all of 'photos --out new': the closing quote stands too late", "pretrain",
        "--data", "photos --out new")]
    [InlineData(2, "Here / stands between folders: write runs/a", "pretrain", "--data", "@photos", "--out", "runs\\a")]
    [InlineData(2, "$HOME was not replaced: within single quotes", "pretrain", "--data", "@photos", "--out", "$HOME/run")]
    [InlineData(1, "$HOME was not replaced: within single quotes", "data", "inspect", "$HOME/photos")]
    [InlineData(1, "%USERPROFILE% was not replaced", "data", "inspect", "%USERPROFILE%/photos")]
    [InlineData(1, "images are not read from standard input", "data", "inspect", "-")]
    [InlineData(1, "names 2 sources where one is taken", "data", "inspect", "fashion-mnist:sample#..5,fashion-mnist:sample#..9")]
    [InlineData(1, "has one part too many: behind a source # takes a share, as in fashion-mnist:sample#train", "data", "inspect",
        "fashion-mnist:sample:train")]
    [InlineData(1, "a list of labels goes with a folder only", "data", "inspect", "@notes.txt@labels.csv")]
    [InlineData(1, "behind @ comes a file of labels, and", "data", "inspect", "@classes@cat")]
    [InlineData(1, "names no file of labels behind @", "data", "inspect", "@photos@")]
    [InlineData(1, "holds the folder of the images", "pretrain", "--data", "@photos", "--out", "@")]
    [InlineData(1, "There is no run in", "pretrain", "--data", "@photos", "--out", "@nothing-here",
        "--resume", "--set", "training.batchSize=100")]
    [InlineData(1, "Give a source of more", "report", "@run", "--data", "@classes#..2")]
    [InlineData(2, "changes nothing here; data.* does", "report", "@run", "--data", "@classes", "--set", "views.preset=paper")]
    [InlineData(2, "docs/STUDIES.md shows how one is written", "study", "@photos", "--out", "@new")]
    [InlineData(1, "it is the folder of a run: give it as --run", "duplicates", "--index", "@run")]
    [InlineData(1, "it is not there yet: a `siam embed` to it was stopped", "duplicates", "--index", "@stopped.parquet")]
    [InlineData(1, "is an image. Embed images first", "duplicates", "--index", "@photos/0.png")]
    [InlineData(1, "let its name end in .parquet", "duplicates", "--index", "@renamed.npy")]
    [InlineData(1, "files that end in .parquet hold vectors", "data", "inspect", "@index.parquet")]
    [InlineData(1, "Give another image, or an undamaged copy of it", "search", "--index", "@index.parquet",
        "--run", "@run", "--query", "@mixed/1.png")]
    [InlineData(2, "write the number alone, without \"px\"", "views", "--data", "@photos",
        "--out", "@v.png", "--set", "data.size=32px")]
    [InlineData(2, "is not a list, such as [1,1]", "views", "--data", "@photos", "--out", "@v.png",
        "--set", "backbone.depths=[1,1")]
    [InlineData(2, "write it without spaces around =: training.epochs=1", "views", "--data", "@photos", "--out", "@v.png",
        "--set", "training.epochs = 1")]
    [InlineData(2, "\"lots\" is not a number, 0 to 1024", "views", "--data", "@photos", "--out", "@v.png",
        "--set", "data.memoryGiB=lots")]
    [InlineData(2, "there is one, number 0", "views", "--data", "@photos", "--out", "@v.png",
        "--set", "views.branches.5.size=16")]
    [InlineData(2, "did you mean cuda?", "views", "--data", "@photos", "--out", "@v.png", "--set", "training.device=gpu")]
    [InlineData(2, "weights are not downloaded by their names", "pretrain", "--data", "@photos", "--out", "@new",
        "--set", "backbone.weights=IMAGENET1K_V1", "--set", "training.batchSize=4")]
    [InlineData(2, "This is an address, and nothing is downloaded", "pretrain", "--data", "@photos", "--out", "@new",
        "--set", "backbone.weights=https://a.example/b.pth", "--set", "training.batchSize=4")]
    [InlineData(2, "2 is there 2 times: give each number once", "evaluate", "few-shot", "--run", "@run", "--train", "@classes",
        "--test", "@classes", "--set", "evaluation.shots=[2,2]")]
    [InlineData(2, "only moco-v2, swav have it: siam options method.queueSize --set method=moco-v2",
        "options", "method.queueSize")]
    [InlineData(2, "is for pixels up to 255, it seems", "embed", "--backbone", "resnet18", "--weights", "@classifier.safetensors",
        "--data", "@classes", "--out", "@v.npy", "--mean", "124,117,104")]
    [InlineData(2, "is a file of a run, but not its recipe", "pretrain", "--data", "@photos", "--out", "@new",
        "--recipe", "@run/metrics.jsonl")]
    [InlineData(2, "write {\"training\": {\"epochs\": 1}}", "pretrain", "--data", "@photos",
        "--out", "@new", "--recipe", "@dotted.json")]
    [InlineData(2, "it has curly quotes", "pretrain", "--data", "@photos", "--out", "@new", "--recipe", "@curly.json")]
    [InlineData(2, "is not an object, such as {", "study", "@named-study.json", "--out", "@new")]
    [InlineData(1, "#FIRST..END goes by the order of the files", "classify", "fit", "--run", "@run",
        "--data", "@classes#..8", "--out", "@new.safetensors")]
    [InlineData(2, "write views.branches.0.count=3", "views", "--data", "@photos", "--out", "@v.png",
        "--set", "views.branches[0].count=3")]
    [InlineData(2, "write training.epochs=1", "views", "--data", "@photos", "--out", "@v.png", "--set", "training:epochs=1")]
    [InlineData(2, "write training.epochs=1", "views", "--data", "@photos", "--out", "@v.png", "--set", "training__epochs=1")]
    [InlineData(2, "takes a name or a file, not the options themselves", "pretrain", "--data", "@photos", "--out", "@new",
        "--recipe", "{\"training\":{}}")]
    [InlineData(2, "no run is written over. Choose another --out", "pretrain", "--data", "@photos",
        "--out", "@new", "--overwrite")]
    [InlineData(2, "is said before its first step", "pretrain", "--data", "@photos", "--out", "@new", "--dry-run")]
    [InlineData(2, "there is no option --data here, and SRC stands alone. Did you mean siam data inspect photos?", "data",
        "inspect", "--data", "photos")]
    [InlineData(2, "there is no option --run here, and DIR stands alone. Write siam report DIR", "report", "--run")]
    [InlineData(2, "judging takes two sets: --train classes#train --test classes#test", "evaluate", "knn",
        "--run", "@run", "--data", "classes")]
    [InlineData(2, "siam evaluate knn takes runs alone", "evaluate", "knn", "--backbone", "resnet18",
        "--train", "@classes", "--test", "@photos")]
    [InlineData(2, "takes a file of vectors. Embed images first", "duplicates", "--data", "@photos")]
    [InlineData(2, "did you mean --data classes?", "classify", "fit", "--run", "@run",
        "--train", "classes", "--out", "@new.safetensors")]
    [InlineData(2, "labels belong to the source: --data FOLDER@labels.csv", "embed", "--run", "@run", "--data", "@classes",
        "--out", "@v.npy", "--labels", "labels.csv")]
    [InlineData(2, "Commas stand between the numbers: --mean 0.485,0.456,0.406", "embed", "--backbone", "resnet18",
        "--weights", "w.pth", "--mean", "0.485", "0.456", "0.406", "--data", "@classes", "--out", "@v.npy")]
    [InlineData(1, "the list of labels comes ahead of the part. Write photos@labels.csv#train", "data",
        "inspect", "photos#train@labels.csv")]
    [InlineData(2, "Options begin with two hyphens here: --data.", "pretrain", "/data", "photos", "/out", "new")]
    [InlineData(2, "what is in it, training, belongs one level higher", "pretrain", "--data", "@photos", "--out", "@new",
        "--recipe", "@appsettings.json")]
    [InlineData(2, "write the file again with ConvertTo-Json -Depth 9", "pretrain", "--data", "@photos", "--out", "@new",
        "--recipe", "@powershell.json")]
    [InlineData(2, "it is the listing of `siam options`, not a recipe", "pretrain", "--data", "@photos",
        "--out", "@new", "--recipe", "@listing.json")]
    [InlineData(2, "is not a list, such as [1,1]", "views", "--data", "@photos", "--out", "@v.png",
        "--set", "backbone.depths={1,1}")]
    [InlineData(2, "in every command: photos#train.", "data", "split", "photos")]
    [InlineData(2, "is named like a file, but the folder of a run is wanted", "pretrain",
        "--data", "@photos", "--out", "@model.onnx")]
    [InlineData(1, "holds a file recipe.json that is of no run", "pretrain", "--data", "@photos", "--out", "@mine")]
    [InlineData(1, "holds runs (a), and would become one itself", "pretrain", "--data", "@photos", "--out", "@runs")]
    [InlineData(2, "are 2 sources where one is taken. Several folders are one source when", "pretrain",
        "--data", "@classes", "@photos", "--out", "@new")]
    [InlineData(2, "quickstart has a recipe of its own, which --set changes, such as --set method=vicreg",
        "quickstart", "--recipe", "vicreg")]
    [InlineData(2, "For your own: siam pretrain --data ", "quickstart", "@photos")]
    [InlineData(2, "--set views.highPass.sigma=0 switches it off", "views", "--data", "@photos", "--out", "@v.png",
        "--set", "views.highPass=off")]
    [InlineData(2, "it is counted in GiB: write 0.5", "data", "inspect", "@photos", "--set", "data.memoryGiB=512MB")]
    [InlineData(2, "--beside-labelled takes no file", "diverse", "--index", "@index.parquet", "--beside-labelled", "labels.csv")]
    [InlineData(2, "did you mean --run DIR?", "classify", "fit", "--model", "@classifier.safetensors",
        "--data", "@classes", "--out", "@new.safetensors")]
    [InlineData(2, "siam evaluate all takes all of them", "evaluate", "knn,linear", "--run", "@run",
        "--train", "@classes", "--test", "@photos")]
    [InlineData(2, "a recipe names no images: give them with --data", "pretrain", "--data", "@photos",
        "--out", "@new", "--set", "data.path=photos")]
    [InlineData(2, "training.epochs: 1e6 is outside 1 to 100000", "pretrain", "--data", "@photos", "--out", "@new",
        "--set", "training.epochs=1e6")]
    [InlineData(2, "did you mean optimizer.learningRate?", "pretrain", "--data", "@photos", "--out", "@new", "--set", "lr=0.1")]
    [InlineData(2, "views.branches.0.colorJitter.hue: 0.1 needs images of 3 channels, and these are taken with 1: set it to 0",
        "views", "--data", "fashion-mnist:sample#..4", "--out", "@v.png", "--set", "views.branches.0.colorJitter.hue=0.1",
        "--set", "views.branches.0.colorJitter.probability=1")]
    [InlineData(1, "This one is a classifier, which goes with --classifier of `siam export onnx`", "export", "onnx",
        "--run", "@classifier.safetensors", "--out", "@m.onnx")]
    [InlineData(2, "leave out either --run, which exports the encoder, or --classifier", "export", "onnx", "--run", "@run",
        "--classifier", "@classifier.safetensors", "--out", "@m.onnx")]
    [InlineData(1, "A part is one range, #FIRST..END.", "data", "inspect", "fashion-mnist:sample#..5,fashion-mnist:sample#7..9")]
    [InlineData(1, "there are no other shares", "data", "inspect", "fashion-mnist:sample#10%")]
    [InlineData(2, "0.2 is there twice: give each value once", "study", "@varied-study.json", "--out", "@new")]
    [InlineData(2, "takes one source: put the folders into one", "study", "@two-sources.json", "--out", "@new")]
    [InlineData(2, "Two sets are compared as one: embed both in one go", "duplicates",
        "--index", "@index.parquet", "--index", "@renamed.npy")]
    [InlineData(2,
        "this is a kind of method, whose options are listed by: siam options method --set method=byol", "options", "byol")]
    [InlineData(1, "This is a share of a Windows network: mount it", "data", "inspect", "\\\\server\\share")]
    [InlineData(2, "\"1.5\" is not a number above 0 and up to 1\n", "duplicates",
        "--index", "@index.parquet", "--threshold", "1.5")]
    [InlineData(2, "did you mean -k 5?", "search", "--index", "@index.parquet", "--run", "@run",
        "--query", "@photos/0.png", "--top", "5")]
    [InlineData(2, "a part of the images is held out by itself", "classify", "fit", "--run", "@run", "--data", "@classes",
        "--test", "@classes", "--out", "@new.safetensors")]
    [InlineData(2, "lower the one or raise the other", "views", "--data", "@photos", "--out", "@v.png",
        "--set", "views.branches.0.crop.minArea=0.8", "--set", "views.branches.0.crop.maxArea=0.3")]
    [InlineData(2, "write it as a share: 0.5", "views", "--data", "@photos", "--out", "@v.png",
        "--set", "views.branches.0.flipProbability=50")]
    [InlineData(2, "must be one JSON object, but is a list", "study", "@a-list.json", "--out", "@new")]
    [InlineData(2, "\"optimizer\" stands at the top: take it out of \"training\"", "pretrain", "--data", "@photos",
        "--out", "@new", "--recipe", "@nested.json")]
    [InlineData(2, "cannot be set here: leave it out", "embed", "--run", "@run", "--data", "@classes", "--out", "@v.npy",
        "--set", "training.device=cuda")]
    [InlineData(1, "holds the table of a study, but not its study.json", "report", "@table")]
    [InlineData(2, "Did you mean siam pretrain?", "pretran", "--data", "@photos", "--out", "@new")]
    [InlineData(2, "Did you mean siam --help?", "help")]
    [InlineData(2, "Did you mean siam data inspect photos?", "data", "photos")]
    [InlineData(2, "Did you mean siam evaluate knn?", "evaluate", "kn", "--run", "@run")]
    [InlineData(2, "first comes one of knn, linear", "evaluate", "--run", "@run")]
    [InlineData(2, "first comes one of onnx, safetensors", "export", "--run", "@run", "--out", "m.onnx")]
    [InlineData(2, "Did you mean --data photos --out new?", "pretrain", "photos", "new")]
    [InlineData(2, "Did you mean --out new?", "pretrain", "--data", "@photos", "new")]
    [InlineData(2, "did you mean --data 'my photos'?", "pretrain", "--data", "my", "photos", "--out", "@new")]
    [InlineData(2, "Did you mean --query cat.png?", "search", "--index", "@index.parquet", "--run", "@run", "cat.png")]
    [InlineData(2, "Did you mean --index classes?", "duplicates", "classes")]
    [InlineData(2, "Did you mean --set training.epochs=3?", "pretrain", "--data", "@photos", "--out", "@new", "--epochs", "3")]
    [InlineData(2, "Did you mean --set training.epochs=3?", "pretrain", "--data", "@photos", "--out", "@new", "--epochs=3")]
    [InlineData(2, "Did you mean --set training.batchSize=8?", "pretrain", "--data", "@photos",
        "--out", "@new", "--batch-size", "8")]
    [InlineData(2, "Did you mean --set optimizer.learningRate=0.1?", "pretrain", "--data", "@photos",
        "--out", "@new", "--learning-rate", "0.1")]
    [InlineData(2, "Did you mean --set training.epochs=3?", "pretrain", "--data", "@photos", "--out", "@new",
        "--set", "training.epochs", "3")]
    [InlineData(2, "Did you mean --out?", "pretrain", "--data", "@photos", "--ot", "@new")]
    [InlineData(2, "--data is there twice", "pretrain", "--data", "@photos", "--data", "@classes", "--out", "@new")]
    [InlineData(2, "--out is missing", "pretrain", "--data", "@photos")]
    [InlineData(2, "DIR is missing", "report")]
    [InlineData(2, "did you mean simclr?", "pretrain", "--data", "@photos", "--out", "@new", "--recipe", "simcrl")]
    [InlineData(2, "did you mean fashion-mnist?", "pretrain", "--data", "@photos", "--out", "@new", "--recipe", "fashion")]
    [InlineData(2, "did you mean training.epochs?", "pretrain", "--data", "@photos",
        "--out", "@new", "--set", "training.epoch=3")]
    [InlineData(2, "did you mean training.epochs?", "pretrain", "--data", "@photos", "--out", "@new", "--set", "epochs=3")]
    [InlineData(2, "did you mean training?", "pretrain", "--data", "@photos", "--out", "@new", "--set", "trainig.epochs=3")]
    [InlineData(2, "did you mean simclr?", "pretrain", "--data", "@photos", "--out", "@new", "--set", "method=SimCLR")]
    [InlineData(2, "did you mean adamw?", "pretrain", "--data", "@photos", "--out", "@new", "--set", "optimizer=adam")]
    [InlineData(2, "did you mean paper?", "views", "--data", "@photos", "--out", "@v.png", "--set", "views.preset=papper")]
    [InlineData(2, "did you mean white?", "views", "--data", "@photos", "--out", "@v.png", "--set", "data.alpha=withe")]
    [InlineData(2, "did you mean resnet18?", "views", "--data", "@photos", "--out", "@v.png", "--set", "backbone.name=resnet19")]
    [InlineData(2, "did you mean views.branches.0.masks.0.cell?", "views", "--data", "@photos", "--out", "@v.png",
        "--set", "views.branches.0.masks.0.cel=3")]
    [InlineData(2, "did you mean training.epochs?", "options", "training.epohcs")]
    [InlineData(2, "did you mean onnx?", "embed", "--run", "@run", "--data", "@classes",
        "--out", "@v.parquet", "--engine", "onx")]
    [InlineData(2, "changes nothing here", "data", "inspect", "@photos", "--set", "training.epochs=3")]
    [InlineData(2, "'help' is no command. Did you mean siam pretrain --help?", "help", "pretrain")]
    [InlineData(2, "'help' is no command. Did you mean siam pretrain --help?", "pretrain", "help")]
    [InlineData(2, "Did you mean siam --version?", "-v")]
    [InlineData(2, "Did you mean siam --version?", "version")]
    [InlineData(2, "there is no command 'frobnicate' here", "frobnicate", "--help")]
    [InlineData(2, "Did you mean siam evaluate knn?", "evaluate", "kn", "--help")]
    [InlineData(2, "siam doctor takes --json only", "doctor", "--fix")]
    [InlineData(2, "report.html is always written into the folder", "report", "@run", "--out", "x.html")]
    [InlineData(2, "there are --data, --set", "report", "@run", "--epochs", "3")]
    [InlineData(2, "the scores are always written into the run's folder", "evaluate", "knn", "--run", "@run",
        "--train", "@classes", "--test", "@photos", "--out", "s.json")]
    [InlineData(2, "To keep it, add --json > FILE.json", "diverse", "--index", "@index.parquet", "--out", "d.csv")]
    [InlineData(2, "siam options takes one PART at a time", "options", "training", "backbone")]
    [InlineData(2, "views.branches has one part, 0", "options", "views.branches.1")]
    [InlineData(2, "views.branches.0.masks has one part, 0", "options", "views.branches.0.masks.3.cell")]
    [InlineData(2, "1 view, but simclr takes 2 to 64: --set views.branches.0.count=2", "views", "--data", "@photos",
        "--out", "@v.png", "--set", "views.branches.0.count=1")]
    [InlineData(2, "nothing is left to learn from", "views", "--data", "@photos", "--out", "@v.png",
        "--set", "views.branches.0.masks.0.minRatio=1", "--set", "views.branches.0.masks.0.maxRatio=1")]
    [InlineData(2, "0.95 of 4 cells is all of them", "views", "--data", "@photos", "--out", "@v.png",
        "--set", "views.branches.0.masks.0.minRatio=0.95", "--set", "views.branches.0.masks.0.maxRatio=1")]
    // Numbers.
    [InlineData(2, "write the fraction with a point: 1.5", "embed", "--backbone", "resnet18", "--weights", "w.pth",
        "--data", "@classes", "--out", "@v.npy", "--high-pass", "1,5")]
    [InlineData(2, "write 1000, without separators", "embed", "--backbone", "resnet18", "--weights", "w.pth",
        "--data", "@classes", "--out", "@v.npy", "--size", "1,000")]
    [InlineData(2, "--mean: \"0,485;0,456\" is not a list", "embed", "--backbone", "resnet18", "--weights", "w.pth",
        "--data", "@classes", "--out", "@v.npy", "--mean", "0,485;0,456")]
    [InlineData(2, "write the fraction with a point: 0.98", "duplicates", "--index", "@index.parquet", "--threshold", "0,98")]
    [InlineData(2, "not a number above 0 and up to 1", "duplicates", "--index", "@index.parquet", "--threshold", "NaN")]
    [InlineData(2, "write it as a share: 0.98", "duplicates", "--index", "@index.parquet", "--threshold", "98%")]
    [InlineData(2, "-k: \"1.5\" is not a whole number of 1 or more", "diverse", "--index", "@index.parquet", "-k", "1.5")]
    [InlineData(2, "-k: \"0x10\" is not a whole number", "diverse", "--index", "@index.parquet", "-k", "0x10")]
    [InlineData(2, "-k: \"5000000000\" is not a whole number", "diverse", "--index", "@index.parquet", "-k", "5000000000")]
    [InlineData(2, "write 5, without spaces", "diverse", "--index", "@index.parquet", "-k", " 5")]
    [InlineData(2, "write the fraction with a point: 0.5", "export", "onnx", "--run", "@run",
        "--out", "@m.onnx", "--white", "0,5")]
    [InlineData(2, "write the fraction with a point: 0.95", "classify", "fit", "--run", "@run", "--data", "@classes",
        "--out", "@c.safetensors", "--min-accuracy", "0,95")]
    [InlineData(2, "--jobs: \"two\" is not a whole number", "study", "s.json", "--out", "@s", "--jobs", "two")]
    [InlineData(2, "write the fraction with a point: 0.001", "pretrain", "--data", "@photos", "--out", "@new",
        "--set", "optimizer.learningRate=0,001")]
    [InlineData(2, "1e999 is outside 0 to 1000", "pretrain", "--data", "@photos", "--out", "@new",
        "--set", "optimizer.learningRate=1e999")]
    [InlineData(2, "\"ten\" is not a whole number", "pretrain", "--data", "@photos", "--out", "@new",
        "--set", "training.epochs=ten")]
    [InlineData(2, "such as [1,2,5]", "evaluate", "few-shot", "--run", "@run", "--train", "@classes", "--test", "@photos",
        "--set", "evaluation.shots=1,2,5")]
    [InlineData(1, "numbers have no separators", "data", "inspect", "fashion-mnist:sample#..5,000")]
    [InlineData(1, "did you mean fashion-mnist:sample#train?", "data", "inspect", "fashion-mnist:sample#trian")]
    // Sources.
    [InlineData(1, "write \"$HOME/photos\"", "pretrain", "--data", "~/photos", "--out", "@new")]
    [InlineData(1, "Under WSL it is /mnt/c/photos", "pretrain", "--data", @"C:\photos", "--out", "@new")]
    [InlineData(1, "photos?", "pretrain", "--data", "@phtos", "--out", "@new")]
    [InlineData(1, "Did you mean fashion-mnist:sample?", "pretrain", "--data", "fashionmnist:sample", "--out", "@new")]
    [InlineData(1, "must hold images", "pretrain", "--data", "@empty", "--out", "@new")]
    [InlineData(
        2, "are 3 names where one is taken, perhaps put there by the shell for a wildcard. Give the folder that they are in: ",
        "data", "inspect", "@photos/0.png", "@photos/1.png", "@photos/2.png")]
    [InlineData(2, "are 2 names where one is taken", "pretrain", "--data", "@classes/cat", "@classes/dog", "--out", "@new")]
    [InlineData(1, "A list of images ends in .csv, with a first line path,label", "pretrain",
        "--data", "@notes.txt", "--out", "@new")]
    [InlineData(2, "write 1, without quotes", "views", "--data", "@photos", "--out", "@v.png", "--set", "training.epochs=\"1\"")]
    [InlineData(2, "write 1", "views", "--data", "@photos", "--out", "@v.png", "--set", "training.epochs=1.0")]
    [InlineData(2, "holds images, but siam duplicates takes a file of vectors", "duplicates", "@photos")]
    [InlineData(1, "Embed images first: siam embed --run RUN --data ", "duplicates", "--index", "@photos")]
    [InlineData(1, "Embed images first: siam embed --run RUN --data fashion-mnist:sample --out", "duplicates",
        "--index", "fashion-mnist:sample")]
    [InlineData(1, "is no file of vectors, but a source of images", "duplicates", "--index", "@photos#train")]
    [InlineData(2, "Did you mean --out?", "pretrain", "--data", "@photos", "--output", "@new")]
    [InlineData(2, "there are --data, --out, --recipe, --set, --resume", "pretrain", "--data", "@photos",
        "--out", "@new", "--countx", "3")]
    [InlineData(2, "is a folder: give the file of weights in it", "embed", "--backbone", "resnet18", "--weights", "@photos",
        "--data", "@classes", "--out", "@v.npy")]
    [InlineData(2, "It is a classifier: siam classify predict --model ", "embed", "--backbone", "resnet18",
        "--weights", "@classifier.safetensors", "--data", "@classes", "--out", "@v.npy")]
    [InlineData(2, "1 takes each pixel from itself", "views", "--data", "@photos", "--out", "@v.png",
        "--set", "views.highPass.kernel=1")]
    [InlineData(2, "--size: belongs to --backbone", "embed", "--run", "@run", "--data", "@classes",
        "--out", "@v.npy", "--size", "224")]
    [InlineData(2, "in place of --backbone and --weights", "embed", "--backbone", "resnet50",
        "--weights", "@run/encoder.safetensors", "--data", "@classes", "--out", "@v.npy")]
    [InlineData(1, "Give the .safetensors file that `siam classify fit` wrote", "classify", "predict",
        "--model", "@notes.txt", "--data", "@classes")]
    [InlineData(1, "the folder of a study", "export", "safetensors", "--run", "@study", "--out", "@e.safetensors")]
    [InlineData(1, "the folder of a study", "embed", "--run", "@study", "--data", "@classes", "--out", "@e.npy")]
    [InlineData(1, "Paths in a study start in the folder in which the command is given", "study",
        "@lost-study.json", "--out", "@new")]
    [InlineData(1, "lost-study.json: 'photos' does not exist", "study", "@lost-study.json", "--out", "@new")]
    // Before work.
    [InlineData(1, "A step needs training.batchSize = 16384 images", "quickstart", "--out", "@new",
        "--set", "training.batchSize=16384")]
    [InlineData(1, "--set training.batchSize=4", "pretrain", "--data", "@photos", "--out", "@new",
        "--set", "training.batchSize=100")]
    [InlineData(1, "cannot be read and are left out", "pretrain", "--data", "@mixed", "--out", "@new",
        "--set", "training.batchSize=100")]
    [InlineData(1, "has 1 readable image. Give more images; --set training.batchSize=2 works from 2 images on", "pretrain",
        "--data", "@mixed", "--out", "@new", "--set", "training.batchSize=100")]
    [InlineData(2, "Choose another name, such as --out ", "pretrain", "--data", "@photos", "--out", "@photos/0.png")]
    [InlineData(1, "Leave out --beside-labelled", "diverse", "--index", "@index.parquet", "--beside-labelled")]
    [InlineData(1, "siam classify fit --run ", "classify", "predict", "--model", "@run", "--data", "@classes")]
    [InlineData(1, "is a folder, not a classifier", "classify", "predict", "--model", "@photos", "--data", "@classes")]
    [InlineData(2, "is a folder, but a recipe is a file", "pretrain", "--data", "@photos", "--out", "@new", "--recipe", "@run")]
    [InlineData(2, "is a folder, but a study is a file", "study", "@study", "--out", "@new")]
    [InlineData(1, "is a file, but a folder is wanted", "export", "onnx", "--run", "@classifier.safetensors", "--out", "@m.onnx")]
    [InlineData(2, "--mean: \"0,5\" has 2 numbers, but --std is not given and has its usual 3", "embed", "--backbone", "resnet18",
        "--weights", "w.pth", "--data", "@classes", "--out", "@v.npy", "--mean", "0,5")]
    [InlineData(2, "--std: \"0.5|0.5\" has 2 numbers, but --mean has 1", "embed", "--backbone", "resnet18", "--weights", "w.pth",
        "--data", "@classes", "--out", "@v.npy", "--mean", "0.5", "--std", "0.5|0.5")]
    [InlineData(1, "has no labels", "pretrain", "--data", "@photos", "--out", "@new", "--recipe", "siamese-pairs",
        "--set", "training.batchSize=4")]
    [InlineData(1, "has not finished", "embed", "--run", "@unfinished", "--data", "@classes", "--out", "@v.parquet")]
    [InlineData(1, "Give its folder", "report", "@run/encoder.safetensors")]
    [InlineData(1, "in it, such as", "report", "@")]
    [InlineData(1, "has no labels, and a classifier is made of them. Sort the images into one folder per class", "classify",
        "fit", "--run", "@run", "--data", "@photos", "--out", "@new.safetensors")]
    [InlineData(1, "needs images of two classes or more, but these are all of class 'cat'", "classify", "fit", "--run", "@run",
        "--data", "@classes#..8", "--out", "@new.safetensors")]
    [InlineData(1, "/unfinished --resume`", "evaluate", "knn", "--run", "@unfinished",
        "--train", "@classes", "--test", "@classes")]
    [InlineData(2, "is a study, not a recipe: run it with `siam study ", "pretrain", "--data", "@photos",
        "--out", "@new", "--recipe", "@a-study.json")]
    [InlineData(2, "is a recipe, not a study", "study", "@a-recipe.json", "--out", "@new")]
    [InlineData(1, "Continue it with --resume", "pretrain", "--data", "@classes", "--out", "@lost",
        "--set", "training.batchSize=4")]
    // Outputs.
    [InlineData(2, "a variable that is not set?", "pretrain", "--data", "@photos", "--out", "")]
    [InlineData(2, "a folder called ~", "pretrain", "--data", "@photos", "--out", "~/run")]
    [InlineData(2, "is a file, but the folder of a run is wanted", "pretrain", "--data", "@photos", "--out", "@notes.txt")]
    [InlineData(2, "is a file, so nothing can be written below it", "pretrain", "--data", "@photos", "--out", "@notes.txt/run")]
    [InlineData(2, "is a link to /nowhere/run, which does not exist", "pretrain", "--data", "@photos", "--out", "@dangling")]
    [InlineData(2, "is a link to /nowhere/run, which does not exist", "pretrain", "--data", "@photos", "--out", "@dangling/run")]
    [InlineData(2, "is a folder, but a file is wanted", "views", "--data", "@classes", "--out", "@empty")]
    [InlineData(1, "within the folder of images", "pretrain", "--data", "@photos", "--out", "@photos")]
    [InlineData(1, "within the folder of images", "pretrain", "--data", "@photos", "--out", "@linked/run")]
    [InlineData(1, "in a folder of images", "pretrain", "--data", "fashion-mnist:sample", "--out", "@photos/run")]
    [InlineData(1, "in a folder of images", "quickstart", "--out", "@photos")]
    [InlineData(1, "in a folder of images", "views", "--data", "@classes", "--out", "@photos/views.png")]
    [InlineData(1, "in a folder of images", "classify", "predict", "--model", "@classifier.safetensors",
        "--data", "@classes", "--out", "@photos/a.csv")]
    [InlineData(1, "in a folder of images", "export", "onnx", "--run", "@run", "--out", "@photos/m.onnx")]
    [InlineData(1, "within the folder of images", "embed", "--run", "@run", "--data", "@classes", "--out", "@classes/v.parquet")]
    [InlineData(1, "among the images of the index", "search", "--index", "@index.parquet", "--run", "@run",
        "--query", "@photos/0.png", "--out", "@classes/found.png")]
    [InlineData(1, "holds a study", "pretrain", "--data", "@photos", "--out", "@study", "--set", "training.batchSize=4")]
    [InlineData(1, "which the command reads", "export", "safetensors", "--run", "@run", "--out", "@run/encoder.safetensors")]
    [InlineData(1, "which the command reads", "embed", "--run", "@run", "--data", "@manifest.csv", "--out", "@manifest.npy")]
    [InlineData(1, "is a file of the run", "views", "--data", "@classes", "--out", "@run/views.png")]
    [InlineData(1, "is another kind of file than answers of", "classify", "predict", "--model", "@classifier.safetensors",
        "--data", "@classes", "--out", "@labels.csv")]
    [InlineData(1, "is a file of the run", "classify", "fit", "--run", "@run", "--data", "@classes",
        "--out", "@unfinished/checkpoint.safetensors")]
    public async Task Mistake_Any_NamesTheFixAndWritesNothing(int expected, string word, params string[] arguments)
    {
        string[] before = _world.Files();
        using StringWriter output = new(), error = new();
        int exitCode = await Siam.RunAsync([.. _world.Arguments(arguments), "--json"], output, error);
        Assert.Contains(word, error.ToString());
        Assert.Equal(expected, exitCode);
        Assert.DoesNotContain("   at ", error.ToString());
        Assert.Equal(expected, (int)JsonNode.Parse(output.ToString())!["exitCode"]!);
        Assert.Equal(before, _world.Files());
    }

    [Theory]
    [InlineData("#train")]
    [InlineData("#..4")]
    [InlineData("@labels.csv")]
    public async Task Pretrain_IntoThePartOfAFolder_IsRefused(string part)
    {
        string source = _world.Arguments("@photos")[0] + (part[0] == '@' ? "@" + _world.Arguments(part)[0] : part);
        using StringWriter output = new(), error = new();
        Assert.Equal(
            1, await Siam.RunAsync(["pretrain", "--data", source, "--out", _world.Arguments("@photos/run")[0]], output, error));
        Assert.Contains("within the folder of images", error.ToString());
    }

    /// <summary>More epochs are allowed alone, so that they are not among what is to be taken back.</summary>
    [Fact]
    public async Task Resume_LongerAndOfAnotherSize_NamesTheSizeAlone()
    {
        using StringWriter output = new(), error = new();
        Assert.Equal(1, await Siam.RunAsync(_world.Arguments("pretrain", "--data", "@classes", "--out", "@run",
            "--resume", "--set", "training.epochs=2", "--set", "data.size=8"), output, error));
        Assert.Contains("data.size: the run has 16, asked for is 8", error.ToString());
        Assert.DoesNotContain("training.epochs", error.ToString());
    }

    [Fact]
    public async Task Report_RunThatHasNotFinished_SaysSoOnThePageToo()
    {
        using StringWriter output = new(), error = new();
        Assert.Equal(0, await Siam.RunAsync(_world.Arguments("report", "@unfinished"), output, error));
        Assert.Contains("note: The run has not finished, or its encoder was removed", error.ToString());
        string page = _world.Arguments("@unfinished/report.html")[0];
        Assert.Contains("The run has not finished", File.ReadAllText(page));
        foreach (string made in new[] { page, _world.Arguments("@unfinished/loss.png")[0] }) File.Delete(made);
    }

    [Fact]
    public async Task Report_ImagesOfOtherChannels_ConvertsThemAsEvaluateDoes()
    {
        using StringWriter output = new(), error = new();
        string copy = _world.Arguments("@again")[0];
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.GetFiles(_world.Arguments("@run")[0]))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        Assert.Equal(
            0, await Siam.RunAsync(_world.Arguments("report", "@again", "--data", "fashion-mnist:sample#..12"), output, error));
        Assert.Contains("12 of 12 images are grey and become RGB", error.ToString());
        Directory.Delete(copy, recursive: true);
    }

    [Fact]
    public async Task Classify_NoAnswerIsAccepted_IsSaidWithoutNumbers()
    {
        using StringWriter output = new(), error = new();
        // Labels that have nothing to do with the images.
        string labels = _world.Arguments("@" + "random.csv")[0];
        File.WriteAllText(labels, "path,label\n" + string.Concat(Enumerable.Range(0, 8)
            .SelectMany(i => new[] { "cat", "dog" }.Select(name => $"classes/{name}/{i}.png,{"ab"[(i / 2 + i) % 2]}\n"))));
        Assert.Equal(0, await Siam.RunAsync(_world.Arguments("classify", "fit", "--run", "@run", "--data", "@random.csv",
            "--out", "@again/c.safetensors"), output, error));
        Assert.Contains("is not clearly better than naming always the largest class", error.ToString());
        Assert.DoesNotContain("unknown", output.ToString());
        File.Delete(labels);
        Directory.Delete(_world.Arguments("@again")[0], recursive: true);
    }

    [Fact]
    public async Task Outputs_OfTheSameKind_AreReplaced()
    {
        foreach (string[] arguments in new[]
        {
            _world.Arguments("views", "--data", "@classes", "--out", "@again/views.png"),
            _world.Arguments("embed", "--run", "@run", "--data", "@classes", "--out", "@again/v.parquet"),
            _world.Arguments("embed", "--run", "@run", "--data", "@classes", "--out", "@again/v.npy"),
            _world.Arguments("classify", "fit", "--run", "@run", "--data", "@classes", "--out", "@again/c.safetensors"),
            _world.Arguments("classify", "predict", "--model", "@classifier.safetensors",
                "--data", "@classes", "--out", "@again/a.csv"),
            _world.Arguments("classify", "predict", "--model", "@classifier.safetensors",
                "--data", "@classes", "--out", "@again/a.json"),
            _world.Arguments("export", "onnx", "--classifier", "@classifier.safetensors", "--out", "@again/m.onnx"),
            _world.Arguments("export", "safetensors", "--run", "@run", "--out", "@again/e.safetensors"),
            _world.Arguments("search", "--index", "@index.parquet", "--run", "@run",
                "--query", "@classes/cat/0.png", "--out", "@again/found.png"),
        })
            for (int time = 0; time < 2; time++)
            {
                using StringWriter output = new(), error = new();
                Assert.True(await Siam.RunAsync(arguments, output, error) == 0, error.ToString());
                Assert.Contains(arguments[0] == "export" ? "For your program" : "Next:  siam ", error.ToString());
            }
        Directory.Delete(_world.Arguments("@again")[0], recursive: true);
    }
}

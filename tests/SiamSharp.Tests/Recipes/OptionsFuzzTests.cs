using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json.Nodes;
using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Masking;
using SiamSharp.Methods;
using SiamSharp.Optim;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Studies;
using SiamSharp.Training;
using SiamSharp.Views;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Recipes;

/// <summary>Every key of a recipe with values of every type, in files, on the command line and in C#:
/// only a fault that names the key may come of it.</summary>
public sealed class OptionsFuzzTests
{
    private static readonly string[] s_values =
    [
        "null", "true", "false", "0", "1", "-1", "0.5", "1e999", "-1e999", "1e308", "99999999999999999999", "2147483648", "\"\"",
        "\"x\"", "\"1\"", "\"NaN\"", "\"crop\"", "[]", "[null]", "[1]", "[[1]]", "[\"x\"]", "[{}]", "{}", "{\"x\":1}",
        "{\"name\":null}", "{\"name\":7}", "{\"shape\":[]}", "{\"training.epochs\":1}", "{\"\":1}", "\"\\u0000\"",
    ];

    private static readonly string[] s_recipes =
    [
        """{ "views": { "branches": [{ "count": 2, "masks": [{ "shape": "grid", "probability": 0.3 }, """
            + """{ "shape": "focal", "probability": 0.2 }, { "shape": "block", "probability": 0.2 }, """
            + """{ "shape": "blob", "probability": 0.2 }] }] } }""",
        """{ "method": "msn", "optimizer": "lars", "backbone": "vit_ti", "views": { "preset": "paper-mscn" } }""",
    ];

    private static readonly IImageSource s_sample = ImageSources.Open("fashion-mnist:sample", new DataOptions());

    private static IImageSource Sample(DataOptions options) => s_sample;

    private static Recipe Complete(string layer) => Recipe.Resolve([OptionsJson.Parse(layer, "layer")], [], Sample);

    /// <summary>Every path of a tree, of objects, lists and values.</summary>
    private static IEnumerable<string> Paths(JsonNode? node, string path = "") =>
        (path.Length > 0 ? [path] : Array.Empty<string>()).Concat(node switch
        {
            JsonObject tree => tree.SelectMany(p => Paths(p.Value, path.Length == 0 ? p.Key : $"{path}.{p.Key}")),
            JsonArray list => list.SelectMany((item, i) => Paths(item, $"{path}.{i}")),
            _ => [],
        });

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Resolve_AnyValueAtAnyKey_IsTakenOrAFaultThatNamesTheKey(int index)
    {
        JsonObject complete = OptionsJson.Write(Complete(s_recipes[index]));
        int refused = 0;
        foreach (string path in Paths(complete).ToArray())
            foreach (string value in s_values)
            {
                var tree = (JsonObject)complete.DeepClone();
                string[] keys = path.Split('.');
                JsonNode owner = keys[..^1].Aggregate((JsonNode)tree,
                    (node, key) => node is JsonArray list ? list[int.Parse(key)]! : node[key]!);
                if (owner is JsonArray items) items[int.Parse(keys[^1])] = OptionsJson.ParseNode(value);
                else owner[keys[^1]] = OptionsJson.ParseNode(value);

                OptionsException? inFile =
                    Refused(() => Recipe.Resolve([OptionsJson.Parse(tree.ToJsonString(), "file")], [], Sample));
                OptionsException? onCommandLine =
                    Refused(() => Recipe.Resolve([OptionsJson.Parse(s_recipes[index], "layer")], [$"{path}={value}"], Sample));
                Refused(() => Recipe.Reread(tree, []));
                foreach (OptionsException fault in new[] { inFile, onCommandLine }.OfType<OptionsException>())
                {
                    refused++;
                    Assert.True(fault.Faults.Any(f => f.Path.StartsWith(path, StringComparison.Ordinal)
                        || path.StartsWith(f.Path, StringComparison.Ordinal)
                        || f.Path.Split('.')[0] == keys[0] || path == "data.size"
                        || f.Problem.Contains(keys[^1], StringComparison.Ordinal)),
                        $"{path}={value}: {fault.Message}");
                }
            }
        Assert.True(refused > 2000, $"{refused}");

        static OptionsException? Refused(Action act)
        {
            try
            {
                act();
                return null;
            }
            catch (OptionsException e)
            {
                return e;
            }
        }
    }

    [Theory]
    [InlineData("method=null", "method: null is not allowed")]
    [InlineData("training=[]", "training: [] is not an object")]
    [InlineData("training.epochs=1.5", "training.epochs: 1.5 is not a whole number, 1 to 100000")]
    [InlineData("optimizer.learningRate=1e999", "optimizer.learningRate: 1e999 is outside 0 to 1000")]
    [InlineData("optimizer.learningRate=NaN", "optimizer.learningRate: \"NaN\" is not a number")]
    [InlineData("data.fit=1", "data.fit: 1 is not one of: crop, stretch")]
    [InlineData("method={\"name\":\"byol\",\"name\":\"simclr\"}", "method.name: ")]
    [InlineData("views={\"branches\":", "views: \"{\\u0022branches\\u0022:\" is not an object")]
    [InlineData("optimizer.learningRate", "optimizer.learningRate: write it as path=value")]
    [InlineData("x.y=1", "x: there is no such option")]
    [InlineData("trainin.epochs=1", "trainin: there is no such option; did you mean training?")]
    [InlineData("views.branches.7.count=2", "views.branches.7.count: there is no 'views.branches.7'")]
    [InlineData("method={\"name\":\"byol\",\"temperature\":1}",
        "method.temperature: there is no such option for byol, only for moco-v2, moco-v3, msn, pirl, simclr, swav")]
    public void Resolve_OneWrongAssignment_IsOneReadableLine(string assignment, string expected)
    {
        string message = Assert.Throws<OptionsException>(() => Recipe.Resolve([], [assignment], Sample)).Message;
        Assert.StartsWith(expected, message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Resolve_PartThatALayerLeftOut_HasItsDefaultsAndCanBeSet()
    {
        JsonObject layer =
            OptionsJson.Parse("""{ "views": { "branches": [{ "count": 2, "masks": [{ "shape": "grid" }] }] } }""", "layer");
        Recipe recipe = Recipe.Resolve([layer],
            ["views.branches.0.masks.0.fill.kind=black", "views.branches.0.colorJitter.brightness=0.3"], Sample);
        Assert.Equal((FillKind.Black, 0.3),
            (recipe.Views.Branches[0].Masks[0].Fill.Kind, recipe.Views.Branches[0].ColorJitter.Brightness));
        JsonObject none = OptionsJson.Parse("""{ "training": null }""", "layer");
        Assert.Equal("training: null is not allowed; leave the key out for its default",
            Assert.Throws<OptionsException>(() => Recipe.Resolve([none], ["training.epochs=1"], Sample)).Message);
    }

    [Fact]
    public void Resolve_ImagesTooSmallForTheOptions_NamesASizeThatFits()
    {
        var fault = Assert.Throws<OptionsException>(() =>
            Recipe.Resolve([], ["data.size=8", "backbone.stem=half", "backbone.depths=[1,1,1]", "backbone.poolSize=4"], Sample));
        Assert.Equal("backbone.poolSize", Assert.Single(fault.Faults).Path);
        Assert.EndsWith("; or give larger images: --set data.size=28", fault.Faults[0].Problem);
    }

    [Fact]
    public void Resolve_SeveralWrongAssignments_AreListedTogether()
    {
        var fault = Assert.Throws<OptionsException>(() => Recipe.Resolve([], ["x.y=1", "nothing", "training.epochs=0"], Sample));
        Assert.Equal(["nothing", "training.epochs", "x"], fault.Faults.Select(f => f.Path).Order());
    }

    [Theory]
    [InlineData("""{ "\ud800": 1 }""", "line 1: ")]
    [InlineData("{\n \"method\": { \"name\": \"sim\\udc00clr\" } }", "line 2: ")]
    [InlineData("{ /* \\ud800 */ \"a\": 1, \"a\": 2 }", "")]
    [InlineData("{ \"a\": 1 } x", "line 1: ")]
    [InlineData("{ \"a\": NaN }", "line 1: ")]
    public void Parse_BrokenText_NamesTheFileAndThePlace(string text, string place)
    {
        string message = Assert.Throws<OptionsException>(() => OptionsJson.Parse(text, "some.json")).Message;
        Assert.StartsWith($"some.json: {place}", message);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("{ \"a\": 1", "ends too early")]
    [InlineData("{ \"a\": \"b", "ends too early")]
    [InlineData("training:\n  epochs: 3\n", "looks like YAML")]
    [InlineData(" ", "it is empty")]
    [InlineData("{ \"a\": 1, \"a\": 2 }", "\"a\" is there twice")]
    public void Parse_UsualMistake_IsToldInPlainWords(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<OptionsException>(() => OptionsJson.Parse(text, "some.json")).Message);

    [Fact]
    public void Parse_DeepNesting_IsRefused() =>
        Assert.StartsWith("deep.json: line 1: ", Assert.Throws<OptionsException>(() =>
            OptionsJson.Parse(string.Concat(Enumerable.Repeat("{\"a\":", 5000)), "deep.json")).Message);

    [Fact]
    public void Parse_CharactersInPairsAndInComments_AreFine() =>
        Assert.Equal("\ud83d\ude00", (string)OptionsJson.Parse("{ /* \\ud800 */ \"a\": \"\\ud83d\\ude00\" }", "x")["a"]!);

    [Fact]
    public void Read_Named_SaysTheFile() => Assert.Equal("run/recipe.json, training.epochs: 0 is outside 1 to 100000",
        Assert.Throws<OptionsException>(() => OptionsJson.Read<Recipe>(OptionsJson.Parse(
            """{ "training": { "epochs": 0 }, "views": { "branches": [{ "count": 2 }] } }""", "x"), "run/recipe.json")).Message);

    /// <summary>Every options record there is, as it comes.</summary>
    private static IEnumerable<object> Records() =>
        [Complete(s_recipes[0]), Complete(s_recipes[1]), new EvaluationOptions(), new AdamWOptions(),
            new SgdOptions(), new LarsOptions(),
            .. typeof(MethodOptions).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(MethodOptions)))
                .Select(t => Activator.CreateInstance(t)!)];

    [Fact]
    public void Options_EveryNumber_HasARange() => Assert.All(
        typeof(Recipe).Assembly.GetTypes().Where(t => t.Name.EndsWith("Options", StringComparison.Ordinal)
            || t.IsSubclassOf(typeof(Mask)) || t == typeof(Study))
            .SelectMany(t => t.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Where(p => p.SetMethod is not null && p.PropertyType != typeof(string)),
        p => Assert.True(!IsNumber(p.PropertyType) || p.GetCustomAttribute<RangeAttribute>() is not null || p.Name == "Depths",
            $"{p.DeclaringType!.Name}.{p.Name}"));

    private static bool IsNumber(Type type) =>
        type == typeof(int) || type == typeof(double) || (type.IsGenericType && IsNumber(type.GetGenericArguments()[0]));

    [Fact]
    public void Check_AnyValueInAnyProperty_IsTakenOrRefusedInTheWordsOfTheReader()
    {
        int refused = 0;
        foreach (object record in Records())
            foreach (PropertyInfo property in record.GetType().GetProperties().Where(p => p.SetMethod is not null))
                foreach (object? value in ValuesFor(property.PropertyType))
                {
                    object changed = record.GetType().GetMethod("<Clone>$")!.Invoke(record, [])!;
                    property.SetValue(changed, value);
                    string key = char.ToLowerInvariant(property.Name[0]) + property.Name[1..];
                    try
                    {
                        OptionsJson.Check(changed);
                        Assert.NotNull(value);
                    }
                    catch (OptionsException e)
                    {
                        refused++;
                        Assert.Contains(e.Faults, f => f.Path == key || f.Path.StartsWith(key + ".", StringComparison.Ordinal)
                            || f.Problem.Contains(key, StringComparison.Ordinal) || record is Recipe);
                    }
                }
        Assert.True(refused > 300, $"{refused}");
    }

    private static IEnumerable<object?> ValuesFor(Type type) =>
        type == typeof(int) ? [int.MinValue, -1, 0, 1, int.MaxValue]
        : type == typeof(double) ? [double.NaN, double.NegativeInfinity, -1.0, 0.0, 0.5, 1e308, double.PositiveInfinity]
        : type == typeof(string) ? [null, "", "x"]
        : type.IsEnum ? [Enum.ToObject(type, 99), Enum.ToObject(type, -1), Enum.ToObject(type, 0)]
        : type == typeof(bool) ? [true, false]
        : type.IsAssignableTo(typeof(IEnumerable)) && type.IsGenericType
            ? [null, Array.CreateInstance(type.GetGenericArguments()[0], 0), .. type.GetGenericArguments()[0].IsValueType ? []
                : new object?[] { Array.CreateInstance(type.GetGenericArguments()[0], 1) }]
        : [null];

    [Fact]
    public void EveryEntry_OptionsBuiltInCode_AreRefusedWithAllFaults()
    {
        using var scope = NewDisposeScope();
        var data = new DataOptions();
        ImageDataset images = ImageDataset.Load(ImageSources.Open("fashion-mnist:sample#..64", data), data);
        Recipe good = Complete(s_recipes[0]), wrong = good with
        {
            Training = good.Training with { LogSteps = 0, Epochs = 200_000 },
            Optimizer = new LarsOptions { Trust = double.NaN }
        };
        var folder = new RunFolder(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()));
        var preprocessing = new Preprocessing(new HighPassOptions { Sigma = 0 }, [0.5], [0.25]);
        var evaluation = new EvaluationOptions { K = 0, Shots = [0] };
        var linear = nn.Linear(2, 2);

        Assert.Equal(["optimizer.trust", "training.epochs", "training.logSteps"],
            Paths(() => Pretraining.Run(wrong, images, folder)));
        Assert.Equal(["optimizer.trust", "training.epochs", "training.logSteps"],
            Paths(() => Pretraining.CheckFolder(wrong, folder, resume: false)));
        Assert.Equal(["optimizer.trust", "training.epochs", "training.logSteps"],
            Paths(() => RunEvaluation.Evaluate(folder, wrong, [Protocol.Knn], images, images)));
        Assert.False(Directory.Exists(folder.Path));
        Assert.Equal(["optimizer.trust"], Paths(() => wrong.Optimizer.Create(linear)));
        Assert.Equal(["optimizer.trust"], Paths(() => _ = new Lars((LarsOptions)wrong.Optimizer, [])));
        Assert.Equal(["method.temperature"],
            Paths(() => new SimClrOptions { Temperature = -1 }.Create(new MethodSetup(() => nn.Linear(2, 2), 2, 1))));
        Assert.Equal(["backbone.poolSize", "backbone.width"],
            Paths(() => new BackboneOptions { Width = -1, PoolSize = 0 }.Create(1, 28, 1)));
        Assert.Equal(["backbone.width"], Paths(() => _ = new ResNet(new BackboneOptions { Width = -1 }, 1, 28)));
        Assert.Equal(["backbone.width"], Paths(() => new BackboneOptions { Name = "vit_ti", Width = 100 }.Create(1, 28, 1)));
        Assert.Equal(["data.maxMegapixels", "data.memoryGiB"], Paths(() => ImageDataset.Load(
            ImageSources.Open("fashion-mnist:sample", data), data with { MemoryGiB = double.NaN, MaxMegapixels = 0 })));
        Assert.Equal(["data.size"], Paths(() => ImageSources.Open("fashion-mnist:sample", data with { Size = -5 })));
        Assert.Equal(["data.fit"],
            Paths(() => DataInspection.Inspect(ImageSources.Open("fashion-mnist:sample", data), data with { Fit = (Fit)9 })));
        Assert.Equal(["evaluation.k", "evaluation.shots.0"], Paths(() => _ = new Evaluator(evaluation, 1)));
        Assert.Equal(["evaluation.k", "evaluation.shots.0"], Paths(() => FewShotDraws.For(images, evaluation)));
        Assert.Equal(["views.branches.0.masks.0.minRatio"], Paths(() => _ = new ViewMaker(
            new ViewsOptions { Branches = [new() { Masks = [new GridMask { MinRatio = 2 }] }] }, preprocessing, 28, 1)));
        Assert.Equal(["preprocessing.std.0"],
            Paths(() => _ = new ViewMaker(good.Views, preprocessing with { Std = [0] }, 28, 1)));
        Assert.Equal(["preprocessing.highPass.sigma"], Paths(() =>
            (preprocessing with { HighPass = new HighPassOptions { Sigma = double.NaN } }).Apply(zeros(1, 1, 28, 28))));
        Assert.Equal(["highPass.kernel"], Paths(() => Preprocessing.Measure(new HighPassOptions { Kernel = 4 }, [])));
        Assert.Equal(["minRatio"], Paths(() =>
        {
            var random = new SiamSharp.Randomness.RandomStream(1, SiamSharp.Randomness.RandomPurpose.Mask, 0, 0, 0);
            new BlobMask { MinRatio = 0.9 }.Draw(new bool[784], 28, 28, ref random);
        }));
        Assert.Equal(["seeds.0", "threads"],
            Paths(() => new Study { Pretrain = "a", Test = "b", Rows = [new StudyRow { Name = "r" }], Seeds = [-1], Threads = 0 }
                .Runs([], Sample)));

        static string[] Paths(Action act) =>
            [.. Assert.Throws<OptionsException>(act).Faults.Select(f => f.Path).Order(StringComparer.Ordinal)];
    }
}

using System.Text.Json.Nodes;
using SiamSharp.Data;
using SiamSharp.Masking;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Views;
using Xunit;

namespace SiamSharp.Tests.Recipes;

public sealed class RecipeTests
{
    private const string Quadrants =
        """{ "views": { "branches": [{ "count": 2, "masks": [{ "shape": "grid", "cell": 14 }] }] } }""";

    private static Recipe Resolve(string layer, params string[] assignments) => Recipe.Resolve(
        [OptionsJson.Parse(layer, "layer")], assignments, Sample);

    private static IImageSource Sample(DataOptions options) => ImageSources.Open("fashion-mnist:sample", options);

    [Fact]
    public void Resolve_ViewsOfALayer_ReplaceThoseOfThePreset()
    {
        var mask = Assert.IsType<GridMask>(Assert.Single(Assert.Single(Resolve(Quadrants).Views.Branches).Masks));
        Assert.Equal(14, mask.Cell);
        Assert.Equal(FillKind.Zero, mask.Fill.Kind);
    }

    [Theory]
    [InlineData("views.preset=crop")]
    [InlineData("views={\"preset\":\"crop\"}")]
    public void Resolve_AnotherPresetThanTheLayers_TakesItsViewsAlone(string assignment)
    {
        var views = Resolve(Quadrants, assignment).Views;
        Assert.Equal("crop", views.Preset);
        Assert.Equal(0, views.HighPass.Sigma);
        ViewPolicy branch = Assert.Single(views.Branches);
        Assert.Empty(branch.Masks);
        Assert.Equal(1, branch.Crop.Probability);
    }

    [Fact]
    public void Resolve_NaiveMasks_AreBlack()
    {
        var views = Resolve(Quadrants, "views.preset=naive-mask", "views.branches.0.masks.0.cell=14").Views;
        var mask = Assert.IsType<GridMask>(Assert.Single(views.Branches[0].Masks));
        Assert.Equal((14, FillKind.Black, 0.0), (mask.Cell, mask.Fill.Kind, views.HighPass.Sigma));
    }

    [Fact]
    public void Resolve_PresetOfTheLayerAgain_KeepsItsViews()
    {
        var mask = Assert.IsType<GridMask>(Resolve(Quadrants, "views.preset=mscn").Views.Branches[0].Masks[0]);
        Assert.Equal(14, mask.Cell);
    }

    [Fact]
    public void Resolve_ViewsAsAName_IsAFaultOfTheRecipe() =>
        Assert.Contains("views", Assert.Throws<OptionsException>(() => Resolve("""{ "views": "mscn" }""")).Message);

    [Fact]
    public void Resolve_FaultsOfEveryKind_AreListedTogether()
    {
        string message = Assert.Throws<OptionsException>(() =>
            Resolve("{}", "views.preset=mcsn", "training.epoch=3", "optimizer.learningRate=-1", "backbone.name=resnet19",
                "optimizer.warmupEpochs=500")).Message;
        Assert.All(["views.preset: \"mcsn\"", "training.epoch: there is no such option", "optimizer.learningRate: -1 is outside",
            "backbone.name: \"resnet19\"", "optimizer.warmupEpochs: 500 epochs"], fault => Assert.Contains(fault, message));
    }

    [Fact]
    public void Resolve_AnotherKindThatIsUnknown_IsListedWithTheRest()
    {
        string message = Assert.Throws<OptionsException>(() => Resolve("{}", "method=byul", "training.epochs=0")).Message;
        Assert.All(["method.name: \"byul\" is none of: align-uniform, barlow-twins, byol", "training.epochs: 0 is outside"],
            fault => Assert.Contains(fault, message));
    }

    private const string Small =
        """{ "backbone": { "width": 16, "depths": [1, 1, 1, 1] }, "optimizer": { "learningRate": 2e-3, "warmupEpochs": 1 } }""";

    [Theory]
    [InlineData("backbone.name=resnet50")]
    [InlineData("backbone=resnet50")]
    [InlineData("backbone={\"name\":\"resnet50\"}")]
    public void Resolve_AnotherBackbone_TakesItsOwnDefaults(string assignment)
    {
        Recipe recipe = Resolve(Small, assignment);
        Assert.Equal(("resnet50", 0), (recipe.Backbone.Name, recipe.Backbone.Width));
        Assert.Empty(recipe.Backbone.Depths);
        Assert.Equal(2e-3, recipe.Optimizer.LearningRate); // another part
    }

    [Fact]
    public void Resolve_TheSameBackbone_KeepsTheLayers() =>
        Assert.Equal(16, Resolve(Small, "backbone.name=resnet18").Backbone.Width);

    [Theory]
    [InlineData("backbone.width=24", "backbone.name=resnet50")]
    [InlineData("backbone.name=resnet50", "backbone.width=24")]
    public void Resolve_OptionsBesideAnotherKind_HoldInAnyOrder(string first, string second)
    {
        Recipe recipe = Resolve(Small, first, second);
        Assert.Equal(("resnet50", 24), (recipe.Backbone.Name, recipe.Backbone.Width));
        Assert.Empty(recipe.Backbone.Depths);
    }

    [Fact]
    public void Resolve_OptionsOfTheOtherKind_AreRefused() => Assert.Contains("optimizer.momentum: there is no such option",
        Assert.Throws<OptionsException>(() =>
            Resolve("{}", "optimizer=sgd", "optimizer.momentum=0.5", "optimizer=adamw")).Message);

    [Theory]
    [InlineData("optimizer.learningRate=0.1", "optimizer=lars", 0.1)]
    [InlineData("optimizer=lars", "optimizer.name=lars", 0.3)]
    public void Resolve_AnotherOptimizer_DropsTheRateOfTheLayer(string first, string second, double rate) =>
        Assert.Equal(rate, Resolve(Small, first, second).Optimizer.LearningRate);

    [Fact]
    public void Resolve_MaskOfAnotherShape_KeepsWhatIsSetBesideIt()
    {
        Recipe recipe = Resolve(Quadrants, "views.branches.0.masks.0.minKeep=0.5", "views.branches.0.masks.0.shape=focal");
        Assert.Equal(new FocalMask { MinKeep = 0.5 }, recipe.Views.Branches[0].Masks[0]);
    }

    [Fact]
    public void Resolve_KindsInLayers_TheHigherDropsTheLower()
    {
        JsonObject Layer(string text) => OptionsJson.Parse(text, "layer");
        Recipe recipe = Recipe.Resolve([Layer(Small), Layer("""{ "backbone": { "name": "vit_ti" } }"""),
            Layer("""{ "backbone": { "patchSize": 7 } }""")], [], Sample);
        Assert.Equal(("vit_ti", 0, 7), (recipe.Backbone.Name, recipe.Backbone.Width, recipe.Backbone.PatchSize));
        recipe = Recipe.Resolve([Layer(Quadrants), Layer("""{ "views": { "preset": "crop" } }""")], [], Sample);
        Assert.Empty(recipe.Views.Branches[0].Masks); // the masks were written for the preset below
    }

    [Theory]
    [InlineData("optimizer=lars", "optimizer.warmupEpochs=1")]
    [InlineData("backbone.name=resnet50", "backbone.width=8")]
    [InlineData("views.preset=crop", "training.epochs=20")]
    [InlineData("views.branches.0.masks.0.shape=focal", "views.branches.0.masks.0.minKeep=0.4")]
    [InlineData("method=byol", "method.emaDecay=0.5")]
    [InlineData("views.preset=paper", "method=swav")]
    public void Resolve_TheSameOverAStoredRecipe_IsTheSame(params string[] assignments)
    {
        JsonObject[] layers = [OptionsJson.Parse(Small, "small"), OptionsJson.Parse(Quadrants, "quadrants")];
        JsonObject first = OptionsJson.Write(Recipe.Resolve(layers, assignments, Sample));
        Assert.Empty(OptionTree.Differences(first, OptionsJson.Write(Recipe.Resolve(layers, assignments, Sample, first))));
        Assert.Empty(OptionTree.Differences(first, OptionsJson.Write(Recipe.Resolve([], [], Sample, first))));
        Assert.Empty(OptionTree.Differences(first, OptionsJson.Write(Recipe.Resolve([], assignments, Sample, first))));
    }

    [Fact]
    public void Resolve_AnotherRecipeOverAStoredOne_Differs()
    {
        JsonObject stored = OptionsJson.Write(Resolve(Small, "optimizer=lars", "optimizer.warmupEpochs=1"));
        Recipe again = Recipe.Resolve([OptionsJson.Parse(Small, "small")], [], Sample, stored);
        Assert.Equal(["optimizer.learningRate"], OptionTree.Differences(stored, OptionsJson.Write(again)).Select(d => d.Path));
    }

    [Theory]
    [InlineData(10, false)]
    [InlineData(9, true)]
    public void Resolve_WarmupLongerThanTheRun_IsAFault(int epochs, bool fault)
    {
        Recipe Lars() => Resolve("{}", "optimizer=lars", $"training.epochs={epochs}"); // LARS warms up for 10 epochs
        if (fault)
            Assert.Contains("optimizer.warmupEpochs: 10 epochs of warm-up, but training.epochs is 9",
                Assert.Throws<OptionsException>(Lars).Message);
        else Assert.Equal(10, Lars().Optimizer.WarmupEpochs);
    }

    [Theory]
    [InlineData("--set method.queueSize=128", "method=moco-v2")]
    [InlineData("--set method.prototypes=12", "method=swav", "training.epochs=2")]
    [InlineData("--set method.prototypes=12", "method=msn")]
    [InlineData("--set method.outputs=12", "method=dino")]
    [InlineData("--set method.queueFromEpoch=2", "method=swav", "method.prototypes=12",
        "method.queueSize=64", "training.epochs=4")]
    [InlineData("the prototypes never learn", "method=swav", "method.prototypes=12", "training.epochs=1")]
    [InlineData("kernel of 6 sigma. --set views.highPass.kernel=25", "views.highPass.sigma=4", "views.highPass.kernel=3")]
    [InlineData("kernel of 6 sigma. Give a smaller sigma, such as --set views.highPass.sigma=2.2",
        "views.highPass.sigma=50", "views.highPass.kernel=13")]
    [InlineData("the views are enlarged", "views.branches.0.size=64")]
    [InlineData("--set training.threads=2", "training.threads=64")]
    [InlineData("may take away more than is learned", "optimizer.weightDecay=5")]
    [InlineData("learns nothing", "optimizer.learningRate=0")]
    [InlineData("All views of an image are the same, pixel by pixel", "views.branches.0.masks=[]")]
    public void NotesFor_WhatIsProbablyNotMeant_SaysWhatToSet(string advice, params string[] assignments) =>
        Assert.Contains(advice,
            Assert.Single(Resolve("{}", ["training.batchSize=64", .. assignments]).NotesFor(128, 28, processors: 2)));

    [Theory]
    [InlineData(28)]
    [InlineData(64)]
    [InlineData(224)]
    public void NotesFor_PresetsAndUsualMethods_AreNone(int size)
    {
        foreach (string preset in ViewPresets.Names)
            Assert.Empty(Resolve("{}", $"views.preset={preset}", $"data.size={size}").NotesFor(10_000, size, processors: 2));
        foreach (string method in new[] { "byol", "simsiam", "vicreg", "moco-v3", "pirl" })
            Assert.Empty(Resolve("{}", $"method={method}").NotesFor(10_000, 28, processors: 2));
    }

    [Fact]
    public void Resolve_KeyThatIsNoOption_IsNotTakenForADeepOne() => Assert.Contains("name: a recipe has none: leave it out",
        Assert.Throws<OptionsException>(() => Resolve("""{ "name": "mine" }""")).Message);

    [Fact]
    public void Resolve_NoPenalty_IsAFault() => Assert.Contains("evaluation.linearPenalties: there are none",
        Assert.Throws<OptionsException>(() => Resolve("{}", "evaluation.linearPenalties=[]")).Message);

    [Fact]
    public void Reread_RecipeOfAnEarlierVersion_TakesOptionsThatItDoesNotHave()
    {
        var stored = OptionsJson.Write(new Recipe { Views = ViewPresets.Make("mscn", 28, 1) });
        Assert.True(stored["evaluation"]!.AsObject().Remove("fineTune"));
        Assert.Equal(3, Recipe.Reread(stored, ["evaluation.fineTune.epochs=3"]).Evaluation.FineTune.Epochs);
        Assert.Null(stored["evaluation"]!["fineTune"]); // what was read is not changed
    }
}

using SiamSharp.Data;
using SiamSharp.Masking;
using SiamSharp.Recipes;
using Xunit;

namespace SiamSharp.Tests.Recipes;

public sealed class RecipeTests
{
    private const string Quadrants = """{ "views": { "branches": [{ "count": 2, "masks": [{ "shape": "grid", "cell": 14 }] }] } }""";

    private static Recipe Resolve(string layer, params string[] assignments) => Recipe.Resolve(
        [OptionsJson.Parse(layer, "layer")], assignments, options => ImageSources.Open("fashion-mnist:sample", options));

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
        var branch = Assert.Single(views.Branches);
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
        Assert.Contains("views", Assert.Throws<RecipeException>(() => Resolve("""{ "views": "mscn" }""")).Message);

    [Fact]
    public void Resolve_FaultsOfEveryKind_AreListedTogether()
    {
        string message = Assert.Throws<RecipeException>(() =>
            Resolve("{}", "views.preset=mcsn", "training.epoch=3", "optimizer.learningRate=-1", "backbone.name=resnet19", "optimizer.warmupEpochs=500")).Message;
        Assert.All(["views.preset: \"mcsn\"", "training.epoch: there is no such option", "optimizer.learningRate: -1 is outside", "backbone.name: \"resnet19\"",
            "optimizer.warmupEpochs: 500 epochs"], fault => Assert.Contains(fault, message));
    }

    [Fact]
    public void Resolve_AnotherKindThatIsUnknown_IsListedWithTheRest()
    {
        string message = Assert.Throws<RecipeException>(() => Resolve("{}", "method=byul", "training.epochs=0")).Message;
        Assert.All(["method.name: \"byul\" is none of: align-uniform, barlow-twins, byol", "training.epochs: 0 is outside"], fault => Assert.Contains(fault, message));
    }

    [Theory]
    [InlineData(10, false)]
    [InlineData(9, true)]
    public void Resolve_WarmupLongerThanTheRun_IsAFault(int epochs, bool fault)
    {
        Recipe Lars() => Resolve("{}", "optimizer=lars", $"training.epochs={epochs}"); // LARS warms up for 10 epochs
        if (fault) Assert.Contains("optimizer.warmupEpochs: 10 epochs of warm-up, but training.epochs is 9", Assert.Throws<RecipeException>(Lars).Message);
        else Assert.Equal(10, Lars().Optimizer.WarmupEpochs);
    }

    [Fact]
    public void Resolve_NoPenalty_IsAFault() => Assert.Contains("evaluation.linearPenalties: there are none",
        Assert.Throws<RecipeException>(() => Resolve("{}", "evaluation.linearPenalties=[]")).Message);

    [Fact]
    public void Reread_RecipeOfAnEarlierVersion_TakesOptionsThatItDoesNotHave()
    {
        var stored = OptionsJson.Write(new Recipe { Views = SiamSharp.Views.ViewsOptions.FromPreset("mscn", 28, 1) });
        Assert.True(stored["evaluation"]!.AsObject().Remove("fineTune"));
        Assert.Equal(3, Recipe.Reread(stored, ["evaluation.fineTune.epochs=3"]).Evaluation.FineTune.Epochs);
        Assert.Null(stored["evaluation"]!["fineTune"]); // what was read is not changed
    }
}

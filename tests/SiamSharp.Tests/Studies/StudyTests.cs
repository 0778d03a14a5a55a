using System.Runtime.CompilerServices;
using SiamSharp.Data;
using SiamSharp.Masking;
using SiamSharp.Methods;
using SiamSharp.Options;
using SiamSharp.Studies;
using Xunit;

namespace SiamSharp.Tests.Studies;

public sealed class StudyTests
{
    private static Study Parse(string rows, string more = "") => OptionsJson.Read<Study>(OptionsJson.Parse(
        $$"""{ "pretrain": "a", "test": "b", "rows": [{{rows}}] {{more}} }""", "study"));

    private static IImageSource Images(DataOptions options) => ImageSources.Open("fashion-mnist:sample#..300", options);

    [Fact]
    public void Runs_RowsFromRows_LayRecipesAndAssignmentsInOrder()
    {
        Study study = Parse("""
            { "name": "naive", "recipe": { "views": { "preset": "naive-mask" }, "training": { "epochs": 7 } } },
            { "name": "deep", "from": "naive", "set": ["method=byol", "training.epochs=8"] },
            { "name": "cell", "from": "deep", "baselines": true, "vary": "views.branches.0.masks.0.cell", "values": [4, 14] }
            """, """, "seeds": [5, 9], "threads": 2, "recipe": { "training": { "epochs": 3, "batchSize": 50 } } """);
        IReadOnlyList<StudyRun> runs = study.Runs(["training.batchSize=60"], Images);

        // Seed by seed, so that every row has its first run early.
        Assert.Equal(["naive-5", "deep-5", "cell-4-5", "cell-14-5", "naive-9", "deep-9", "cell-4-9", "cell-14-9"],
            runs.Select(r => r.Name));
        Assert.Equal([5, 5, 5, 5, 9, 9, 9, 9], runs.Select(r => r.Recipe.Training.Seed));
        Assert.Equal([7, 8, 8, 8], runs.Take(4).Select(r => r.Recipe.Training.Epochs));
        Assert.Equal([true, false, true, true], runs.Take(4).Select(r => r.Recipe.Evaluation.Baselines));
        Assert.All(runs, r => Assert.Equal((60, 2), (r.Recipe.Training.BatchSize, r.Recipe.Training.Threads)));
        Assert.All(runs, r => Assert.Equal("naive-mask", r.Recipe.Views.Preset));
        Assert.IsType<SimClrOptions>(runs[0].Recipe.Method);
        Assert.IsType<ByolOptions>(runs[1].Recipe.Method);
        Assert.Equal([4, 14], runs.Skip(2).Take(2).Select(r => ((GridMask)r.Recipe.Views.Branches[0].Masks[0]).Cell));
    }

    [Fact]
    public void Read_NamesInAnotherSpelling_AreTheSameRows()
    {
        Study study =
            Parse("""{ "name": "A b", "set": ["training.epochs=7"] }, { "name": "c", "from": "a-b", "against": "a b" }""",
                """, "seeds": [1]""");
        Assert.Equal([7, 7], study.Runs([], Images).Select(r => r.Recipe.Training.Epochs));
    }

    [Fact]
    public void Faults_UnknownProtocol_IsNamed() => Assert.Equal(["protocols"],
        new Study
        {
            Pretrain = "a",
            Test = "b",
            Rows = [new StudyRow { Name = "a" }],
            Protocols = [(SiamSharp.Evaluation.Protocol)99]
        }.Faults().Select(f => f.Path));

    [Fact]
    public void Runs_WrongRecipes_AreListedForAllRows()
    {
        Study study = Parse(
            """{ "name": "a", "set": ["training.epochs=0"] }, { "name": "b" }, { "name": "c", "set": ["backbone.name=x"] }""");
        OptionsException wrong = Assert.Throws<OptionsException>(() => study.Runs([], Images));
        Assert.Equal(["row \"a\", training.epochs", "row \"c\", backbone.name"], wrong.Faults.Select(f => f.Path));
    }

    [Fact]
    public void Notes_RowsOfOneRecipe_AreNamed()
    {
        Study study =
            Parse("""{ "name": "a" }, { "name": "b", "baselines": true }, { "name": "c", "set": ["optimizer.learningRate=0"] }""",
                """, "threads": 4""");
        Assert.Equal(
            [
                "The rows \"a\" and \"b\" have the same recipe, so that their scores are the same too: "
                    + "change one of them, or leave it out.",
                "training.threads is 4, but this machine has 2 processors: "
                    + "more threads than processors make a run slower. --set training.threads=2.",
                "Row \"c\": optimizer.learningRate is 0: the network stays as it is and learns nothing.",
            ],
            Study.Notes(study.Runs([], Images), images: 300, processors: 2));
    }

    [Fact]
    public void Read_NameTooLongForAFolder_IsRefused() =>
        Assert.Contains("has 300 letters, but it becomes the name of a folder: at most 100",
            Assert.Throws<OptionsException>(() => Parse($$"""{ "name": "{{new string('x', 300)}}" }""")).Message);

    [Theory]
    [InlineData("training.seed=5")]
    [InlineData("training.threads=2")]
    [InlineData("evaluation.baselines=true")]
    public void Runs_OptionThatTheStudyDecides_IsRefused(string assignment)
    {
        OptionsException wrong = Assert.Throws<OptionsException>(() => Parse("""{ "name": "a" }""").Runs([assignment], Images));
        Assert.Equal($"--set {assignment.Split('=')[0]}", Assert.Single(wrong.Faults).Path);
    }

    public static TheoryData<string> Files =>
        [.. Directory.GetFiles(Path.Combine(Root(), "studies")).Select(path => Path.GetFileName(path)!)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Runs_OfTheRepositorysStudies_HaveNoFaults(string file)
    {
        Study study = Study.Read(Path.Combine(Root(), "studies", file));
        Assert.Equal(study.Seeds.Count * study.Rows.Sum(r => Math.Max(1, r.Values.Count)), study.Runs([], Images).Count);
    }

    private static string Root([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "../../.."));

    [Theory]
    [InlineData("""{ "name": "a", "from": "b" }, { "name": "b" }""", "rows.0.from")]
    [InlineData("""{ "name": "a", "against": "b" }, { "name": "b" }""", "rows.0.against")]
    [InlineData("""{ "name": "+ a" }, { "name": "A" }""", "rows.1.name")]
    [InlineData("""{ "name": "+" }""", "rows.0.name")]
    [InlineData("""{ "name": "a", "vary": "training.epochs" }""", "rows.0.values")]
    [InlineData("""{ "name": "a", "values": [1] }""", "rows.0.vary")]
    [InlineData("""{ "name": "a", "colour": 1 }""", "rows.0.colour")]
    [InlineData("""{ "name": "a", "set": ["training.threads=2"] }""", "rows.0, training.threads")]
    [InlineData("""{ "name": "a", "recipe": { "training": { "seed": 2 } } }""", "rows.0, training.seed")]
    [InlineData("""{ "name": "a", "vary": "training.seed", "values": [1, 2] }""", "rows.0, training.seed")]
    [InlineData("", "rows")]
    public void Read_BrokenRule_NamesItsPlace(string rows, string path) =>
        Assert.Equal([path], Assert.Throws<OptionsException>(() => Parse(rows)).Faults.Select(f => f.Path));

    [Theory]
    [InlineData("""{ "name": "a", "from": "b" }, { "name": "b" }""", "it comes later. Move it up")]
    [InlineData("""{ "name": "a", "against": "a" }""", "this row itself")]
    [InlineData("""{ "name": "wide" }, { "name": "b", "against": "wied" }""", "did you mean wide?")]
    public void Read_RowThatIsNotBefore_SaysWhatToDo(string rows, string advice) =>
        Assert.Contains(advice, Assert.Throws<OptionsException>(() => Parse(rows)).Faults[0].Problem);

    [Theory]
    [InlineData(""", "seeds": [1, 1]""", "seeds")]
    [InlineData(""", "seeds": []""", "seeds")]
    [InlineData(""", "protocols": ["knnn"]""", "protocols.0")]
    [InlineData(""", "threads": 0""", "threads")]
    public void Read_WrongSettings_AreNamed(string more, string path) =>
        Assert.Equal(
            [path], Assert.Throws<OptionsException>(() => Parse("""{ "name": "a" }""", more)).Faults.Select(f => f.Path));
}

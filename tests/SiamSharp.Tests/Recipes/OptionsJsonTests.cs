using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using SiamSharp.Options;
using Xunit;

namespace SiamSharp.Tests.Recipes;

public class OptionsJsonTests
{
    [JsonPolymorphic(TypeDiscriminatorPropertyName = "shape")]
    [JsonDerivedType(typeof(Round), "round")]
    [JsonDerivedType(typeof(Square), "square")]
    public abstract record Form { [Range(0.0, 1.0)] public double Share { get; init; } = 1; }

    public sealed record Round : Form { [Range(1, 9)] public int Radius { get; init; } = 3; }

    public sealed record Square : Form;

    public sealed record Options : IHasRules
    {
        [Range(1, 100)] public int Epochs { get; init; } = 10;
        public string Name { get; init; } = "a";
        public IReadOnlyList<Form> Forms { get; init; } = [new Round()];
        [Range(0.0, 1.0)] public IReadOnlyList<double> Shares { get; init; } = [0.5];

        public IEnumerable<Fault> Faults()
        {
            if (Name == "wrong") yield return new Fault("name", "must not be wrong");
        }
    }

    private static JsonObject Tree(string json) => OptionsJson.Parse(json, "test.json");

    private static string[] FaultsOf(string json) =>
        [.. Assert.Throws<OptionsException>(() => OptionsJson.Read<Options>(Tree(json))).Faults.Select(f => f.Path).Order()];

    [Fact]
    public void Read_EmptyObject_GivesDefaults() => Assert.Equal(10, OptionsJson.Read<Options>(Tree("{}")).Epochs);

    [Fact]
    public void Read_WrittenOptions_AreTheSame()
    {
        var options =
            new Options { Epochs = 7, Forms = [new Square { Share = 0.25 }, new Round { Radius = 4 }], Shares = [0.1, 1e-9] };
        Options again = OptionsJson.Read<Options>(OptionsJson.Write(options));
        Assert.Equal(
            options with { Forms = [], Shares = [] }, again with { Forms = options.Forms.Take(0).ToArray(), Shares = [] },
            (a, b) => (a!.Epochs, a.Name) == (b!.Epochs, b.Name));
        Assert.Equal(options.Forms, again.Forms);
        Assert.Equal(options.Shares, again.Shares);
    }

    [Fact]
    public void Read_CommentsTrailingCommasAndLateDiscriminator_AreAllowed()
    {
        var options = OptionsJson.Read<Options>(
            Tree("{ /* few */ \"epochs\": 3, \"forms\": [ { \"radius\": 5, \"shape\": \"round\" }, ], }"));
        Assert.Equal(5, Assert.IsType<Round>(Assert.Single(options.Forms)).Radius);
    }

    [Fact]
    public void Read_ValueInPlaceOfAListOrObject_ShowsHowToWriteIt()
    {
        string Problem(string json) =>
            Assert.Throws<OptionsException>(() => OptionsJson.Read<Options>(Tree(json))).Faults.Single().Problem;
        Assert.Equal("5 is not a list, such as [5]", Problem("""{ "shares": 5 }"""));
        Assert.Equal("5 is not a list, [ ... ]", Problem("""{ "forms": 5 }"""));
        Assert.Equal("5 is not an object, { ... }; its options: forms.0.shape", Problem("""{ "forms": [5] }"""));
    }

    [Fact]
    public void Read_ManyFaults_ListsThemAll() => Assert.Equal(
        ["epochs", "forms.0.radius", "forms.0.share", "forms.1.shape", "forms.2.shape", "name", "nonsense", "shares.1"],
        FaultsOf("""
            { "epochs": 0, "name": 5, "nonsense": 1, "shares": [0.5, 2],
              "forms": [ { "shape": "round", "radius": 1.5, "share": 3 }, { "shape": "oval" }, { } ] }
            """));

    [Theory]
    [InlineData("""{ "epochs": null }""", "epochs")]
    [InlineData("""{ "epochs": "5" }""", "epochs")]
    [InlineData("""{ "forms": {} }""", "forms")]
    [InlineData("""{ "forms": [1] }""", "forms.0")]
    [InlineData("""{ "name": "wrong" }""", "name")]
    public void Read_OneFault_NamesItsPath(string json, string path) => Assert.Equal([path], FaultsOf(json));

    [Fact]
    public void Read_OutOfRange_SaysValueAndRange()
    {
        var fault = Assert.Throws<OptionsException>(() => OptionsJson.Read<Options>(Tree("""{ "epochs": 101 }""")));
        Assert.Equal("epochs: 101 is outside 1 to 100", fault.Message);
    }

    [Theory]
    [InlineData("""{ "epochs": "5" }""", "; write 5, without quotes")]
    [InlineData("""{ "epochs": 5.0 }""", "; write 5")]
    [InlineData("""{ "epochs": 1e1 }""", "; write 10")]
    [InlineData("""{ "epochs": 1.5 }""", "1 to 100")]
    public void Read_NumberInAnotherForm_SaysHowToWriteIt(string json, string advice) =>
        Assert.EndsWith(advice, Assert.Throws<OptionsException>(() => OptionsJson.Read<Options>(Tree(json))).Message);

    [Theory]
    [InlineData("""{ "a": { "b": NaN } }""", "test.json: line 1: a.b: NaN is no value in JSON: give a number")]
    [InlineData("{ \"a\": {},\n \"b\": [1, -Infinity] }", "test.json: line 2: b: -Infinity is no value in JSON: give a number")]
    [InlineData("""{ "a": True }""", "test.json: line 1: a: True is true in JSON: write it in small letters")]
    [InlineData("""{ "a": None }""", "test.json: line 1: a: None is no value in JSON: leave the key out for its default")]
    [InlineData("""{ "a": .5 }""", "test.json: line 1: a: a fraction needs a digit ahead of its point: write 0.5 for .5")]
    [InlineData("""{ "a": 'x' }""", "test.json: line 1: a: texts stand in double quotes, \"...\"")]
    public void Parse_ValueOfAnotherLanguage_NamesPathAndFix(string text, string message) =>
        Assert.Equal(message, Assert.Throws<OptionsException>(() => Tree(text)).Message);

    [Theory]
    [InlineData("""{ "epochs": 1, "epochs": 2 }""")]
    [InlineData("[1]")]
    [InlineData("{ epochs: 1 }")]
    [InlineData("")]
    public void Parse_NoStrictObject_Throws(string text)
    {
        string message = Assert.Throws<OptionsException>(() => Tree(text)).Message;
        Assert.StartsWith("test.json: ", message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Merge_ObjectsByKey_ListsWhole()
    {
        JsonObject tree = Tree("""{ "a": { "x": 1, "y": 2 }, "b": [1, 2] }""");
        OptionTree.Merge(tree, Tree("""{ "a": { "y": 3 }, "b": [4] }"""));
        Assert.Equal("""{"a":{"x":1,"y":3},"b":[4]}""", tree.ToJsonString());
    }

    [Fact]
    public void Merge_AnotherKind_StartsAfresh()
    {
        JsonObject tree = Tree("""{ "method": { "name": "simclr", "temperature": 0.2 } }""");
        OptionTree.Merge(tree, Tree("""{ "method": { "name": "byol" } }"""));
        Assert.Equal("""{"method":{"name":"byol"}}""", tree.ToJsonString());
    }

    [Theory]
    [InlineData("a.x=5", """{"a":{"x":5},"b":[{"c":1}]}""")]
    [InlineData("b.0.c=two words", """{"a":{"x":1},"b":[{"c":"two words"}]}""")]
    [InlineData("b=[]", """{"a":{"x":1},"b":[]}""")]
    [InlineData("a.x=1=2", """{"a":{"x":"1=2"},"b":[{"c":1}]}""")]
    public void Set_Path_SetsValue(string assignment, string expected)
    {
        JsonObject tree = Tree("""{ "a": { "x": 1 }, "b": [ { "c": 1 } ] }""");
        OptionTree.Set(tree, assignment);
        Assert.Equal(expected, tree.ToJsonString());
    }

    [Theory]
    [InlineData("method=byol", """{"method":{"name":"byol"}}""")]
    [InlineData("method.name=byol", """{"method":{"name":"byol"}}""")]
    [InlineData("method=simclr", """{"method":{"name":"simclr","temperature":0.2}}""")]
    [InlineData("method.temperature=1", """{"method":{"name":"simclr","temperature":1}}""")]
    public void Set_Kind_DropsWhatBelongsToAnother(string assignment, string expected)
    {
        JsonObject tree = Tree("""{ "method": { "name": "simclr", "temperature": 0.2 } }""");
        OptionTree.Set(tree, assignment);
        Assert.Equal(expected, tree.ToJsonString());
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("=1")]
    [InlineData("b.7.c=1")]
    [InlineData("b.7=1")]
    public void Set_WrongPath_Throws(string assignment) =>
        Assert.Throws<OptionsException>(() => OptionTree.Set(Tree("""{ "a": { "x": 1 }, "b": [ { "c": 1 } ] }"""), assignment));

    [Fact]
    public void Differences_NestedChanges_AreAllNamed()
    {
        var differences = OptionTree.Differences(Tree("""{ "a": { "x": 1 }, "b": [1, 2], "c": 1 }"""),
            Tree("""{ "a": { "x": 2 }, "b": [1, 3], "d": 1 }"""));
        Assert.Equal(["a.x", "b.1", "c", "d"], differences.Select(d => d.Path));
        Assert.Equal("the run has 1, asked for is 2", differences[0].Problem);
    }
}

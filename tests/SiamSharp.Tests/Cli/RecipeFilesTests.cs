using SiamSharp.Cli;
using SiamSharp.Data;
using SiamSharp.Methods;
using SiamSharp.Options;
using SiamSharp.Recipes;
using Xunit;

namespace SiamSharp.Tests.Cli;

/// <summary>The recipes that come with the program.</summary>
public sealed class RecipeFilesTests
{
    public static TheoryData<string> Names => [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "recipes"), "*.json")
        .Select(p => Path.GetFileNameWithoutExtension(p)!)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Layers_OfABuiltInRecipe_HaveNoFaults(string name)
    {
        Recipe recipe = Recipe.Resolve(RecipeFiles.Layers(name), [],
            options => ImageSources.Open("fashion-mnist:sample", options));
        Assert.Empty(recipe.FaultsFor(64, 3));
    }

    [Fact]
    public void Names_OfRecipes_HoldOneForEachFramework()
    {
        string[] methods = [.. OptionsJson.Serializer.GetTypeInfo(typeof(MethodOptions)).PolymorphismOptions!.DerivedTypes
            .Where(t => t.DerivedType.Assembly == typeof(MethodOptions).Assembly) // without the framework of the tests' own
            .Select(t => (string)t.TypeDiscriminator!)];
        Assert.Equal(12, methods.Length);
        foreach (string method in methods)
        {
            Assert.Contains(method, Names.Select(n => n.Data));
            Recipe recipe = Recipe.Resolve(RecipeFiles.Layers(method), [],
                options => ImageSources.Open("fashion-mnist:sample", options));
            Assert.Equal(method, OptionsJson.KindOf(recipe.Method));
        }
    }
}

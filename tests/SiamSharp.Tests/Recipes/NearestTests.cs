using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Recipes;
using Xunit;

namespace SiamSharp.Tests.Recipes;

/// <summary>Names that were probably meant, and numbers that people write.</summary>
public sealed class NearestTests
{
    private static readonly string[] s_names = ["simclr", "simsiam", "barlow-twins", "fashion-mnist", "vicreg"];

    [Theory]
    [InlineData("simcrl", "simclr")]
    [InlineData("SimCLR", "simclr")]
    [InlineData("barlow_twins", "barlow-twins")]
    [InlineData("fashion", "fashion-mnist")]
    [InlineData("vicregg", "vicreg")]
    [InlineData("supervised", null)]
    [InlineData("", null)]
    public void To_AName_IsTheOneMeant(string found, string? meant) => Assert.Equal(meant, Nearest.To(found, s_names));

    [Theory]
    [InlineData("epochs", "training.epochs")]
    [InlineData("learning-rate", "optimizer.learningRate")]
    [InlineData("temperature", "method.temperature")]
    [InlineData("data", null)] // options stand within it
    public void PathTo_AnOption_IsItsPath(string name, string? path) =>
        Assert.Equal(path, OptionListing.PathTo(typeof(Recipe), name));

    [Theory]
    [InlineData("1.5", 1.5)]
    [InlineData("-2e-3", -2e-3)]
    [InlineData("1,5", null)]
    [InlineData("1,000", null)]
    [InlineData(" 1", null)]
    [InlineData("1 ", null)]
    [InlineData("0x10", null)]
    [InlineData("NaN", null)]
    [InlineData("Infinity", null)]
    [InlineData("1e999", null)]
    [InlineData("1_000", null)]
    [InlineData("١", null)] // a digit, but none of ours
    [InlineData("$5", null)]
    [InlineData("(5)", null)]
    public void TryReal_Strict(string text, double? expected) =>
        Assert.Equal(expected, Numbers.TryReal(text, out double number) ? number : null);

    [Theory]
    [InlineData("12", 12)]
    [InlineData("1.0", null)]
    [InlineData("1,000", null)]
    [InlineData("1e3", null)]
    [InlineData("99999999999", null)]
    [InlineData("", null)]
    public void TryWhole_Strict(string text, int? expected) =>
        Assert.Equal(expected, Numbers.TryWhole(text, out int number) ? number : null);
}

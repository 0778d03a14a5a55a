using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using SiamSharp.Data;
using SiamSharp.Recipes;
using SiamSharp.Training;
using SiamSharp.Views;

namespace SiamSharp.Cli.Commands;

/// <summary>Which encoder: that of a run, or a published network with weights from a file.</summary>
internal sealed class EncoderOptions
{
    private readonly Option<string> _run = new("--run") { Description = "The run whose encoder is used.", HelpName = "DIR" };
    private readonly Option<string> _backbone = new("--backbone") { Description = "Instead of --run: a network by torchvision's name, such as resnet50.", HelpName = "NAME" };
    private readonly Option<string> _weights = new("--weights") { Description = "Its weights: .safetensors or .pth, with torchvision's or timm's names.", HelpName = "FILE" };
    private readonly Option<int> _size = new("--size") { Description = "With --backbone: side of the images in pixels.", DefaultValueFactory = _ => 224 };
    private readonly Option<string> _mean = new("--mean") { Description = "With --backbone: mean of each channel, for pixels from 0 to 1.", DefaultValueFactory = _ => "0.485,0.456,0.406", HelpName = "R,G,B" };
    private readonly Option<string> _std = new("--std") { Description = "With --backbone: standard deviation of each channel.", DefaultValueFactory = _ => "0.229,0.224,0.225", HelpName = "R,G,B" };
    private readonly Option<double> _highPass = new("--high-pass") { Description = "With --backbone: sigma of the high-pass in pixels; 0 = none.", HelpName = "SIGMA" };

    private const int HighPassKernel = 13; // in pixels, as in training

    internal void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _run, _backbone, _weights, _size, _mean, _std, _highPass }) command.Options.Add(option);
    }

    /// <summary>Opens the encoder that was asked for.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="assignments">Of data.*.</param>
    /// <param name="open">Opens the images.</param>
    /// <returns>The encoder, owned by the caller; a recipe that decodes images as it needs them; what the user calls the encoder.</returns>
    internal (Encoder Encoder, Recipe Recipe, string Name) Open(ParseResult parsed, string[] assignments, Func<DataOptions, IImageSource> open)
    {
        string? run = parsed.GetValue(_run), name = parsed.GetValue(_backbone), weights = parsed.GetValue(_weights);
        if (run is null == (name is null))
            throw new RecipeException([new Fault("--run", "give either --run DIR, or --backbone NAME with --weights FILE")]);
        CheckData(assignments);
        if (run is not null)
        {
            var folder = new RunFolder(run);
            Recipe own = Recipe.Reread(folder.ReadRecipe(), assignments);
            var encoder = Encoder.Load(folder.Encoder);
            return (encoder, own with { Data = own.Data.For(encoder) }, run);
        }
        if (weights is null) throw new RecipeException([new Fault("--weights", $"give the file with the weights of {name}")]);
        double[] mean = Numbers(parsed, _mean), std = Numbers(parsed, _std);
        int size = parsed.GetValue(_size);
        double sigma = parsed.GetValue(_highPass);
        if (mean.Length != std.Length || std.Any(s => s <= 0)) throw new RecipeException([new Fault("--std", $"must hold one number above 0 for each of the {mean.Length} channels of --mean")]);
        if (size is < 8 or > 1024) throw new RecipeException([new Fault("--size", $"is {size}; 8 to 1024 pixels are allowed")]);
        if (sigma < 0) throw new RecipeException([new Fault("--high-pass", $"is {sigma}; 0 or more is allowed")]);
        string stem = name!.StartsWith("vit", StringComparison.Ordinal) ? "auto" : "imagenet";
        Recipe recipe = Recipe.Resolve([], [$"backbone.name={name}", $"backbone.weights={weights}", $"backbone.stem={stem}", $"data.size={size}", $"data.channels={mean.Length}", .. assignments], open);
        var preprocessing = new Preprocessing(new HighPassOptions { Sigma = sigma, Kernel = HighPassKernel }, mean, std);
        return (new Encoder(recipe.Backbone, preprocessing, mean.Length, size), recipe, $"{name} with {weights}");
    }

    /// <summary>How images are decoded, with what the command line changes of it.</summary>
    internal static DataOptions Data(string[] assignments, DataOptions stored)
    {
        CheckData(assignments);
        var tree = new JsonObject { ["data"] = OptionsJson.Write(stored) };
        foreach (string assignment in assignments) RecipeTree.Set(tree, assignment);
        return OptionsJson.Read<DataOptions>((JsonObject)tree["data"]!);
    }

    private static void CheckData(string[] assignments)
    {
        if (assignments.FirstOrDefault(a => !a.StartsWith("data.", StringComparison.Ordinal) || a.StartsWith("data.size", StringComparison.Ordinal)) is { } other)
            throw new RecipeException([new Fault(other.Split('=')[0], "cannot be set here; data.* can, apart from data.size, which is the encoder's")]);
    }

    private static double[] Numbers(ParseResult parsed, Option<string> option)
    {
        string[] parts = parsed.GetValue(option)!.Split(',');
        double[] numbers = [.. parts.Select(p => double.TryParse(p, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) ? number : double.NaN)];
        return numbers.Any(double.IsNaN) ? throw new RecipeException([new Fault(option.Name, $"\"{parsed.GetValue(option)}\" is no list of numbers such as {option.GetDefaultValue()}")]) : numbers;
    }
}

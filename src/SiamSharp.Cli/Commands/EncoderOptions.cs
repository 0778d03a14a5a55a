using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using SiamSharp.Backbones;
using SiamSharp.Cli.Terminal;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Messages;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Training;
using SiamSharp.Views;

namespace SiamSharp.Cli.Commands;

/// <summary>Which encoder: that of a run, or a published network with weights from a file.</summary>
internal sealed class EncoderOptions
{
    private readonly Option<string> _run = new("--run")
    {
        Description = "Folder of the run whose encoder is used.",
        HelpName = "DIR"
    };
    private readonly Option<string> _backbone = new("--backbone")
    {
        Description = "Instead of --run: a published network, by torchvision's name, such as resnet50. Give --weights too.",
        HelpName = "NAME"
    };
    private readonly Option<string> _weights = new("--weights")
    {
        Description = "With --backbone: the file of its weights, .safetensors or .pth, with torchvision's or timm's names.",
        HelpName = "FILE"
    };
    private readonly Option<int> _size =
        NumberOptions.Whole("--size", "With --backbone: side of the images in pixels.", 8, 1024, otherwise: 224);
    private readonly Option<double[]> _mean =
        NumberOptions.List("--mean",
            "With --backbone: the mean of each channel that the network expects, for pixels from 0 to 1.", s_mean);
    private readonly Option<double[]> _std =
        NumberOptions.List("--std", "With --backbone: the standard deviation of each channel that it expects.", s_std);
    private readonly Option<double> _highPass = NumberOptions.Real(
        "--high-pass", "With --backbone: sigma of the high-pass filter in pixels; 0 = no filter.",
        x => x >= 0, "of 0 or more", otherwise: 0);

    private static readonly double[] s_mean = [0.485, 0.456, 0.406], s_std = [0.229, 0.224, 0.225]; // of ImageNet
    private const int HighPassKernel = 13; // in pixels, as in training

    internal void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _run, _backbone, _weights, _size, _mean, _std, _highPass })
            command.Options.Add(option);
    }

    /// <summary>The files that it is read from; null where one was not given.</summary>
    internal string?[] Files(ParseResult parsed) =>
        [parsed.GetValue(_weights), parsed.GetValue(_run) is { Length: > 0 } run ? new RunFolder(run).EncoderPath : null];

    /// <summary>The options by which the same encoder is named again.</summary>
    internal string Words(ParseResult parsed) =>
        string.Join(' ', new Option[] { _run, _backbone, _weights, _size, _mean, _std, _highPass }
            .Where(option => parsed.GetResult(option) is { Implicit: false })
            .Select(option => $"{option.Name} {Shell.Word(parsed.GetResult(option)!.Tokens[0].Value)}"));

    /// <summary>Opens the encoder that was asked for.</summary>
    /// <param name="screen">Told where the run's recipe had to be taken from its checkpoint.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="assignments">Of data.*.</param>
    /// <param name="open">Opens the images.</param>
    /// <returns>The encoder, owned by the caller; a recipe that decodes images as it needs them;
    /// what the user calls the encoder.</returns>
    internal (Encoder Encoder, Recipe Recipe, string Name) Open(
        Screen screen, ParseResult parsed, string[] assignments, Func<DataOptions, IImageSource> open)
    {
        string? run = parsed.GetValue(_run), name = parsed.GetValue(_backbone), weights = parsed.GetValue(_weights);
        if (run is not null && name is not null)
            throw new OptionsException([new Fault(
                "--run", "brings its own network and weights: leave out either --run or --backbone with its options")]);
        if (run is null && name is null)
            throw new OptionsException([new Fault("--run", "give either --run DIR, or --backbone NAME with --weights FILE")]);
        CheckData(assignments);
        if (run is not null)
        {
            Fault[] ignored = [.. new Option[] { _weights, _size, _mean, _std, _highPass }
                .Where(option => IsGiven(parsed, option))
                .Select(option =>
                    new Fault(option.Name, "belongs to --backbone: the encoder of --run has its own. Leave it out"))];
            if (ignored.Length > 0) throw new OptionsException(ignored);
            var folder = new RunFolder(run);
            Encoder encoder = folder.ReadEncoder(out JsonObject stored, screen.Notes);
            Recipe own = Recipe.Reread(stored, assignments);
            return (encoder, own with { Data = encoder.DecodingFor(own.Data) }, run);
        }
        if (weights is null) throw new OptionsException([new Fault("--weights", $"give the file with the weights of {name}")]);
        if (Path.GetFileName(weights) == "encoder.safetensors" && Path.GetDirectoryName(Path.GetFullPath(weights)) is { } home
            && new RunFolder(home).HasRun)
            throw new OptionsException([new Fault("--weights", $"{weights} was written by siam, which knows its network and how "
                + $"its images are prepared: give --run {Shell.PathWord(home)} in place of --backbone and --weights")]);
        double[] mean = IsGiven(parsed, _mean) ? parsed.GetValue(_mean)! : s_mean,
            std = IsGiven(parsed, _std) ? parsed.GetValue(_std)! : s_std;
        int size = parsed.GetValue(_size);
        double sigma = parsed.GetValue(_highPass);
        CheckChannels(parsed, mean.Length, std.Length);
        if (std.Any(s => s <= 0)) throw new OptionsException([new Fault("--std", "must hold numbers above 0")]);
        if (BackboneOptions.ProblemOfWeights(weights) is { } problem)
            throw new OptionsException([new Fault("--weights", problem)]);
        string stem = name!.StartsWith("vit", StringComparison.Ordinal) ? "auto" : "imagenet";
        Recipe recipe = Recipe.Resolve([], [$"backbone.name={name}", $"backbone.weights={weights}", $"backbone.stem={stem}",
            $"data.size={size}", $"data.channels={mean.Length}", .. assignments], open);
        CheckScale(parsed, mean, std, open(recipe.Data));
        var preprocessing = new Preprocessing(new HighPassOptions { Sigma = sigma, Kernel = HighPassKernel }, mean, std);
        try
        {
            return (new Encoder(recipe.Backbone, preprocessing, mean.Length, size), recipe, $"{name} with {weights}");
        }
        catch (StateDictMismatchException) when (FormatOf(weights) is { } format)
        {
            throw new OptionsException([new Fault("--weights", $"{weights} was written by siam, for a network of its own. "
                + (format.StartsWith("siamsharp-classifier", StringComparison.Ordinal)
                    ? $"It is a classifier: siam classify predict --model {Shell.Word(weights)}"
                    : "Give --run with the folder of the run that it comes from, in place of --backbone and --weights"))]);
        }
    }

    /// <summary>What a file of ours says it is; null for any other file.</summary>
    private static string? FormatOf(string weights) => weights.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase)
        && SafeTensorsHeader.Read(weights).Metadata.TryGetValue("format", out string? format)
        && format.StartsWith("siamsharp-", StringComparison.Ordinal)
        ? format : null;

    private static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>Refuses numbers that are meant for pixels up to 255 where pixels go up to 1.</summary>
    private void CheckScale(ParseResult parsed, double[] mean, double[] std, IImageSource images)
    {
        if (mean.Concat(std).All(number => number <= 1)) return;
        try
        {
            if (images.InfoOf(0).BitDepth == 32) return; // floating-point numbers are taken as they are
        }
        catch (UnreadableImageException)
        {
            // told when the images are read
        }
        Option given = mean.Any(number => number > 1) ? _mean : _std;
        double[] numbers = given == _mean ? mean : std;
        throw new OptionsException([new Fault(given.Name, $"{parsed.GetResult(given)?.Tokens[0].Value} is for pixels up to 255, "
            + "it seems, but those of images of 8 and 16 bits are scaled to 0 to 1. "
            + "Divide it by 255: "
            + $"{string.Join(',', numbers.Select(n => (n / 255).ToString("0.###", CultureInfo.InvariantCulture)))}")]);
    }

    /// <summary>Refuses numbers for other channels, by the name of the option that was given.</summary>
    private void CheckChannels(ParseResult parsed, int means, int deviations)
    {
        if (means == deviations) return;
        bool byMean = !IsGiven(parsed, _std);
        var (given, count, other, others) = byMean ? (_mean, means, _std, deviations) : (_std, deviations, _mean, means);
        string text = parsed.GetResult(given)!.Tokens[0].Value;
        string otherwise = !IsGiven(parsed, other)
            ? $"{other.Name} is not given and has its usual {others}: give both, one number for each channel"
            : $"{other.Name} has {others}: one for each channel";
        throw new OptionsException([new Fault(given.Name, $"\"{text}\" has {Plural.Of(count, "number")}, but {otherwise}. "
            + "Commas stand between numbers, and a fraction is written with a point"
            + (Numbers.Mending(text, whole: false).Length > 0 ? $": {text.Replace(',', '.')}" : ""))]);
    }

    /// <summary>How images are decoded, with what the command line changes of it.</summary>
    internal static DataOptions Data(string[] assignments, DataOptions stored)
    {
        CheckData(assignments);
        var tree = new JsonObject { ["data"] = OptionsJson.Write(stored) };
        foreach (string assignment in assignments) OptionTree.Set(tree, assignment);
        return OptionsJson.Read<DataOptions>((JsonObject)tree["data"]!);
    }

    /// <summary>Refuses options that would change nothing.</summary>
    internal static void CheckOnlyData(string[] assignments)
    {
        if (assignments.FirstOrDefault(a => !a.StartsWith("data.", StringComparison.Ordinal)) is { } other)
            throw new OptionsException([new Fault(other.Split('=')[0], "changes nothing here; data.* does")]);
    }

    private static void CheckData(string[] assignments)
    {
        if (assignments.FirstOrDefault(a =>
            !a.StartsWith("data.", StringComparison.Ordinal) || a.StartsWith("data.size", StringComparison.Ordinal)) is { } other)
            throw new OptionsException([new Fault(other.Split('=')[0],
                "cannot be set here: leave it out. data.* can, apart from data.size, which is the encoder's")]);
    }
}

using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Methods;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Tests.Data;
using SiamSharp.Training;
using SiamSharp.Views;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Training;

/// <summary>What is said of a number that is not finite, and what is blamed for it.</summary>
public sealed class NotFiniteTests : IDisposable
{
    private const int Side = 8;

    private readonly string _folder = Directory.CreateTempSubdirectory("notfinite").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>40 images of one channel; the value of a pixel is a function of image and place.</summary>
    private static ImageDataset Images(Func<int, int, float> value) => ImageDataset.Load(
        new FakeSource(40, i => new Pixels(Enumerable.Range(0, Side * Side).Select(p => value(i, p)).ToArray(), 1, Side, Side))
        {
            NativeSize = Side
        }, new DataOptions());

    private static float Noise(int image, int pixel) => (image * 131 + pixel * 37) % 101 / 100f;

    private static readonly Func<int, int, float> s_sound = Noise;

    private static Recipe RecipeOf(params string[] assignments) => Recipe.Resolve([OptionsJson.Parse("""
        { "method": { "name": "vicreg", "projectorHidden": 8, "projectorOutput": 8 },
          "backbone": { "width": 4, "depths": [1, 1] },
          "views": { "highPass": { "kernel": 3 } }, "training": { "epochs": 1, "batchSize": 20, "threads": 1 } }
        """, "tiny")], assignments,
        _ => new FakeSource(40, i => new Pixels(new float[Side * Side], 1, Side, Side)) { NativeSize = Side });

    /// <summary>The message of a loss with one term that is NaN at some step of a run whose weights
    /// were changed by then.</summary>
    private string MessageOf(ImageDataset data, long step = 0, Action<SiameseMethod>? change = null)
    {
        using var scope = NewDisposeScope();
        Recipe recipe = RecipeOf();
        Preprocessing preprocessing = data.Measure(recipe.Views.HighPass);
        using SiameseMethod method = recipe.Method.Create(new MethodSetup(() => recipe.Backbone.Create(1, Side, 1), 8, 1));
        var notFinite = new NotFinite(recipe, data, new RunFolder(_folder), preprocessing, method);
        notFinite.CheckStart(method.state_dict(), 0);
        change?.Invoke(method);
        int[] indexes = [.. Enumerable.Range(5, 20)];
        var batch = new Batch(data.Batch(indexes), [.. indexes.Select(i => (long)i)], indexes, 0, 0);
        var terms = new LossTerms(tensor(float.NaN),
            [("invariance", tensor(0.5f)), ("variance", tensor(float.NaN))], zeros(20, 8));
        string message = notFinite.Loss(step, terms, batch, saved: false).Message;
        Assert.StartsWith($"The loss is not finite at step {step + 1}: variance = NaN (invariance = 0.5). ", message);
        Assert.EndsWith(" No checkpoint had been written yet.", message);
        Assert.DoesNotContain('\n', message);
        return message;
    }

    private static void Stretch(SiameseMethod method, double factor)
    {
        using var noGradient = no_grad();
        foreach (Tensor parameter in method.parameters()) parameter.mul_(factor);
    }

    [Fact]
    public void Loss_WeightsFarFromTheStart_BlamesTheLearningRate()
    {
        string message = MessageOf(Images(s_sound), step: 3, method => Stretch(method, 2));
        Assert.Contains("The cause is too high a learning rate: a step moves the weights by 100 % of their length", message);
    }

    [Theory]
    [InlineData(0, "It is the first step")]
    [InlineData(3, "a step moves the weights by 0.0 % of their length only")]
    public void Loss_WeightsAtTheStart_BlamesNothing(long step, string reason)
    {
        string message = MessageOf(Images(s_sound), step);
        Assert.Contains(reason, message);
        Assert.Contains("No cause was found", message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("too high a learning rate", message);
    }

    [Fact]
    public void Loss_OneImageManyTimes_SaysThatTheyAreEqual()
    {
        string message = MessageOf(Images((_, p) => Noise(0, p)), step: 3, method => Stretch(method, 2));
        Assert.Contains("All 40 images of fake are equal", message);
        Assert.DoesNotContain("learning", message);
    }

    [Fact]
    public void Verdict_OneImageManyTimes_SaysSoAndBlamesNoRate()
    {
        RunFolder run = new(Path.Combine(_folder, "run"));
        Recipe recipe = RecipeOf("training.epochs=16");
        Pretraining.Run(recipe, Images((_, p) => Noise(0, p)), run);
        string verdict = RunHealth.Read(run, recipe)!.Verdict(recipe);
        Assert.Contains("The cause: only 1 of the run's images differ from one another, fewer than a batch of 20", verdict);
        Assert.DoesNotContain("learning rate", verdict);
    }

    [Fact]
    public void Loss_FewDifferentImages_SaysHowMany() =>
        Assert.Contains("has 40 images, but only 3 different ones, fewer than a batch (20)",
            MessageOf(Images((i, p) => Noise(i % 3, p))));

    [Theory]
    [InlineData(1e30f, 1)]
    [InlineData(1e6f, 3)]
    public void Loss_ImagesOnTwoScales_NamesOne(float scale, int count)
    {
        string message = MessageOf(Images((i, p) => Noise(i, p) * (i < count ? scale : 1)), step: 3,
            method => Stretch(method, 2));
        Assert.Contains("The images are on two scales: the values of fake/", message);
        Assert.Contains("those of half of the images no more than 1.", message);
        Assert.DoesNotContain("learning", message);
    }

    [Fact]
    public void Loss_ManyImagesOnTheLargeScale_NamesBoth() =>
        Assert.Contains("those of fake/3", MessageOf(Images((i, p) => (0.01f + Noise(i, p)) * (i == 3 ? 1 : 1e20f))));

    [Fact]
    public void Run_PixelsTooSmallForSinglePrecision_IsRefusedWithTheRange()
    {
        string message = Assert.Throws<RunException>(() =>
            Pretraining.Run(RecipeOf(), Images((i, p) => Noise(i, p) * 1e-42f), new RunFolder(_folder))).Message;
        Assert.Contains("Channel 0 of fake has values from 0 to 1.001E-42 with a standard deviation of", message);
    }

    [Fact]
    public void Run_WeightsFileWithNaN_IsRefusedWithFileAndTensor()
    {
        Recipe recipe = RecipeOf();
        string weights = Path.Combine(_folder, "broken.safetensors");
        using (var scope = NewDisposeScope())
        {
            var state = recipe.Backbone.Create(1, Side, 1).state_dict().ToDictionary(t => t.Key, t => t.Value.clone());
            state["layer1.0.bn1.running_var"][2] = float.NaN;
            SafeTensors.Write(weights, state);
        }
        string message = Assert.Throws<ArgumentException>(() =>
            Pretraining.Run(RecipeOf($"backbone.weights={weights}"), Images(s_sound),
                new RunFolder(Path.Combine(_folder, "run")))).Message;
        Assert.Contains(
            $"{weights} cannot be used: 1 of the 4 numbers of \"layer1.0.bn1.running_var\" are NaN or infinite", message);
    }

    [Fact]
    public void Load_EncoderWithNaN_IsRefusedWithFileAndTensor()
    {
        RunFolder run = new(Path.Combine(_folder, "run"));
        ImageDataset images = Images(s_sound);
        Pretraining.Run(RecipeOf(), images, run);
        string path = Path.Combine(_folder, "encoder.safetensors");
        using (var file = SafeTensors.Read(run.EncoderPath))
        {
            file.Tensors["conv1.weight"][0] = float.PositiveInfinity;
            SafeTensors.Write(path, file.Tensors.ToDictionary(), file.Metadata.ToDictionary());
        }
        string message = Assert.Throws<RunException>(() => Encoder.Load(path)).Message;
        Assert.Contains(path, message);
        Assert.Contains("9 of the 36 numbers of \"conv1.weight\" are NaN or infinite", message);
    }

    [Fact]
    public void Run_OwnBackboneWithNaN_IsRefusedBeforeTheFirstStep()
    {
        static nn.Module<Tensor, Tensor> Broken()
        {
            var layer = nn.PReLU(1, init: double.NaN); // of a kind whose weights are not drawn
            return nn.Sequential(("0", layer), ("1", nn.Flatten()));
        }
        string message = Assert.Throws<RunException>(() =>
            Pretraining.Run(RecipeOf(), Images(s_sound), new RunFolder(_folder), ownBackbone: Broken)).Message;
        Assert.Contains("before the first step: 1 of the 1 numbers of \"method.backbone.0.weight\"", message);
    }

    [Fact]
    public void Run_CheckpointOfOtherLayers_IsRefusedInOneLine()
    {
        RunFolder run = new(Path.Combine(_folder, "run"));
        ImageDataset images = Images(s_sound);
        Pretraining.Run(RecipeOf(), images, run);
        using (var file = SafeTensors.Read(run.CheckpointPath))
        {
            var tensors = file.Tensors.ToDictionary();
            tensors.Remove("method.projector.3.weight");
            SafeTensors.Write(run.CheckpointPath, tensors, file.Metadata.ToDictionary());
        }
        string message = Assert.Throws<RunException>(() => Pretraining.Run(RecipeOf(), images, run, resume: true)).Message;
        Assert.Contains("does not fit VICReg as this version of SiamSharp builds it: "
            + "1 of its tensors differ, such as method.projector.3.weight", message);
        Assert.DoesNotContain('\n', message);
    }
}

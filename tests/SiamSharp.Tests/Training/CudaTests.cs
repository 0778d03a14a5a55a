using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Files;
using SiamSharp.Methods;
using SiamSharp.Optim;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Tests.Methods;
using SiamSharp.Tests.Reference;
using SiamSharp.Training;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Training;

/// <summary>The same on a GPU as on the processor; where there is none they are skipped: build with
/// -p:TorchBackend=cuda12.8 where there is.</summary>
public sealed class CudaTests : IDisposable
{
    private const string NoGpu = "needs an NVIDIA GPU";

    private readonly string _folder = Directory.CreateTempSubdirectory("cuda").FullName;

    public CudaTests()
    {
        if (HasGpu) backends.cudnn.allow_tf32 = false; // 10 bits would hide an error
    }

    public void Dispose()
    {
        if (HasGpu) backends.cudnn.allow_tf32 = true;
        Directory.Delete(_folder, recursive: true);
    }

    public static bool HasGpu => cuda.is_available();

    /// <remarks>SGD: AdamW makes 6 % of the last bits of nine steps, with one thread more as well as on a GPU.</remarks>
    private static Recipe Tiny(TrainingDevice device) => Recipe.Resolve(
        [OptionsJson.Parse("""
            { "backbone": { "width": 16, "depths": [1, 1] },
              "method": { "name": "byol", "headHidden": 32, "projectorOutput": 16 },
              "optimizer": { "name": "sgd", "learningRate": 1e-3 },
              "training": { "epochs": 3, "batchSize": 32, "threads": 1, "logSteps": 1 },
              "evaluation": { "baselines": false, "fineTune": { "fractions": [1], "epochs": 2, "leastSteps": 1 } } }
            """, "tiny"), OptionsJson.Parse(
                $$"""{ "training": { "device": "{{(device == TrainingDevice.Cuda ? "cuda" : "cpu")}}" } }""", "device")],
        [], _ => Part(0, 96));

    private static SubsetSource Part(int first, int count) => new(
        ImageSources.Open("fashion-mnist:sample", new DataOptions()), [.. Enumerable.Range(first, count)],
        $"{count} images from {first}");

    private static ImageDataset Load(int first, int count) => ImageDataset.Load(Part(first, count), new DataOptions());

    [Fact]
    public void Run_NoGpu_SaysWhatItTakesAndLeavesNoFolder()
    {
        Assert.SkipWhen(HasGpu, "there is a GPU");
        var folder = new RunFolder(Path.Combine(_folder, "run"));
        Assert.Throws<RunException>(() => Pretraining.CheckFolder(Tiny(TrainingDevice.Cuda), folder, resume: false));
        string message =
            Assert.Throws<RunException>(() => Pretraining.Run(Tiny(TrainingDevice.Cuda), Load(0, 96), folder)).Message;
        Assert.Contains("libtorch-cuda-12.8-linux-x64", message, StringComparison.Ordinal);
        Assert.Contains("--set training.device=cpu", message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.Path));
    }

    [Theory(SkipUnless = nameof(HasGpu), Skip = NoGpu)]
    [MemberData(nameof(EveryMethodTests.Names), MemberType = typeof(EveryMethodTests))]
    public void Steps_EveryMethod_AreThoseOfTheProcessor(string name)
    {
        var (losses, states) = (new List<double[]>(), new List<Dictionary<string, Tensor>>());
        using var scope = NewDisposeScope();
        foreach (Device device in new[] { CPU, CUDA })
        {
            SiameseMethod method = EveryMethodTests.Create(name);
            method.to(device);
            Dictionary<string, Tensor> before = method.state_dict().ToDictionary(s => s.Key, s => s.Value.clone());
            using Optimizer optimizer = new SgdOptions().Create(method);
            losses.Add(new double[4]);
            for (int step = 0; step < 4; step++)
            {
                ViewBatch batch = EveryMethodTests.Batch(step, device, 16, 16) with { Progress = (step + 1) / 10.0 };
                LossTerms terms = method.Loss(batch);
                terms.Total.backward();
                // its gradients of shifts are differences of nearly equal numbers: 2 % are rounding
                optimizer.Step(name == "barlow-twins" ? 1e-3 : 1e-2);
                optimizer.ZeroGrad();
                method.AfterStep(batch, terms);
                losses[^1][step] = terms.Total.ToDouble();
            }
            Assert.All(method.state_dict(), s => Assert.Equal(device.type, s.Value.device_type));
            Assert.All(method.state_dict().Where(s => s.Key.EndsWith(".weight", StringComparison.Ordinal)), // the target's too
                s => Assert.False(s.Value.equal(before[s.Key]).all().item<bool>(), $"{s.Key} has not moved"));
            states.Add(method.state_dict().ToDictionary(s => s.Key, s => s.Value.cpu()));
        }
        Assert.All(losses[0].Zip(losses[1]),
            pair => Assert.Equal(pair.First, pair.Second, 5e-3 * Math.Max(1, Math.Abs(pair.First))));
        // Biases that start at 0 and have no effect are moved by rounding alone.
        Assert.All(states[0].Where(s => s.Value.to(ScalarType.Float64).norm().ToDouble() > 0.1),
            s => Near.Equal(s.Value, states[1][s.Key], 1e-2));
    }

    [Theory(SkipUnless = nameof(HasGpu), Skip = NoGpu)]
    [InlineData("resnet18", 24)]
    [InlineData("resnet50", 16)]
    [InlineData("resnext50_32x4d", 64)]
    [InlineData("regnet_y_400mf", 16)]
    [InlineData("convnext_tiny", 24)]
    [InlineData("vit_ti", 48)]
    public void Backward_EveryFamily_IsThatOfTheProcessor(string name, int width)
    {
        using var scope = NewDisposeScope();
        var options = new BackboneOptions { Name = name, Width = width, Depths = name == "vit_ti" ? [2] : [1, 1] };
        using var here = options.Create(1, 16, seed: 3);
        using var there = options.Create(1, 16, seed: 3);
        there.to(CUDA);
        var x = RandomTensors.Normal(1, [8, 1, 16, 16]);
        var (expected, y) = (here.forward(x), there.forward(x.to(CUDA)));
        Near.Equal(expected, y.cpu(), 1e-4);
        var direction = RandomTensors.Normal(2, y.shape);
        (expected * direction).sum().backward();
        (y * direction.to(CUDA)).sum().backward();
        Assert.All(here.named_parameters().Where(p => p.parameter.grad!.norm().ToDouble() > 1e-3),
            // a ReLU whose input is 0 to single precision may fall on either side
            p => Near.Equal(p.parameter.grad!, there.get_parameter(p.name)!.grad!.cpu(), 1e-2));
    }

    [Fact(SkipUnless = nameof(HasGpu), Skip = NoGpu)]
    public void Run_StoppedAndResumed_EndsNearTheRunAsAWhole()
    {
        ImageDataset images = Load(0, 96);
        RunFolder whole = new(Path.Combine(_folder, "whole")), parts = new(Path.Combine(_folder, "parts")),
            here = new(Path.Combine(_folder, "here"));
        Recipe recipe = Tiny(TrainingDevice.Cuda);
        Assert.True(Pretraining.Run(recipe, images, whole).Finished);
        using (var cancel = new CancellationTokenSource())
        {
            var stop = new EveryMethodTests.StopAt(4, cancel); // within the second epoch
            Assert.False(Pretraining.Run(recipe, images, parts, progress: stop, cancellationToken: cancel.Token).Finished);
        }
        Assert.True(Pretraining.Run(recipe, images, parts, resume: true).Finished);
        Assert.True(Pretraining.Run(Tiny(TrainingDevice.Cpu), images, here).Finished);

        using Encoder expected = Encoder.Load(whole.EncoderPath), resumed = Encoder.Load(parts.EncoderPath),
            processor = Encoder.Load(here.EncoderPath);
        using Tensor x = images.Batch([0, 1, 2, 3, 4, 5, 6, 7]), y = expected.Encode(x);
        Near.Equal(y, resumed.Encode(x), 1e-2);
        Near.Equal(y, processor.Encode(x), 1e-2);
    }

    [Fact(SkipUnless = nameof(HasGpu), Skip = NoGpu)]
    public void Judge_OnTheGpu_GivesTheScoresOfTheProcessor()
    {
        ImageDataset train = Load(0, 400), test = Load(400, 200);
        var folder = new RunFolder(Path.Combine(_folder, "run"));
        Pretraining.Run(Tiny(TrainingDevice.Cuda), train, folder);
        IReadOnlyList<Score>[] scores = [.. new[] { TrainingDevice.Cpu, TrainingDevice.Cuda }.Select(device =>
            RunEvaluation.Evaluate(folder, Tiny(device),
                [Protocol.Knn, Protocol.Linear, Protocol.FewShot, Protocol.FineTune, Protocol.LinearSgd], train, test))];
        Assert.All(scores[0].Zip(scores[1]), pair => Assert.Equal(pair.First.Value, pair.Second.Value, 0.03));
    }
}

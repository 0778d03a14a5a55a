using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using SiamSharp.Data;
using SiamSharp.Evaluation;
using SiamSharp.Masking;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Tests.Data;
using SiamSharp.Training;
using Xunit;

namespace SiamSharp.Tests.Options;

/// <summary>What is known to the whole process changes here, so that no other test runs meanwhile.</summary>
[CollectionDefinition(nameof(KindsTests), DisableParallelization = true)]
public sealed class KindsCollection;

/// <summary>Kinds of a user's own, in a class library that the running program does not know.</summary>
[Collection(nameof(KindsTests))]
public sealed class KindsTests : IDisposable
{
    private const string Library = """
        using System;
        using System.Collections.Generic;
        using System.ComponentModel.DataAnnotations;
        using SiamSharp.Backbones;
        using SiamSharp.Data;
        using SiamSharp.Evaluation;
        using SiamSharp.Masking;
        using SiamSharp.Optim;
        using SiamSharp.Options;
        using SiamSharp.Randomness;
        using TorchSharp;
        using static SiamSharp.Native.HeldScalars;

        namespace Own;

        [Kind("left-half")]
        public sealed record LeftHalf : Mask
        {
            [Range(0.0, 1.0)] public double Share { get; init; } = 0.5;

            public override void DrawPlane(Span<bool> keepMask, int height, int width, ref RandomStream random)
            {
                for (int i = 0; i < keepMask.Length; i++) keepMask[i] = i % width >= Share * width;
            }

            public override IEnumerable<Fault> Faults() => [];
        }

        [Kind("sign")]
        public sealed record SignOptions() : OptimizerOptions(learningRate: 1e-3, weightDecay: 0, warmupEpochs: 0)
        {
            protected override Optimizer Build(IReadOnlyList<(string Name, torch.Tensor Parameter)> parameters) =>
                new Sign(parameters);
        }

        public sealed class Sign(IReadOnlyList<(string Name, torch.Tensor Parameter)> parameters) : Optimizer(parameters)
        {
            protected override void Update(
                string[] names, torch.Tensor[] parameters, torch.Tensor[] gradients, bool areWeights, double learningRate)
            {
                for (int i = 0; i < parameters.Length; i++) parameters[i].add_(gradients[i].sign(), Held(-learningRate));
            }
        }

        [Kind("invert")]
        public sealed class Invert : Corruption
        {
            public override void Apply(
                ReadOnlySpan<float> image, Span<float> result, PlaneShape shape, int level, ref RandomStream random)
            {
                for (int i = 0; i < result.Length; i++) result[i] = 1 - image[i];
            }
        }

        public sealed class Mean : Backbone
        {
            private readonly TorchSharp.Modules.Linear layer;

            public Mean(int channels) : base("Mean")
            {
                layer = torch.nn.Linear(channels, 8);
                RegisterComponents();
            }

            public override int OutputWidth => 8;

            public override torch.Tensor forward(torch.Tensor x) => layer.forward(x.mean([2, 3]));
        }

        [Kind("mean")]
        public sealed class MeanFamily : BackboneFamily
        {
            public override IReadOnlyList<string> Names => ["mean8"];

            public override Backbone Build(BackboneOptions options, int channels, int size) => new Mean(channels);

            public override long ParameterCount(BackboneOptions options, int channels, int size) => 8 * (channels + 1);

            public override (int Width, IReadOnlyList<int> Depths) Published(string name) => (8, [1]);
        }

        [Kind("stripes")]
        public sealed class StripesFormat : SourceFormat
        {
            public override string Form => "stripes:COUNT";

            public override bool Takes(string name) => name.StartsWith("stripes:", StringComparison.Ordinal);

            public override IImageSource Open(string name, DataOptions options) => new Stripes(name, int.Parse(name[8..]));
        }

        public sealed class Stripes(string name, int count) : IImageSource
        {
            public string Name => name;
            public int Count => count;
            public int NativeSize => 16;
            public IReadOnlyList<string>? ClassNames => null;
            public string PathOf(int index) => $"{name}#{index}";
            public int LabelOf(int index) => -1;
            public ImageInfo InfoOf(int index) => new(16, 16, 1, 8);

            public Pixels Decode(int index, int size)
            {
                var values = new byte[size * size];
                for (int i = 0; i < values.Length; i++) values[i] = (byte)(i * (index + 3) % 251);
                return new Pixels(values, 1, size, size);
            }
        }
        """;

    private readonly TempFolder _folder = new();

    private Assembly? _own;

    public void Dispose()
    {
        if (_own is not null) Kinds.Remove(_own);
        _folder.Dispose();
    }

    [Fact]
    public void AddFrom_AClassLibrary_ItsKindsAreOptionsOfARecipe()
    {
        string[] wanted = ["optimizer=sign", "views.branches.0.masks.0={\"shape\": \"left-half\", \"share\": 0.25}"];
        string unknown = Assert.Throws<OptionsException>(() => Resolve(wanted)).Message;
        Assert.Contains("\"left-half\" is none of: blob, block, focal, grid", unknown);
        Assert.Contains("\"sign\" is none of: adamw, lars, sgd", unknown);

        Kinds.AddFrom(_own = Compile(Library));
        Recipe recipe = Resolve(wanted);
        Mask mask = Assert.Single(recipe.Views.Branches[0].Masks);
        Assert.Equal("Own.LeftHalf", mask.GetType().FullName);
        Assert.Contains("0.25", OptionsJson.Write(recipe)["views"]!["branches"]![0]!["masks"]![0]!["share"]!.ToJsonString());

        var run = new RunFolder(_folder.At("run"));
        ImageDataset images = ImageDataset.Load(Open(recipe.Data), recipe.Data);
        Assert.True(Pretraining.Run(recipe, images, run).Finished);
        Assert.Equal("sign", (string?)run.ReadRecipe()["optimizer"]!["name"]);
        AssertOthers();
    }

    /// <summary>The kinds that no recipe of a mask or an optimiser names.</summary>
    private void AssertOthers()
    {
        IImageSource stripes = ImageSources.Open("stripes:20#..12");
        Assert.Equal(12, stripes.Count);
        Recipe recipe =
            Recipe.For(stripes, backbone: new() { Name = "mean8" }) with { Training = new() { Epochs = 1, BatchSize = 4 } };
        PretrainingResult result = Pretraining.Run(recipe, stripes, _folder.At("stripes"));
        Assert.True(result.Finished);
        using Encoder encoder = Encoder.Load(result.EncoderPath);
        Assert.Equal("Own.Mean", encoder.Backbone.GetType().FullName);

        Assert.Equal("invert", Corruptions.Names[^1]);
        using var images = TorchSharp.torch.full([2, 1, 28, 28], 0.25f);
        using var inverted = Corruptions.Apply(images, "invert", 1, [0, 1], seed: 1);
        Assert.Equal(0.75f, inverted.max().item<float>());
    }

    [Fact]
    public void AddFrom_ANameThatIsTaken_ThrowsWithBothClasses()
    {
        Assembly twice = Compile(Library.Replace("\"left-half\"", "\"grid\"").Replace("\"sign\"", "\"sign-2\""));
        string message = Assert.Throws<ArgumentException>(() => Kinds.AddFrom(twice)).Message;
        Assert.Contains("Own.LeftHalf", message);
        Assert.Contains("SiamSharp.Masking.GridMask", message);
        Assert.Contains("\"grid\"", message);
    }

    private static Recipe Resolve(string[] assignments) => Recipe.Resolve(
        [], ["backbone.width=4", "backbone.depths=[1,1]", "training.epochs=1", "training.batchSize=8", .. assignments], Open);

    private static IImageSource Open(DataOptions data) => ImageSources.Open("fashion-mnist:sample#..16", data);

    private static Assembly Compile(string source)
    {
        IEnumerable<MetadataReference> references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path));
        using var bytes = new MemoryStream();
        var result = CSharpCompilation
            .Create($"Own{Guid.NewGuid():N}", [CSharpSyntaxTree.ParseText(source)], references,
                new(OutputKind.DynamicallyLinkedLibrary))
            .Emit(bytes);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics));
        bytes.Position = 0;
        return AssemblyLoadContext.Default.LoadFromStream(bytes);
    }
}

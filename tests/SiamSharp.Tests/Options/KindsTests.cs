using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using SiamSharp.Data;
using SiamSharp.Masking;
using SiamSharp.Options;
using SiamSharp.Recipes;
using SiamSharp.Tests.Data;
using SiamSharp.Training;
using Xunit;

namespace SiamSharp.Tests.Options;

/// <summary>Kinds of a user's own, in a class library that the running program does not know.</summary>
public sealed class KindsTests : IDisposable
{
    private const string Library = """
        using System;
        using System.Collections.Generic;
        using System.ComponentModel.DataAnnotations;
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
        """;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AddFrom_AClassLibrary_ItsKindsAreOptionsOfARecipe()
    {
        string[] wanted = ["optimizer=sign", "views.branches.0.masks.0={\"shape\": \"left-half\", \"share\": 0.25}"];
        string unknown = Assert.Throws<OptionsException>(() => Resolve(wanted)).Message;
        Assert.Contains("\"left-half\" is none of: blob, block, focal, grid", unknown);
        Assert.Contains("\"sign\" is none of: adamw, lars, sgd", unknown);

        Kinds.AddFrom(Compile(Library));
        Recipe recipe = Resolve(wanted);
        Mask mask = Assert.Single(recipe.Views.Branches[0].Masks);
        Assert.Equal("Own.LeftHalf", mask.GetType().FullName);
        Assert.Contains("0.25", OptionsJson.Write(recipe)["views"]!["branches"]![0]!["masks"]![0]!["share"]!.ToJsonString());

        var run = new RunFolder(_folder.At("run"));
        ImageDataset images = ImageDataset.Load(Open(recipe.Data), recipe.Data);
        Assert.True(Pretraining.Run(recipe, images, run).Finished);
        Assert.Equal("sign", (string?)run.ReadRecipe()["optimizer"]!["name"]);
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

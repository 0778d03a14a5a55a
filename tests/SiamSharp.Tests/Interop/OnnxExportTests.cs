using Microsoft.ML.OnnxRuntime;
using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Export;
using SiamSharp.Files;
using SiamSharp.Onnx;
using SiamSharp.Options;
using SiamSharp.Tests.Reference;
using SiamSharp.Views;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests.Interop;

public sealed class OnnxExportTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("onnx").FullName;
    private readonly string _path;

    public OnnxExportTests() => _path = Path.Combine(_folder, "encoder.onnx");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static readonly HighPassOptions s_highPass = new() { Sigma = 2, Kernel = 13 };

    private static Preprocessing Plain(int channels) =>
        new(new HighPassOptions { Sigma = 0 }, [.. Enumerable.Range(1, channels).Select(c => 0.1 * c)],
            [.. Enumerable.Range(1, channels).Select(c => 0.2 + 0.1 * c)]);

    private static Preprocessing HighPassed(int channels) =>
        new(s_highPass, new double[channels], [.. Enumerable.Range(1, channels).Select(c => 0.05 * c)]);

    /// <summary>An encoder whose batch normalisations do something: they have seen images.</summary>
    private static Encoder Make(BackboneOptions options, int channels, int size, Preprocessing preprocessing)
    {
        var backbone = options.Create(channels, size, seed: 1);
        using (NewDisposeScope())
        using (no_grad())
        {
            for (ulong i = 0; i < 3; i++) backbone.forward(RandomTensors.Normal(i, [4, channels, size, size]) * 2 + 0.5);
        }
        return new Encoder(backbone, preprocessing, channels, size);
    }

    private Tensor Run(Tensor pixels)
    {
        using var session = new InferenceSession(_path);
        using var input = OrtValue.CreateTensorValueFromMemory(pixels.data<float>().ToArray(), pixels.shape);
        using var run = new RunOptions();
        using var results = session.Run(run, ["pixels"], [input], ["representation"]);
        return tensor(results[0].GetTensorDataAsSpan<float>().ToArray(), results[0].GetTensorTypeAndShape().Shape);
    }

    private static BackboneOptions Small(string name) =>
        new()
        {
            Name = name,
            Width = name.StartsWith("vit", StringComparison.Ordinal) ? 48 : 16,
            Depths = name.StartsWith("vit", StringComparison.Ordinal) ? [2] : [1, 2]
        };

    public static TheoryData<string> Names => [.. BackboneOptions.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Write_EveryBackbone_AnswersAsLibtorchFoldedOrNot(string name)
    {
        using var scope = NewDisposeScope();
        using Encoder encoder = Make(Small(name), 3, 32, HighPassed(3));
        Assert.InRange(OnnxExport.Write(_path, encoder), 0, 1e-4);
        long whole = new FileInfo(_path).Length;
        Tensor pixels = RandomTensors.Uniform(1, [5, 3, 32, 32]) * 255;
        Tensor expected = encoder.Encode(pixels / 255);
        Near.Equal(expected, Run(pixels), 1e-5);

        Assert.InRange(OnnxExport.Write(_path, encoder, new OnnxOptions { FoldBatchNorm = true }), 0, 1e-4);
        Near.Equal(expected, Run(pixels), 1e-5);
        bool hasBatchNorm = name.StartsWith("res", StringComparison.Ordinal) || name.StartsWith("wide", StringComparison.Ordinal)
            || name.StartsWith("regnet", StringComparison.Ordinal);
        Assert.Equal(hasBatchNorm, new FileInfo(_path).Length < whole);
        Assert.DoesNotContain("BatchNormalization", File.ReadAllText(_path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 255)]
    [InlineData(4, 65535)]
    [InlineData(2, 1)]
    public void Write_OtherChannelsAndDepths_PreprocessesAsTheEncoder(int channels, double white)
    {
        using var scope = NewDisposeScope();
        foreach (Preprocessing preprocessing in new[] { Plain(channels), HighPassed(channels),
            new(s_highPass, [.. Enumerable.Repeat(0.01, channels)], [.. Enumerable.Repeat(0.1, channels)]) })
        {
            using Encoder encoder = Make(new BackboneOptions { Width = 8, Depths = [1, 1] }, channels, 24, preprocessing);
            OnnxExport.Write(_path, encoder, new OnnxOptions { White = white });
            Tensor pixels = RandomTensors.Uniform(2, [3, channels, 30, 20]) * white; // neither its own size nor square
            Near.Equal(encoder.Encode(pixels / white), Run(pixels), 1e-5);
        }
    }

    [Theory]
    [InlineData("resnet18")]
    [InlineData("convnext_tiny")]
    [InlineData("regnet_y_400mf")]
    public void Write_ImageNetStem_AnswersAsLibtorch(string name)
    {
        using var scope = NewDisposeScope();
        using Encoder encoder = Make(Small(name) with { Stem = Stem.ImageNet }, 3, 96, Plain(3));
        Assert.InRange(OnnxExport.Write(_path, encoder), 0, 1e-4);
    }

    [Theory]
    [InlineData("resnet18", 28, 2)]
    [InlineData("resnet18", 33, 3)]
    [InlineData("resnet18", 28, 14)]
    [InlineData("convnext_tiny", 33, 3)]
    [InlineData("regnet_y_400mf", 65, 4)]
    public void Write_GridOfMeans_AnswersAsLibtorchForItsSize(string name, int size, int cells)
    {
        using var scope = NewDisposeScope();
        using Encoder encoder = Make(Small(name) with { PoolSize = cells }, 1, size, HighPassed(1));
        Assert.InRange(OnnxExport.Write(_path, encoder), 0, 1e-4);
        using var session = new InferenceSession(_path);
        Assert.Equal([-1, 1, size, size], session.InputMetadata["pixels"].Dimensions);
        Tensor pixels = RandomTensors.Uniform(1, [5, 1, size, size]) * 255;
        Near.Equal(encoder.Encode(pixels / 255), Run(pixels), 1e-5);
    }

    [Theory]
    [InlineData("resnet18", Stem.Small)]
    [InlineData("resnet18", Stem.Half)]
    [InlineData("resnet50", Stem.ImageNet)]
    [InlineData("regnet_y_400mf", Stem.Small)]
    [InlineData("regnet_y_400mf", Stem.Half)]
    [InlineData("regnet_y_400mf", Stem.ImageNet)]
    [InlineData("convnext_tiny", Stem.Small)]
    [InlineData("convnext_tiny", Stem.Half)]
    [InlineData("convnext_tiny", Stem.ImageNet)]
    public void Write_GridOfMeans_KnowsTheSideOfTheMap(string name, Stem stem)
    {
        // A matrix of the graph has as many columns as the map has pixels a side: a wrong number would end
        // in an error of ONNX Runtime.
        foreach (int size in new[] { 28, 33, 47, 65 })
        {
            using var scope = NewDisposeScope();
            using Encoder encoder = Make(Small(name) with { Stem = stem, PoolSize = 2 }, 1, size, Plain(1));
            Assert.InRange(OnnxExport.Write(_path, encoder), 0, 1e-4);
        }
    }

    [Fact]
    public void Write_TransformerWithAverage_AnswersAsLibtorch()
    {
        using var scope = NewDisposeScope();
        using Encoder encoder = Make(Small("vit_ti") with { Pooling = Pooling.Average }, 1, 28, Plain(1));
        Assert.InRange(OnnxExport.Write(_path, encoder), 0, 1e-4);
    }

    [Fact]
    public void Write_Model_SaysWhatItTakes()
    {
        using var scope = NewDisposeScope();
        using Encoder encoder = Make(new BackboneOptions { Width = 4, Depths = [1] }, 1, 28, HighPassed(1));
        OnnxExport.Write(_path, encoder);
        using var session = new InferenceSession(_path);
        Assert.Equal([-1, 1, -1, -1], session.InputMetadata["pixels"].Dimensions);
        Assert.Equal(["batch", "", "height", "width"], session.InputMetadata["pixels"].SymbolicDimensions);
        Assert.Equal([-1, 4], session.OutputMetadata["representation"].Dimensions);
        Assert.Equal("28", session.ModelMetadata.CustomMetadataMap["size"]);
        Assert.Contains("\"sigma\":2", session.ModelMetadata.CustomMetadataMap["preprocessing"], StringComparison.Ordinal);

        using Encoder transformer = Make(Small("vit_ti"), 1, 28, Plain(1));
        OnnxExport.Write(_path, transformer);
        using var fixedSize = new InferenceSession(_path);
        Assert.Equal([-1, 1, 28, 28], fixedSize.InputMetadata["pixels"].Dimensions);
    }

    [Fact]
    public void Write_OwnNetwork_IsExportedOrRefusedByName()
    {
        using var scope = NewDisposeScope();
        using var known =
            new Encoder(nn.Sequential(nn.Conv2d(1, 4, 3, stride: 2, padding: 1), nn.ReLU(), new Mean()), Plain(1), 1, 28);
        var fault = Assert.Throws<NotSupportedException>(() => OnnxExport.Write(_path, known));
        Assert.Contains("A Mean cannot be exported", fault.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_path));
    }

    [Fact]
    public void Write_LayersWithSettingsThatAreNotExported_AreRefusedAndEmbeddedByLibtorch()
    {
        using var scope = NewDisposeScope();
        nn.Module<Tensor, Tensor>[] layers =
        [
            nn.Conv2d(1, 4, 3, padding: TorchSharp.Padding.Same), nn.Conv2d(1, 4, 3, padding: 1, dilation: 2),
            nn.BatchNorm2d(1, affine: false), nn.LayerNorm([28, 28]), nn.LayerNorm([28], elementwise_affine: false),
        ];
        foreach (var layer in layers)
        {
            using var encoder = new Encoder(nn.Sequential(layer, nn.Flatten()), Plain(1), 1, 28);
            Assert.Throws<NotSupportedException>(() => OnnxExport.Write(_path, encoder));
            using var embedder = new SiamSharp.Embeddings.Embedder(encoder);
            Assert.Equal(SiamSharp.Embeddings.EmbedEngine.Libtorch, embedder.Engine);
        }
    }

    /// <summary>Says that it computes x, but computes x + 1 in libtorch.</summary>
    private sealed class Liar() : nn.Module<Tensor, Tensor>(nameof(Liar)), IOnnxLayer
    {
        public override Tensor forward(Tensor x) => x.mean([2, 3]) + 1;

        public string Export(OnnxGraph graph, string x) =>
            graph.Node("Flatten", [graph.Node("GlobalAveragePool", [x])], ("axis", 1L));
    }

    private sealed class Mean() : nn.Module<Tensor, Tensor>(nameof(Mean))
    {
        public override Tensor forward(Tensor x) => x.mean([2, 3]);
    }

    [Fact]
    public void Write_OtherAnswersThanLibtorch_IsRefusedAndKeepsTheOldFile()
    {
        using var scope = NewDisposeScope();
        File.WriteAllText(_path, "old");
        using var encoder = new Encoder(new Liar(), Plain(1), 1, 28);
        var fault = Assert.Throws<RunException>(() => OnnxExport.Write(_path, encoder));
        Assert.Contains("differ from libtorch's", fault.Message, StringComparison.Ordinal);
        Assert.Equal("old", File.ReadAllText(_path));
    }

    [Theory]
    [InlineData(null, 0, 255)]
    [InlineData(65535.0, 0, 65535)]
    [InlineData(65535.0, 255, 255)]
    public void Write_White_IsThatOfTheImagesUnlessAsked(double? trained, double asked, double expected)
    {
        using var scope = NewDisposeScope();
        using Encoder made = Make(Small("resnet18"), 1, 28, Plain(1));
        string file = Path.ChangeExtension(_path, ".safetensors");
        BackboneOptions network = Small("resnet18");
        DataOptions data = new() { Alpha = AlphaBackground.White, Bits = 12 };
        Encoder.Save(file, made.Backbone, network, made.Preprocessing, 1, 28, data, trained);
        using Encoder encoder = Encoder.Load(file);
        Assert.Equal((trained, data), (encoder.White, encoder.Data));
        OnnxExport.Write(_path, encoder, new OnnxOptions { White = asked });
        using var session = new InferenceSession(_path);
        Dictionary<string, string> metadata = session.ModelMetadata.CustomMetadataMap;
        Assert.Equal(expected.ToString("R", System.Globalization.CultureInfo.InvariantCulture), metadata["white"]);
        Assert.Contains("\"alpha\":\"white\"", metadata["data"]);
        Tensor pixels = RandomTensors.Uniform(3, [2, 1, 28, 28]) * expected;
        Near.Equal(encoder.Encode(pixels / expected), Run(pixels), 1e-5);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Write_WhiteThatNoPixelHas_IsRefused(double white)
    {
        using var scope = NewDisposeScope();
        using Encoder encoder = Make(Small("resnet18"), 1, 28, Plain(1));
        Assert.StartsWith("onnx.white",
            Assert.Throws<OptionsException>(() => OnnxExport.Write(_path, encoder, new OnnxOptions { White = white })).Message);
        Assert.False(File.Exists(_path));
    }
}

using Microsoft.ML.OnnxRuntime;
using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Export;
using SiamSharp.Views;
using Xunit;
using static TorchSharp.torch;

namespace SiamSharp.Tests;

public sealed class EncoderHashTests : IDisposable
{
    private static readonly BackboneOptions s_network = new() { Width = 8, Depths = [1, 1] };
    private static readonly Preprocessing s_preprocessing = new(new HighPassOptions { Sigma = 2, Kernel = 13 }, [0.0], [0.35]);

    private readonly string _folder = Directory.CreateTempSubdirectory("hash").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void ContentHash_OneEncoder_IsTheSameWhereverItComesFrom()
    {
        using var scope = NewDisposeScope();
        string file = Path.Combine(_folder, "encoder.safetensors"), onnx = Path.Combine(_folder, "encoder.onnx"),
            both = Path.Combine(_folder, "classifier.safetensors");
        using Backbone network = s_network.Create(1, 28, seed: 5);
        Encoder.Save(file, network, s_network with { Weights = "somewhere/else.pth" }, s_preprocessing, 1, 28);
        using Encoder loaded = Encoder.Load(file);
        string hash = loaded.ContentHash();
        Assert.Matches("^[0-9a-f]{32}$", hash);
        Assert.Equal(hash, loaded.ContentHash());

        OnnxExport.Write(onnx, loaded, new OnnxOptions { FoldBatchNorm = true });
        using (var session = new InferenceSession(onnx)) Assert.Equal(hash, session.ModelMetadata.CustomMetadataMap["encoder"]);

        ImageDataset images = ImageDataset.Load(new SubsetSource(ImageSources.Open("fashion-mnist:sample", new DataOptions()),
            [.. Enumerable.Range(0, 100)], "images"), new DataOptions());
        using (Classifier made = Classifier.Fit(Encoder.Load(file), images, new DataOptions()).Classifier) made.Save(both);
        using Classifier classifier = Classifier.Load(both);
        Assert.Equal(hash, classifier.Encoder.ContentHash());
    }

    [Fact]
    public void ContentHash_AnythingThatChangesVectors_ChangesIt()
    {
        static string Hash(
            BackboneOptions network, Preprocessing preprocessing, int channels = 1, int size = 28,
            Action<IDictionary<string, Tensor>>? change = null)
        {
            using var noGradient = no_grad();
            using var encoder = new Encoder(network, preprocessing, channels, size);
            change?.Invoke(encoder.Backbone.state_dict());
            return encoder.ContentHash();
        }
        string[] hashes =
        [
            Hash(s_network, s_preprocessing),
            Hash(s_network with { Stem = Stem.Half }, s_preprocessing),
            Hash(s_network, s_preprocessing with { Std = [0.36] }),
            Hash(s_network, s_preprocessing with { HighPass = new HighPassOptions { Sigma = 2.5, Kernel = 13 } }),
            Hash(s_network, new Preprocessing(new HighPassOptions { Sigma = 0 }, [0.3], [0.35])),
            Hash(s_network, s_preprocessing, size: 32),
            Hash(s_network, s_preprocessing, change: state =>
                state.First(t => t.Key.EndsWith("running_var", StringComparison.Ordinal)).Value.copy_(full(8, 0.123f))),
            Hash(s_network, s_preprocessing, change: state =>
                state.First(t => t.Key.EndsWith("running_mean", StringComparison.Ordinal)).Value.copy_(full(8, 0.5f))),
        ];
        Assert.Equal(hashes.Length, hashes.Distinct().Count());
        // What changes no vector: where weights came from, the kernel of a filter that is off, the note on constant channels.
        Assert.Equal(hashes[4], Hash(s_network,
            new Preprocessing(new HighPassOptions { Sigma = 0, Kernel = 5 }, [0.3], [0.35]) { ConstantChannels = [0] }));
    }

    /// <summary>The definition in the docs, written a second time.</summary>
    [Fact]
    public void ContentHash_ByHand_IsAsDefined()
    {
        using var scope = NewDisposeScope();
        using var encoder = new Encoder(nn.Sequential(("flat", nn.Flatten()), ("line", nn.Linear(4, 1))),
            new Preprocessing(new HighPassOptions { Sigma = 0 }, [0.25], [0.5]), 1, 2);
        using (no_grad())
        {
            encoder.Backbone.state_dict()["line.weight"].copy_(tensor(new float[] { 1, 2, 3, 4 }, [1, 4]));
            encoder.Backbone.state_dict()["line.bias"].copy_(tensor(new float[] { 5 }));
        }
        byte[] bytes =
        [
            .. "siamsharp-encoder-1\n{}\n0 0 0.25 0.5 1 2\nline.bias Float32 1\n"u8, .. BitConverter.GetBytes(5f),
            .. "line.weight Float32 1x4\n"u8, .. new float[] { 1, 2, 3, 4 }.SelectMany(BitConverter.GetBytes),
        ];
        Assert.Equal(Convert.ToHexStringLower(System.IO.Hashing.XxHash128.Hash(bytes)), encoder.ContentHash());
    }
}

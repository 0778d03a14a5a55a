using System.Globalization;
using SiamSharp.Backbones;
using SiamSharp.Data;
using SiamSharp.Files;
using SiamSharp.Options;
using SiamSharp.Views;
using static TorchSharp.torch;

namespace SiamSharp;

// An encoder as a file.
public sealed partial class Encoder
{
    private const int MaxChannels = 256, MaxSize = 1024; // as data.channels and data.size

    /// <summary>Writes backbone weights (torchvision's keys) with the preprocessing in the metadata.</summary>
    /// <param name="path">A .safetensors file; replaced whole or not at all.</param>
    /// <param name="backbone">Not changed.</param>
    /// <param name="options">How the backbone is built again.</param>
    /// <param name="preprocessing">Of the run.</param>
    /// <param name="channels">C.</param>
    /// <param name="size">H and W in pixels.</param>
    /// <param name="data">How the images were decoded; null where it is not known.</param>
    /// <param name="white">See <see cref="White"/>.</param>
    /// <param name="recipe">Of the run, as JSON; null without one.</param>
    /// <exception cref="RunException">The file cannot be written.</exception>
    public static void Save(
        string path, nn.Module<Tensor, Tensor> backbone, BackboneOptions options,
        Preprocessing preprocessing, int channels, int size,
        DataOptions? data = null, double? white = null, string? recipe = null)
    {
        Dictionary<string, string> metadata = Metadata(options, preprocessing, channels, size, data, white);
        if (recipe is not null) metadata["recipe"] = recipe;
        FileWriting.Writing(path, () => SafeTensors.Write(path, backbone.state_dict(), metadata));
    }

    /// <summary>What a file says about an encoder, so that it can be built again.</summary>
    internal static Dictionary<string, string> Metadata(
        BackboneOptions options, Preprocessing preprocessing, int channels, int size, DataOptions? data, double? white)
    {
        var metadata = new Dictionary<string, string>
        {
            ["format"] = FileMetadata.EncoderFormat,
            ["backbone"] = OptionsJson.Write(options with { Weights = "" }).ToJsonString(),
            ["preprocessing"] = OptionsJson.Write(preprocessing).ToJsonString(),
            ["channels"] = $"{channels}",
            ["size"] = $"{size}",
        };
        if (data is not null) metadata["data"] = OptionsJson.Write(data).ToJsonString();
        if (white is double value) metadata["white"] = value.ToString("R", CultureInfo.InvariantCulture);
        return metadata;
    }

    /// <summary>Reads an encoder written by a run.</summary>
    /// <param name="path">A run's encoder.safetensors.</param>
    /// <param name="ownBackbone">The network that the run was given instead of the recipe's, of any weights; owned by the
    /// encoder.</param>
    /// <exception cref="RunException">The file is missing or no encoder.</exception>
    /// <exception cref="StateDictMismatchException">The weights are those of another network.</exception>
    public static Encoder Load(string path, nn.Module<Tensor, Tensor>? ownBackbone = null)
    {
        if (!File.Exists(path))
            throw new RunException($"{path} is missing: give the encoder.safetensors of a run that has finished, "
                + "or what `siam export safetensors` has written.");
        using SafeTensorsFile file = SafeTensors.Read(path);
        if (file.Metadata.GetValueOrDefault("format") != FileMetadata.EncoderFormat)
            throw new RunException(
                $"{path} holds no encoder written by SiamSharp: its metadata lacks format={FileMetadata.EncoderFormat}.");

        return Build(new FileMetadata(path, file.Metadata), file.Tensors, ownBackbone);
    }

    /// <summary>Builds an encoder from what <see cref="Metadata"/> says and the weights of its network.</summary>
    /// <exception cref="RunException">It says nothing that can be built, or a network far larger than its weights.</exception>
    internal static Encoder Build(
        FileMetadata metadata, IReadOnlyDictionary<string, Tensor> weights, nn.Module<Tensor, Tensor>? ownBackbone = null)
    {
        int channels = metadata.Count("channels", MaxChannels), size = metadata.Count("size", MaxSize);
        Preprocessing preprocessing = metadata.Preprocessing(channels, size);
        var options = ownBackbone is null ? metadata.Options<BackboneOptions>("backbone") : null;
        var backbone = ownBackbone ?? Create(options!);
        StateDict.Load(backbone, weights);
        if (StateDict.FirstNotFinite(weights) is { } fault) throw metadata.Fault(fault);
        return new Encoder(backbone, preprocessing, channels, size, options)
        {
            Data = metadata.Has("data") ? metadata.Options<DataOptions>("data") : null,
            RunRecipe = metadata.Has("recipe") ? metadata.Text("recipe") : null,
            White = metadata.Has("white")
                ? metadata.Number("white") is > 0 and var white ? white
                    : throw metadata.Fault("\"white\" in its metadata must be more than 0") : null,
        };

        Backbone Create(BackboneOptions options)
        {
            long needed = options.ParameterCount(channels, size), held = weights.Values.Sum(tensor => tensor.numel());
            if (needed / 2 > held)
                throw metadata.Fault($"its metadata describes a network of {needed:N0} numbers, but it holds {held:N0}");
            try { return options.Create(channels, size, seed: 0); }
            catch (ArgumentException fault)
            {
                throw metadata.Fault($"\"backbone\" in its metadata: {fault.Message.ReplaceLineEndings(" ").TrimEnd('.')}");
            }
        }
    }
}

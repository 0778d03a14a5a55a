using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace SiamSharp.Backbones;

/// <summary>The names of weights as torchvision has them, of those of torchvision and timm.</summary>
internal static partial class TorchvisionNames
{
    /// <summary>torchvision's names for torchvision's or timm's, without the classifiers.</summary>
    internal static Dictionary<string, Tensor> Of(IEnumerable<KeyValuePair<string, Tensor>> weights, Backbone backbone)
    {
        var renamed = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        weights = [.. weights];
        string[] stages = backbone is ResNet ? Stages(weights.Select(w => w.Key)) : [];
        foreach (var (name, tensor) in weights)
        {
            string key = backbone switch
            {
                VisionTransformer => TransformerKey(name),
                ConvNeXt => ConvNeXtKey(name),
                ResNet => ResNetKey(name, stages),
                _ => name
            };
            if (!Heads.Any(head => key.StartsWith(head, StringComparison.Ordinal)))
                renamed[key] = key.EndsWith(".layer_scale", StringComparison.Ordinal) ? tensor.view(-1, 1, 1) : tensor;
        }
        return renamed;
    }

    /// <summary>The numbers of a ResNet's stages where its children stand in a row, nn.Sequential(*resnet.children()):
    /// convolution 0, norm 1, then those that have blocks.</summary>
    private static string[] Stages(IEnumerable<string> names) =>
        [.. names.Select(name => NumberedStage().Match(name)).Where(m => m.Success).Select(m => m.Groups[1].Value)
            .Distinct().OrderBy(int.Parse)];

    private static string ResNetKey(string name, string[] stages)
    {
        int dot = name.IndexOf('.');
        if (stages.Length == 0 || dot < 0) return name;
        string number = name[..dot], rest = name[dot..];
        return number switch
        {
            "0" => "conv1" + rest,
            "1" => "bn1" + rest,
            _ when Array.IndexOf(stages, number) is >= 0 and var stage => $"layer{stage + 1}{rest}",
            _ => name,
        };
    }

    // The classifiers of torchvision and timm, which a backbone has not.
    internal static readonly string[] Heads = ["fc.", "classifier.2.", "heads.", "head."];

    private static string ConvNeXtKey(string name)
    {
        if (name.StartsWith("stem.", StringComparison.Ordinal)) return "features.0." + name[5..];
        if (name.StartsWith("head.norm.", StringComparison.Ordinal)) return "classifier.0." + name[10..];
        if (ConvNeXtDownsampling().Match(name) is { Success: true } down)
            return $"features.{2 * int.Parse(down.Groups[1].Value)}.{down.Groups[2]}";
        if (ConvNeXtBlocks().Match(name) is not { Success: true } block) return name;
        string place = $"features.{2 * int.Parse(block.Groups[1].Value) + 1}.{block.Groups[2]}",
            parameter = block.Groups[4].Value;
        return block.Groups[3].Value switch
        {
            "conv_dw." => $"{place}.block.0.{parameter}",
            "norm." => $"{place}.block.2.{parameter}",
            "mlp.fc1." => $"{place}.block.3.{parameter}",
            "mlp.fc2." => $"{place}.block.5.{parameter}",
            _ => $"{place}.layer_scale",
        };
    }

    private static string TransformerKey(string name)
    {
        if (name == "cls_token") return "class_token";
        if (name == "pos_embed") return "encoder.pos_embedding";
        if (name.StartsWith("patch_embed.proj.", StringComparison.Ordinal))
            return "conv_proj." + name["patch_embed.proj.".Length..];
        if (name.StartsWith("norm.", StringComparison.Ordinal)) return "encoder.ln." + name[5..];
        if (OlderTransformerMlp().Match(name) is { Success: true } older)
            return $"{older.Groups[1]}.mlp.{(older.Groups[2].Value == "1" ? 0 : 3)}.{older.Groups[3]}";
        if (TransformerBlocks().Match(name) is not { Success: true } block) return name;
        string place = $"encoder.layers.encoder_layer_{block.Groups[1]}", parameter = block.Groups[3].Value;
        return block.Groups[2].Value switch
        {
            "attn.qkv." => $"{place}.self_attention.in_proj_{parameter}",
            "attn.proj." => $"{place}.self_attention.out_proj.{parameter}",
            "norm1." => $"{place}.ln_1.{parameter}",
            "norm2." => $"{place}.ln_2.{parameter}",
            "mlp.fc1." => $"{place}.mlp.0.{parameter}",
            _ => $"{place}.mlp.3.{parameter}",
        };
    }

    [GeneratedRegex(@"^(\d{1,2})\.\d{1,3}\.conv1\.weight$")] private static partial Regex NumberedStage();

    [GeneratedRegex(@"^stages\.(\d{1,3})\.downsample\.(.+)$")] private static partial Regex ConvNeXtDownsampling();

    [GeneratedRegex(@"^stages\.(\d{1,3})\.blocks\.(\d{1,3})\.(conv_dw\.|norm\.|mlp\.fc1\.|mlp\.fc2\.|gamma)(.*)$")]
    private static partial Regex ConvNeXtBlocks();

    [GeneratedRegex(@"^blocks\.(\d{1,3})\.(attn\.qkv\.|attn\.proj\.|norm1\.|norm2\.|mlp\.fc1\.|mlp\.fc2\.)(.*)$")]
    private static partial Regex TransformerBlocks();

    // torchvision before 0.13.
    [GeneratedRegex(@"^(encoder\.layers\.encoder_layer_\d{1,3})\.mlp\.linear_([12])\.(.*)$")]
    private static partial Regex OlderTransformerMlp();
}

using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace SiamSharp.Masking;

/// <summary>What the network sees where a mask has removed pixels.</summary>
public sealed record FillOptions
{
    /// <summary>
    /// What stands where a mask has removed pixels: zero (the mean over the training images, after the filter), black, mean
    /// (of the visible pixels), noise, blur (the view itself, blurred), other-image (the same view of another image); drop
    /// leaves the patches out (ViT only).
    /// </summary>
    public FillKind Kind { get; init; } = FillKind.Zero;

    /// <summary>For noise: its standard deviation, as a share of that of the training images after the filter.</summary>
    /// <remarks>Source of the default: jiachenzhu/RandomMask.</remarks>
    [Range(0.0, 10.0)] public double NoiseStd { get; init; } = 0.25;

    /// <summary>For blur: standard deviation of the Gaussian in pixels.</summary>
    [Range(0.1, 100.0)] public double BlurSigma { get; init; } = 4;
}

/// <summary>Kinds of fill. The signal is the image after high-pass and standardisation.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FillKind>))]
public enum FillKind
{
    /// <summary>0 of the signal: its mean over the training images.</summary>
    [JsonStringEnumMemberName("zero")] Zero,

    /// <summary>Pixel value 0, as in naive masking; after a high-pass there is no such level: <see cref="Zero"/>.</summary>
    [JsonStringEnumMemberName("black")] Black,

    /// <summary>The mean of the view's visible pixels, per channel; 0 where none is visible.</summary>
    [JsonStringEnumMemberName("mean")] Mean,

    /// <summary>Gaussian noise around 0, drawn anew for each pixel and channel.</summary>
    [JsonStringEnumMemberName("noise")] Noise,

    /// <summary>The signal itself, blurred.</summary>
    [JsonStringEnumMemberName("blur")] Blur,

    /// <summary>The same view of the next sample in the batch (after the last, the first): depends on the batch.</summary>
    [JsonStringEnumMemberName("other-image")] OtherImage,

    /// <summary>Nothing: the pixels are NaN, and a ViT leaves out their patches, which saves their share of its work.</summary>
    [JsonStringEnumMemberName("drop")] Drop,
}

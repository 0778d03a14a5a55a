using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace SiamSharp.Data;

/// <summary>How images are decoded and kept.</summary>
public sealed record DataOptions
{
    /// <summary>
    /// Side of the square images in pixels, to which they are scaled; 0 = 64 for files, their own size for arrays.
    /// </summary>
    [Range(0, 1024)] public int Size { get; init; }

    /// <summary>
    /// How an image that is not square becomes square: crop keeps the centre, stretch changes the proportions.
    /// </summary>
    public Fit Fit { get; init; } = Fit.Crop;

    /// <summary>
    /// Channels of every image. 0 = as in the files (RGB where some of them are grey); 1 makes all images grey, 3 makes all
    /// RGB. A file that stores exactly this many is taken as it is, with its fourth (or second) channel: choose 4 for red,
    /// green, blue and near-infrared that look like RGBA.
    /// </summary>
    [Range(0, 256)] public int Channels { get; init; }

    /// <summary>
    /// What shows through transparent pixels: the mean of the image, black or white. auto chooses one of them by the images,
    /// and a run keeps what it has chosen.
    /// </summary>
    public AlphaBackground Alpha { get; init; } = AlphaBackground.Auto;

    /// <summary>
    /// What is read of files with several pages or frames (TIFF, GIF, WebP, AVIF): the first page, or all pages, as channels.
    /// </summary>
    public Pages Pages { get; init; } = Pages.First;

    /// <summary>
    /// How many bits of images of 16 bits are in use: a value of 2^bits - 1 becomes 1. Choose 12 for cameras and microscopes
    /// that store 12 bits as 16.
    /// </summary>
    [Range(8, 16)] public int Bits { get; init; } = 16;

    /// <summary>
    /// Memory for decoded images in GiB. A set that does not fit is decoded again in each epoch, which is slower.
    /// </summary>
    [Range(0.0, 1024.0)] public double MemoryGiB { get; init; } = 4;

    /// <summary>Threads that decode images; 0 = one per processor.</summary>
    [Range(0, 256)] public int Threads { get; init; }

    /// <summary>Largest image that is read, in millions of pixels. Larger ones are reported and skipped.</summary>
    [Range(1, 10_000)] public int MaxMegapixels { get; init; } = 500;
}

/// <summary>How an image that is not square becomes square.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Fit>))]
public enum Fit
{
    /// <summary>Scale the shorter side to the size, keep the centre.</summary>
    [JsonStringEnumMemberName("crop")] Crop,

    /// <summary>Scale both sides to the size, changing the aspect.</summary>
    [JsonStringEnumMemberName("stretch")] Stretch,
}

/// <summary>What shows through transparent pixels.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AlphaBackground>))]
public enum AlphaBackground
{
    /// <summary>
    /// Chosen once for all images of a source: mean where the transparent ones are photographs, white where they are
    /// drawings or where one in a hundred is of one colour only, which would vanish in its mean, and black where more
    /// of these are white than black.
    /// </summary>
    [JsonStringEnumMemberName("auto")] Auto,

    /// <summary>
    /// The mean of each channel over the image, weighted by opacity; black where all of the image is transparent.
    /// </summary>
    [JsonStringEnumMemberName("mean")] Mean,

    /// <summary>Black.</summary>
    [JsonStringEnumMemberName("black")] Black,

    /// <summary>White.</summary>
    [JsonStringEnumMemberName("white")] White,
}

/// <summary>What is read of a file with several pages or frames.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Pages>))]
public enum Pages
{
    /// <summary>The first.</summary>
    [JsonStringEnumMemberName("first")] First,

    /// <summary>All, one after the other as channels, as OME-TIFF keeps them; reduced versions of other
    /// pages are left out.</summary>
    [JsonStringEnumMemberName("channels")] Channels,
}

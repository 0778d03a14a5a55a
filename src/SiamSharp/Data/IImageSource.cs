using SiamSharp.Messages;

namespace SiamSharp.Data;

/// <summary>Images that can be decoded one by one, from any number of threads.</summary>
public interface IImageSource
{
    /// <summary>How the user named it, such as a folder's path.</summary>
    string Name { get; }

    /// <summary>Number of images, readable or not.</summary>
    int Count { get; }

    /// <summary>Shorter side in pixels when every image has one and the same size (arrays), otherwise 0 (files).</summary>
    int NativeSize { get; }

    /// <summary>What the user should know about how the source was understood: one line each, often none.</summary>
    IReadOnlyList<string> Notes => [];

    /// <summary>
    /// How its images are decoded, with what was left to them decided: channels of 0 where some are grey and others RGB, and
    /// <see cref="AlphaBackground.Auto"/>. Null where the source leaves nothing open.
    /// May read the headers of all images when first asked.
    /// </summary>
    DataOptions? Options => null;

    /// <summary>
    /// Class names in label order or null where there are no labels. Folders and manifests sort them ordinally.
    /// </summary>
    IReadOnlyList<string>? ClassNames { get; }

    /// <summary>Where an image comes from, for messages: a path, or <c>FILE#index</c>.</summary>
    string PathOf(int index);

    /// <summary>Index into <see cref="ClassNames"/>, or -1 where the image has no label.</summary>
    int LabelOf(int index);

    /// <summary>Decodes one image to a square.</summary>
    /// <param name="index">0 to <see cref="Count"/> - 1.</param>
    /// <param name="size">Side in pixels; 1 or more.</param>
    /// <exception cref="UnreadableImageException">The image cannot be decoded.</exception>
    Pixels Decode(int index, int size);

    /// <summary>Width, height, channels and depth as stored, without decoding the pixels.</summary>
    /// <exception cref="UnreadableImageException">The header cannot be read.</exception>
    ImageInfo InfoOf(int index);
}

/// <summary>An image as stored, before it is cropped and scaled.</summary>
/// <param name="Width">In pixels, as it is meant to be seen (orientation applied).</param>
/// <param name="Height">In pixels, as it is meant to be seen (orientation applied).</param>
/// <param name="Channels">Without alpha.</param>
/// <param name="BitDepth">Bits of one value once decoded: 8, 16 or 32 (floating point).</param>
public sealed record ImageInfo(int Width, int Height, int Channels, int BitDepth);

/// <summary>An image that cannot be decoded: reported and skipped, never fatal by itself.</summary>
/// <param name="path">Where the image comes from.</param>
/// <param name="reason">One line in plain words.</param>
public sealed class UnreadableImageException(string path, string reason) : Exception(Shown.Text($"{path}: {reason}"))
{
    /// <summary>Where the image comes from.</summary>
    public string Path { get; } = path;

    /// <summary>Why it cannot be read, in one line.</summary>
    public string Reason { get; } = reason;
}

/// <summary>A source that cannot be used at all; the message says what to do.</summary>
public sealed class DataSourceException : Exception
{
    /// <summary>One sentence or two.</summary>
    /// <param name="message">What is wrong and what to do; control characters are shown escaped.</param>
    public DataSourceException(string message) : base(Shown.Text(message))
    {
    }

    /// <summary>Several faults, each on a line of its own under a heading.</summary>
    internal DataSourceException(string heading, IEnumerable<string> faults)
        : base(string.Join('\n', faults.Select(f => "  " + Shown.Text(f)).Prepend(heading)))
    {
    }

    /// <summary>Whether the images differ in their number of channels, which <see cref="DataOptions.Channels"/> mends.</summary>
    public bool ChannelsDiffer { get; init; }
}

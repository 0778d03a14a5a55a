namespace SiamSharp.Data;

/// <summary>Images that can be decoded one by one, from any number of threads.</summary>
public interface IImageSource
{
    /// <summary>How the user named it, such as a folder's path.</summary>
    string Name { get; }

    /// <summary>Number of images, readable or not.</summary>
    int Count { get; }

    /// <summary>Side in pixels when every image has one and the same size (arrays), otherwise 0 (files).</summary>
    int NativeSize { get; }

    /// <summary>Class names in label order (ordinal order of their text), or null where there are no labels.</summary>
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
}

/// <summary>An image that cannot be decoded: reported and skipped, never fatal by itself.</summary>
/// <param name="path">Where the image comes from.</param>
/// <param name="reason">One line in plain words.</param>
public sealed class UnreadableImageException(string path, string reason) : Exception($"{path}: {reason}")
{
    /// <summary>Where the image comes from.</summary>
    public string Path { get; } = path;

    /// <summary>Why it cannot be read, in one line.</summary>
    public string Reason { get; } = reason;
}

/// <summary>A source that cannot be used at all; the message says what to do.</summary>
public sealed class DataSourceException(string message) : Exception(message);

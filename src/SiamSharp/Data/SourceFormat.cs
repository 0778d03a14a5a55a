using SiamSharp.Options;

namespace SiamSharp.Data;

/// <summary>A kind of source of images: how it is named, and how it is opened.</summary>
/// <remarks>
/// A new one is one file in this folder, or in an assembly of your own: its <see cref="KindAttribute"/> makes it known.
/// Where several take a name, the first by the name of its kind is asked.
/// </remarks>
public abstract class SourceFormat
{
    /// <summary>How such a source is written, for messages: <c>an array .npy</c>.</summary>
    public abstract string Form { get; }

    /// <summary>Whether a name is one of such a source; whether it can be read is for <see cref="Open"/> to say.</summary>
    /// <param name="name">As the user gave it, without <c>#train</c> and the like.</param>
    public abstract bool Takes(string name);

    /// <summary>Opens a source: lists it, reads its labels, decodes nothing yet.</summary>
    /// <param name="name">One that it takes.</param>
    /// <param name="options">How images are decoded.</param>
    /// <exception cref="DataSourceException">It cannot be opened; the message says what to do.</exception>
    public abstract IImageSource Open(string name, DataOptions options);

    /// <summary>The format that takes a name; null where none does.</summary>
    internal static SourceFormat? Of(string name) => Kinds.All<SourceFormat>().FirstOrDefault(format => format.Takes(name));
}

using System.Globalization;

namespace SiamSharp.Messages;

/// <summary>Numbers of things in messages: 1 image, 2 images.</summary>
internal static class Plural
{
    internal static string Of(long count, string one, string many) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {(count == 1 ? one : many)}");

    /// <summary>With an s behind the word for more or fewer than one.</summary>
    internal static string Of(long count, string word) => Of(count, word, word + "s");
}

namespace SiamSharp.Messages;

/// <summary>Words of a command line that can be pasted into a shell.</summary>
internal static class Shell
{
    /// <summary>A text as one word, in quotes where it needs them.</summary>
    internal static string Word(string text)
    {
        if (text.Length > 0 && text[0] is not ('#' or '~')
            && text.All(c => char.IsLetterOrDigit(c) || "/.-_:@#,=+%~".Contains(c) || (OperatingSystem.IsWindows() && c == '\\')))
            return text;
        return OperatingSystem.IsWindows() ? $"\"{text}\"" : $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";
    }

    /// <summary>A path as one word, from the working directory on where it lies in it.</summary>
    internal static string PathWord(string path)
    {
        string relative = Path.GetRelativePath(Environment.CurrentDirectory, path);
        return Word(relative.StartsWith("..", StringComparison.Ordinal) || Path.IsPathRooted(relative) ? path : relative);
    }
}
